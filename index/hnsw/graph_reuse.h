// Takes over a mapped graph whose slots have got new numbers or were dropped: the start of a merge. Nodes keep their
// levels and the edges between them. Where a neighbour was dropped, the row gets others in its place, found through the
// dropped one's own neighbours and chosen as diverse as ever; a node that has lost nearly all is inserted anew.
#ifndef VARVE_INDEX_HNSW_GRAPH_REUSE_H_
#define VARVE_INDEX_HNSW_GRAPH_REUSE_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "index/hnsw/graph_builder.h"
#include "index/hnsw/hnsw_format.h"

namespace varve::hnsw {

// Thread-compatible.
class GraphReuse {
 public:
  // Checks every row of the graph, and decides which nodes are kept. `new_slots`, by old slot, has graph.slot_count()
  // entries, each below `slot_count` or kNoSlot; no two are equal. It outlives the object, as do the graph's sections.
  // Errors: DataLoss naming the section.
  static absl::StatusOr<GraphReuse> Open(const GraphView& graph, absl::Span<const SlotId> new_slots,
                                         uint32_t slot_count);

  uint32_t kept_count() const { return kept_count_; }
  // What the new graph is numbered by: old slots keep their levels.
  InsertionOrder MakeOrder(uint64_t seed) const { return MakeInsertionOrder(levels_, graph_.m(), seed); }
  // Builds the new graph: takes over what is kept and inserts the rest. `builder` is new and was given MakeOrder's
  // order. Requires: kept_count() > 0. Errors: Cancelled.
  absl::Status Build(const BuildContext& context, GraphBuilder* builder);

 private:
  struct Scratch;  // of one thread

  GraphReuse(const GraphView& graph, absl::Span<const SlotId> new_slots, uint32_t slot_count)
      : graph_(graph), new_slots_(new_slots), levels_(slot_count, kLevelToDraw) {}

  void KeepLevels();
  void ChooseKept();
  absl::Status CopyLevel(uint32_t level, const BuildContext& context, GraphBuilder* builder) const;
  void CopyRow(uint32_t level, uint32_t old_node, const BuildVectors& vectors, LinkTable* table,
               Scratch* scratch) const;
  // Fills the places of scratch->lost in scratch->links.
  void Replace(uint32_t level, uint32_t old_node, uint32_t node, const BuildVectors& vectors, Scratch* scratch) const;

  // A node of an old level: on level 0 the slot, above it the member.
  SlotId OldSlot(uint32_t level, uint32_t old_node) const {
    return level == 0 ? old_node : graph_.MemberSlot(old_node);
  }
  absl::Span<const uint32_t> OldRow(uint32_t level, uint32_t old_node) const;

  GraphView graph_;
  absl::Span<const SlotId> new_slots_;
  std::vector<uint8_t> levels_;     // by new slot; kLevelToDraw for those that this graph does not have
  std::vector<bool> is_kept_;       // by old slot
  std::vector<uint32_t> new_node_;  // by old slot; kEndOfList unless kept
  uint32_t kept_count_ = 0;
};

}  // namespace varve::hnsw

#endif  // VARVE_INDEX_HNSW_GRAPH_REUSE_H_
