// A mapped graph and its vectors as BeamSearch sees them: every block is verified, and every number checked, before it
// is used. What is wrong is kept as a status. Thread-compatible: one search, one object.
#ifndef VARVE_INDEX_HNSW_SLOT_SPACE_H_
#define VARVE_INDEX_HNSW_SLOT_SPACE_H_

#include <string>

#include "absl/status/status.h"
#include "index/hnsw/beam_search.h"
#include "index/hnsw/build_vectors.h"
#include "index/hnsw/hnsw_format.h"
#include "index/stored_vectors.h"

namespace varve::hnsw {

class SlotSpace {
 public:
  // All outlive the object.
  SlotSpace(const GraphView* graph, const StoredVectors* vectors, const QueryDistance* distance)
      : graph_(*graph), vectors_(*vectors), distance_(*distance) {}

  // Why a call has failed.
  const absl::Status& status() const { return status_; }

  uint32_t row_width() const { return graph_.row_width(); }
  uint32_t node_count() const { return graph_.slot_count(); }

  const uint32_t* Row(SlotId slot) {
    if (!Readable(graph_.graph(), graph_.RowOffset(slot), graph_.RowBytes())) return nullptr;
    return graph_.Row(slot);
  }
  void PrefetchRow(SlotId slot) const {
    const char* row = reinterpret_cast<const char*>(graph_.Row(slot));
    __builtin_prefetch(row);
    __builtin_prefetch(row + 64);
  }
  void Prefetch(SlotId slot) const { vectors_.Prefetch(slot); }

  bool Compute(const SlotId* slots, size_t count, float* distances) {
    for (size_t i = 0; i < count; ++i) {
      if (vectors_.IsVerified(slots[i])) continue;
      status_ = vectors_.Verify(slots[i], 1);
      if (!status_.ok()) return false;
    }
    distance_.Compute(slots, count, distances);
    for (size_t i = 0; i < count; ++i) distances[i] = Finite(distances[i]);
    return true;
  }

  void BadNeighbor(SlotId slot, uint32_t place) {
    status_ = graph_.graph().Damaged(graph_.RowOffset(slot) + place * sizeof(uint32_t),
                                     "neighbour " + std::to_string(graph_.Row(slot)[place]) + " of " +
                                         std::to_string(graph_.slot_count()) + " slots");
  }

  // Reads the members of an upper row as members and slots. False if it cannot be read or refers beyond the level.
  bool ReadUpperRow(uint32_t level, uint32_t member, uint32_t* members, SlotId* slots, size_t* count);
  // The slot of a member. Requires: member < graph.member_count(1).
  bool ReadMemberSlot(uint32_t member, SlotId* slot);

 private:
  bool Readable(const SectionView& section, uint64_t offset, uint64_t length) {
    if (section.IsVerified(offset, length)) return true;
    status_ = section.Verify(offset, length);
    return status_.ok();
  }

  const GraphView& graph_;
  const StoredVectors& vectors_;
  const QueryDistance& distance_;
  absl::Status status_;
};

}  // namespace varve::hnsw

#endif  // VARVE_INDEX_HNSW_SLOT_SPACE_H_
