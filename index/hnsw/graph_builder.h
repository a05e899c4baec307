// Builds an HNSW graph in memory, in batches that double as the graph grows: every member of a batch searches the graph
// as it was before the batch, in parallel and without locks; then the edges back to the members are grouped by target,
// and each target's row is changed once. The result is a function of vectors, parameters and seed alone, whatever the
// number of threads. A graph that is there already can be added to in the same way. Thread-compatible.
// Source: Malkov, Yashunin (hnsw_format.h), algorithm 1; batches: Manohar et al., "ParlayANN", PPoPP 2024, section 3.
#ifndef VARVE_INDEX_HNSW_GRAPH_BUILDER_H_
#define VARVE_INDEX_HNSW_GRAPH_BUILDER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "index/field_index.h"
#include "index/hnsw/build_vectors.h"
#include "index/hnsw/insertion_order.h"
#include "index/hnsw/leaf_linker.h"
#include "index/hnsw/link_table.h"
#include "index/hnsw/neighbor_selection.h"

namespace varve::hnsw {

// A finished graph over nodes (insertion_order.h): every row sorted by distance, at most 2 * m long on level 0 and m
// above, and every node reachable from node 0 on level 0.
struct BuiltGraph {
  InsertionOrder order;
  std::vector<std::unique_ptr<LinkTable>> levels;  // level 0 first
};

class GraphBuilder {
 public:
  // `slots` and `context` outlive the builder. Requires: slots.count() <= kMaxSlots, all of them in `order`.
  GraphBuilder(const SlotSource& slots, InsertionOrder order, uint32_t m, uint32_t ef_construction,
               const BuildContext& context);
  ~GraphBuilder();

  // Once. Errors: Cancelled.
  absl::Status Build();

  // Instead of Build: links near nodes within groups of them (leaf_linker.h), at a fraction of the cost. Requires: kL2
  // or kCosine.
  absl::Status BuildByPartitions(const LeafSettings& settings);

  // Instead of Build: adds the nodes of `missing`, which ascend, to a graph of all others, whose rows the caller has
  // put into the tables: none leads to a missing node. Requires: not all nodes are missing, unless there are none.
  absl::Status AddTo(absl::Span<const uint32_t> missing);
  LinkTable* table(uint32_t level) { return graph_.levels[level].get(); }
  const InsertionOrder& order() const { return graph_.order; }
  const BuildVectors& vectors() const { return vectors_; }

  // Empties the builder of its graph.
  BuiltGraph TakeGraph() { return std::move(graph_); }

  static uint64_t EstimateBytes(uint64_t slot_count, uint32_t m);

 private:
  struct Worker;  // scratch memory of one thread
  struct Edge;    // from a new node back to its neighbour

  // Links nodes to their neighbours in the graph as it is. Requires: they ascend.
  absl::Status InsertBatch(absl::Span<const uint32_t> batch);
  void InsertNode(uint32_t node, Worker* worker);
  // Adds the edges back to the nodes of the batch, all on that level.
  void LinkBack(uint32_t level, absl::Span<const uint32_t> batch);
  // Adds edges[0 .. count - 1], all of one target, to its row.
  void AddLinks(LinkTable* table, const Edge* edges, size_t count, Worker* worker);
  // Makes the rows what BuiltGraph promises.
  absl::Status Finish();
  // Sorts all rows, and cuts those that are too long.
  void FinishRows(LinkTable* table);

  bool cancelled() const;
  int WorkersFor(size_t nodes) const;

  const uint32_t ef_construction_;
  const BuildContext& context_;
  BuiltGraph graph_;
  const BuildVectors vectors_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::vector<Edge>> buckets_;  // edges of a batch by range of their target
  uint32_t entry_ = 0;                      // where searches begin: the graph's node of the highest level
  uint32_t linked_bound_ = 0;               // all nodes of the graph are below
  std::atomic<uint64_t> inserted_{0};
};

}  // namespace varve::hnsw

#endif  // VARVE_INDEX_HNSW_GRAPH_BUILDER_H_
