// How much of a part a filter leaves, and which slots: what decides between a scan and a traversal.
#ifndef VARVE_INDEX_ACCEPTED_SLOTS_H_
#define VARVE_INDEX_ACCEPTED_SLOTS_H_

#include <algorithm>
#include <bit>
#include <cstdint>

#include "index/slot_filter.h"
#include "varve/types.h"

namespace varve {

// True if every slot is its own row and every row may be returned: nothing need be asked per slot.
bool AcceptsEverySlot(const SlotFilter& filter, uint32_t slot_count);

// About how many of the slots are accepted: from a sample of at most 256 of them, so that it costs about a microsecond.
// Where the sample finds few, a cautious (large) guess, or what the filter's sets hold if that is less.
// filter.accepted_rows, where the caller has counted, is taken at its word.
uint32_t EstimateAcceptedSlots(const SlotFilter& filter, uint32_t slot_count);

// Calls visit(slot, row) for the accepted slots of [first, last), ascending.
template <typename Visit>
void ForEachAcceptedSlot(const SlotFilter& filter, uint32_t first, uint32_t last, Visit visit) {
  if (filter.slot_rows.empty()) {
    first = std::max(first, filter.first_row);
    last = std::min({last, filter.last_row, filter.rows});
    if (filter.allowed != nullptr) {
      // Whole words of the user's filter are skipped at once.
      for (uint64_t row = first; row < last; ++row) {
        const uint64_t word = filter.allowed->words()[row >> 6] >> (row & 63);
        if (word == 0) {
          row |= 63;
          continue;
        }
        row += static_cast<uint64_t>(std::countr_zero(word));
        const RowId candidate = static_cast<RowId>(row);
        if (row < last && filter.AllowsRow(candidate)) visit(candidate, candidate);
      }
      return;
    }
  }
  for (uint32_t slot = first; slot < last; ++slot) {
    const RowId row = filter.Accept(slot);
    if (row != kNoRow) visit(slot, row);
  }
}

}  // namespace varve

#endif  // VARVE_INDEX_ACCEPTED_SLOTS_H_
