// Links near nodes without searching for them: the nodes of a level are divided into leaves several times
// (leaf_partition.h), and linked within each leaf. There all distances come from one matrix product, and the diverse
// among a node's nearest are chosen by looking distances up.
//
// Source: Rubel et al., "PiPNN: Ultra-Scalable Graph-Based Nearest Neighbor Indexing", 2026. There a node is in several
// leaves of one division, each gives it its two nearest, and candidates are pruned by direction as they come. Here a
// node is in one leaf of each division, so that no two threads change its row at once and the result does not depend on
// them.
#ifndef VARVE_INDEX_HNSW_LEAF_LINKER_H_
#define VARVE_INDEX_HNSW_LEAF_LINKER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/types/span.h"
#include "base/cancellation.h"
#include "base/page_allocator.h"
#include "index/hnsw/build_vectors.h"
#include "index/hnsw/link_table.h"
#include "index/hnsw/local_vectors.h"
#include "index/hnsw/neighbor_selection.h"

namespace varve::hnsw {

struct LeafSettings {
  uint32_t partitions;  // how often the nodes are divided; 0: as often as their number asks for
  uint32_t largest;     // nodes in a leaf
  uint32_t nearest;     // looked at for each node in a leaf
  uint32_t links;       // chosen of them, at most; a few far ones come on top

  // For vectors of that dimension: leaves whose memory stays within bounds.
  static LeafSettings Make(uint32_t partitions, uint32_t m, uint32_t ef_construction, size_t dimension);
  // How often so many nodes are divided: more often the more there are, for near ones come apart more easily then.
  uint32_t PartitionsFor(uint64_t nodes) const;
  // What a thread needs to link so many nodes.
  uint64_t ScratchBytes(size_t dimension, uint64_t nodes) const;
};

// Links all nodes of the table, which is empty, to others near them: edges lead one way, and rows are neither sorted
// nor cut. A function of vectors, settings and seed alone. Incomplete if cancelled. `progress` (may be empty) is told
// from one thread at a time how much has been linked, as a number of nodes.
void LinkByPartitions(const BuildVectors& vectors, const LeafSettings& settings, uint64_t seed, int threads,
                      const Cancellation* cancellation, const std::function<void(uint64_t)>& progress,
                      LinkTable* table);

// Thread-compatible; several may work on one table at once, on leaves without a common node.
class LeafLinker {
 public:
  // `vectors` outlives the linker.
  LeafLinker(const BuildVectors& vectors, const LeafSettings& settings) : vectors_(vectors), settings_(settings) {}

  // Requires: the nodes are different.
  void Link(absl::Span<const uint32_t> leaf, LinkTable* table);

 private:
  void ComputeDistances(absl::Span<const uint32_t> leaf);
  // Sets near_ to the nearest of the leaf's node `i`, sorted, as places in the leaf.
  void FindNearest(size_t i, size_t count);
  // Sets near_ to some of the leaf's nodes beside `i` and those in chosen_, sorted, as places in the leaf.
  void Sample(size_t i, size_t count);
  // Adds chosen_, as places in the leaf, to the node's row.
  void AddToRow(absl::Span<const uint32_t> leaf, uint32_t node, LinkTable* table);

  const BuildVectors& vectors_;
  const LeafSettings settings_;
  LocalVectors local_;
  LargeVector<float> columns_;
  std::vector<float> norms_;
  LargeVector<float> matrix_;  // of distances, rows stride_ apart
  size_t stride_ = 0;
  LargeVector<uint64_t> placed_;
  std::vector<Candidate> near_;
  std::vector<Candidate> chosen_;
  std::vector<uint32_t> fresh_;
  std::vector<float> distances_;
  std::vector<Candidate> row_;
};

}  // namespace varve::hnsw

#endif  // VARVE_INDEX_HNSW_LEAF_LINKER_H_
