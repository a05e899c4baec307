// An open segment with the searchers of its fields: what a view shares of a segment, whatever its deletions.
// Thread-safe.
#ifndef VARVE_ENGINE_VERSION_SEGMENT_HANDLE_H_
#define VARVE_ENGINE_VERSION_SEGMENT_HANDLE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "index/field_index.h"
#include "segment/segment.h"
#include "varve/schema.h"
#include "varve/stats.h"

namespace varve {

class SegmentHandle {
 public:
  struct Field {
    const FieldSpec* spec = nullptr;               // in the schema given to Make
    std::unique_ptr<FieldIndexSearcher> searcher;  // null if the segment has no vector of the field
    SegmentFieldInfo info;
    uint32_t slots = 0;
  };

  // Opens the searchers; O(1) in the segment's size. `schema` must outlive the handle.
  static absl::StatusOr<std::shared_ptr<const SegmentHandle>> Make(std::shared_ptr<const Segment> segment,
                                                                   const Schema& schema);

  const Segment& segment() const { return *segment_; }
  uint32_t rows() const { return segment_->rows(); }
  // By the position of the field in the schema.
  const Field& field(size_t position) const { return fields_[position]; }
  size_t field_count() const { return fields_.size(); }

 private:
  explicit SegmentHandle(std::shared_ptr<const Segment> segment) : segment_(std::move(segment)) {}

  std::shared_ptr<const Segment> segment_;
  std::vector<Field> fields_;
};

}  // namespace varve

#endif  // VARVE_ENGINE_VERSION_SEGMENT_HANDLE_H_
