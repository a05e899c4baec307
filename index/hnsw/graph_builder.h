// Builds an HNSW graph in memory, in batches that double as the graph grows: every member of a batch searches the graph
// as it was before the batch, in parallel and without locks; then the edges back to the members are grouped by target,
// and each target's row is changed once. The result is a function of vectors, parameters and seed alone, whatever the
// number of threads. Thread-compatible.
// Source: Malkov, Yashunin (hnsw_format.h), algorithm 1; batches: Manohar et al., "ParlayANN", PPoPP 2024, section 3.
#ifndef VARVE_INDEX_HNSW_GRAPH_BUILDER_H_
#define VARVE_INDEX_HNSW_GRAPH_BUILDER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "index/field_index.h"
#include "index/hnsw/build_vectors.h"
#include "index/hnsw/insertion_order.h"
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
  // `slots` and `context` outlive the builder. Requires: slots.count() <= kMaxSlots.
  GraphBuilder(const SlotSource& slots, uint32_t m, uint32_t ef_construction, const BuildContext& context);
  ~GraphBuilder();

  // Once. Errors: Cancelled.
  absl::Status Build();

  // Empties the builder of its graph.
  BuiltGraph TakeGraph() { return std::move(graph_); }

  static uint64_t EstimateBytes(uint64_t slot_count, uint32_t m);

 private:
  struct Worker;  // scratch memory of one thread
  struct Edge;    // from a new node back to its neighbour

  // Links nodes [first, last) to their neighbours in the graph of nodes [0, first).
  absl::Status InsertBatch(uint32_t first, uint32_t last);
  void InsertNode(uint32_t node, uint32_t graph_size, Worker* worker);
  // Adds the edges from nodes below `first` back to those of the batch, on one level.
  void LinkBack(uint32_t level, uint32_t first, uint32_t last);
  // Adds edges[0 .. count - 1], all of one target, to its row.
  void AddLinks(LinkTable* table, const Edge* edges, size_t count, Worker* worker);
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
  std::atomic<uint64_t> inserted_{0};
};

}  // namespace varve::hnsw

#endif  // VARVE_INDEX_HNSW_GRAPH_BUILDER_H_
