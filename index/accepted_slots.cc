#include "index/accepted_slots.h"

#include "base/random.h"

namespace varve {
namespace {

constexpr uint32_t kSamples = 256;
// A sample with fewer hits says little about how many there are; then this many more are assumed.
constexpr uint32_t kFewHits = 32;
constexpr uint32_t kUnseenHits = 8;

// Rows that the filter's sets leave, without asking each row.
uint64_t CountRowsOfSets(const SlotFilter& filter) {
  const uint32_t last = std::min(filter.last_row, filter.rows);
  if (filter.first_row >= last) return 0;
  if (filter.allowed == nullptr) return last - filter.first_row;
  return filter.allowed->CountRange(filter.first_row, last);
}

}  // namespace

bool AcceptsEverySlot(const SlotFilter& filter, uint32_t slot_count) {
  return filter.slot_rows.empty() && filter.rows >= slot_count && filter.first_row == 0 &&
         filter.last_row >= slot_count && filter.dead == nullptr && filter.allowed == nullptr &&
         filter.expiry.empty() && (filter.deaths == nullptr || filter.deaths->empty());
}

uint32_t EstimateAcceptedSlots(const SlotFilter& filter, uint32_t slot_count) {
  if (filter.accepted_rows != kNoRow) return std::min(filter.accepted_rows, slot_count);
  if (AcceptsEverySlot(filter, slot_count)) return slot_count;
  if (slot_count == 0) return 0;
  const uint32_t samples = std::min(kSamples, slot_count);
  uint32_t hits = 0;
  for (uint32_t i = 0; i < samples; ++i) {
    // One slot of each of `samples` equal stretches, so that a filter on consecutive rows is met in proportion.
    const uint64_t stretch = uint64_t{slot_count} * i / samples;
    const uint64_t length = uint64_t{slot_count} * (i + 1) / samples - stretch;
    hits += filter.Accept(static_cast<SlotId>(stretch + Mix64(i) % length)) != kNoRow;
  }
  if (hits >= kFewHits) return static_cast<uint32_t>(uint64_t{slot_count} * hits / samples);
  const uint64_t guess = std::min<uint64_t>(uint64_t{slot_count} * (hits + kUnseenHits) / samples, slot_count);
  return static_cast<uint32_t>(std::min(guess, CountRowsOfSets(filter)));
}

}  // namespace varve
