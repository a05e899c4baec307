#include "index/hnsw/insertion_order.h"

#include <algorithm>
#include <utility>

#include "base/random.h"
#include "index/hnsw/hnsw_format.h"

namespace varve::hnsw {
namespace {

// The hash of a slot that decides its level, as a fraction of 2^64; the rest of it decides the order.
uint64_t SlotHash(uint64_t seed, SlotId slot) { return Mix64(Mix64(seed) ^ slot); }

uint32_t LevelFor(uint64_t hash, uint32_t m) {
  uint32_t level = 0;
  for (uint64_t threshold = ~uint64_t{0} / m; hash < threshold && level < kMaxUpperLevels; threshold /= m) ++level;
  return level;
}

}  // namespace

InsertionOrder MakeInsertionOrder(uint32_t slot_count, uint32_t m, uint64_t seed) {
  return MakeInsertionOrder(std::vector<uint8_t>(slot_count, kLevelToDraw), m, seed);
}

InsertionOrder MakeInsertionOrder(absl::Span<const uint8_t> levels, uint32_t m, uint64_t seed) {
  struct Entry {
    uint32_t level;
    SlotId slot;
    uint64_t order;
  };
  std::vector<Entry> entries(levels.size());
  for (SlotId slot = 0; slot < levels.size(); ++slot) {
    const uint64_t hash = SlotHash(seed, slot);
    entries[slot] = {levels[slot] == kLevelToDraw ? LevelFor(hash, m) : levels[slot], slot, Mix64(hash)};
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    if (a.level != b.level) return a.level > b.level;
    return a.order != b.order ? a.order < b.order : a.slot < b.slot;
  });
  InsertionOrder order;
  order.slots.reserve(levels.size());
  for (const Entry& entry : entries) {
    order.slots.push_back(entry.slot);
    if (entry.level > order.member_counts.size()) order.member_counts.resize(entry.level, 0);
    for (uint32_t level = 0; level < entry.level; ++level) ++order.member_counts[level];
  }
  return order;
}

}  // namespace varve::hnsw
