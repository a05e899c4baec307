// What a searcher asks about a slot: which row is it, and may that row be returned. Built by the engine for one part of
// one view; a value, read by one search. Inline and free of virtual calls: it is asked once per node visited.
#ifndef VARVE_INDEX_SLOT_FILTER_H_
#define VARVE_INDEX_SLOT_FILTER_H_

#include <cstdint>

#include "absl/types/span.h"
#include "base/row_deaths.h"
#include "base/row_set.h"
#include "varve/types.h"

namespace varve {

struct SlotFilter {
  uint32_t rows = 0;                  // rows of the part; every row that is returned is below it
  absl::Span<const RowId> slot_rows;  // empty: slot s is row s
  const RowSet* dead = nullptr;       // rows dead as of the part's publication; null: none
  const RowDeaths* deaths = nullptr;  // rows that died since; null: none
  Sequence visible = kMaxSequence;    // deaths above it do not count
  absl::Span<const int64_t> expiry;   // milliseconds since 1970 per row; empty: no row expires
  int64_t now_ms = 0;
  const RowSet* allowed = nullptr;  // the user's filter; null: all rows
  uint32_t first_row = 0;           // only rows of [first_row, last_row): a namespace
  uint32_t last_row = 0xFFFFFFFF;
  uint32_t accepted_rows = kNoRow;  // how many rows AllowsRow accepts, if the caller has counted

  // kNoRow for a slot without a live row.
  RowId RowOf(SlotId slot) const { return slot_rows.empty() ? slot : slot_rows[slot]; }

  bool AllowsRow(RowId row) const {
    if (row < first_row || row >= last_row || row >= rows) return false;
    if (dead != nullptr && dead->Contains(row)) return false;
    if (deaths != nullptr && deaths->IsDead(row, visible)) return false;
    if (!expiry.empty() && expiry[row] <= now_ms) return false;
    return allowed == nullptr || allowed->Contains(row);
  }
  // The row of the slot if it may be returned, else kNoRow.
  RowId Accept(SlotId slot) const {
    const RowId row = RowOf(slot);
    return AllowsRow(row) ? row : kNoRow;
  }
};

}  // namespace varve

#endif  // VARVE_INDEX_SLOT_FILTER_H_
