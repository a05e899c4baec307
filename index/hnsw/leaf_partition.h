// Divides nodes into leaves of near ones: each node goes to the nearest of some leaders drawn at random, and what is
// still too large is divided again. Every node is in exactly one leaf; another seed gives other leaves, with the
// borders elsewhere. Source: Rubel et al., "PiPNN: Ultra-Scalable Graph-Based Nearest Neighbor Indexing", 2026 (ball
// carving).
#ifndef VARVE_INDEX_HNSW_LEAF_PARTITION_H_
#define VARVE_INDEX_HNSW_LEAF_PARTITION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "base/cancellation.h"
#include "index/hnsw/build_vectors.h"

namespace varve::hnsw {

// Memory while nodes are divided: their order, the next order, their leaders.
inline constexpr uint64_t kPartitionBytesPerNode = 3 * sizeof(uint32_t);

// Memory of a thread that divides so many nodes into groups, beside that.
uint64_t LeaderBytes(size_t dimension, uint64_t nodes);

struct LeafPartition {
  std::vector<uint32_t> nodes;   // leaf after leaf
  std::vector<uint32_t> bounds;  // leaf l is nodes[bounds[l] .. bounds[l + 1] - 1]

  size_t leaf_count() const { return bounds.size() - 1; }
  absl::Span<const uint32_t> leaf(size_t l) const {
    return absl::MakeConstSpan(nodes).subspan(bounds[l], bounds[l + 1] - bounds[l]);
  }
};

// Nodes 0 .. count - 1 in leaves of at most `largest`; a function of vectors, count, largest and seed alone. Nodes are
// compared as BuildVectors::CopyForL2 gives them. Incomplete if cancelled. Requires: largest >= 16.
LeafPartition PartitionNodes(const BuildVectors& vectors, uint32_t count, uint32_t largest, uint64_t seed, int threads,
                             const Cancellation* cancellation);

}  // namespace varve::hnsw

#endif  // VARVE_INDEX_HNSW_LEAF_PARTITION_H_
