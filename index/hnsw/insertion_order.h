// The levels of an index's slots, and the order in which they are inserted: by descending level, at random within one.
// A slot's place in this order is its node number while the graph is built, so that the members of every level are a
// prefix, and node 0, on the highest level, is where all searches begin.
#ifndef VARVE_INDEX_HNSW_INSERTION_ORDER_H_
#define VARVE_INDEX_HNSW_INSERTION_ORDER_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "varve/types.h"

namespace varve::hnsw {

struct InsertionOrder {
  std::vector<SlotId> slots;            // by node
  std::vector<uint32_t> member_counts;  // of levels 1, 2 ...: nodes 0 .. count - 1 are on it

  // Levels above 0 that the node is on.
  uint32_t LevelOf(uint32_t node) const {
    uint32_t level = 0;
    while (level < member_counts.size() && node < member_counts[level]) ++level;
    return level;
  }
};

// A function of its arguments alone, the same on every machine: no logarithm is taken, a slot is on level l if a hash
// of seed and slot lies below m^-l.
InsertionOrder MakeInsertionOrder(uint32_t slot_count, uint32_t m, uint64_t seed);

// The same, but that slots keep the levels given: by slot, at most kMaxUpperLevels, or kLevelToDraw.
inline constexpr uint8_t kLevelToDraw = 0xFF;
InsertionOrder MakeInsertionOrder(absl::Span<const uint8_t> levels, uint32_t m, uint64_t seed);

}  // namespace varve::hnsw

#endif  // VARVE_INDEX_HNSW_INSERTION_ORDER_H_
