// Makes one segment out of rows, wherever they come from: what a flush and a merge have in common.
#ifndef VARVE_ENGINE_BACKGROUND_SEGMENT_BUILDER_H_
#define VARVE_ENGINE_BACKGROUND_SEGMENT_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/cancellation.h"
#include "engine/version/collection_state.h"
#include "index/field_index.h"
#include "segment/segment_writer.h"

namespace varve {

// The rows of a segment to be, in the order of (namespace, key). Thread-compatible.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual uint32_t rows() const = 0;
  // Views stay valid until the next call.
  virtual absl::StatusOr<SegmentRow> Row(RowId row) = 0;
  // The vector of a field (by its position in the schema), null if the row has none. Stays valid while the source
  // lives.
  virtual absl::StatusOr<const std::byte*> Vector(RowId row, size_t field) = 0;

  // A segment that some of the rows come from: its index of one field, and where its rows go.
  struct Input {
    IndexType type;
    ParamMap params;  // as stored
    const SectionSource* sections;
    uint32_t slots;
    absl::Span<const RowId> slot_rows;  // by old slot, its old row; empty if they are equal
    absl::Span<const RowId> new_rows;   // by old row; kNoRow: dropped
  };
  // The segments with vectors of the field; none where rows come from elsewhere. Views stay valid while the source
  // lives.
  virtual absl::StatusOr<std::vector<Input>> Inputs(size_t /*field*/) { return std::vector<Input>(); }
};

// What a segment is made for.
struct SegmentPurpose {
  uint32_t level = 0;
  bool limited = false;                                      // written no faster than the rate limiter allows
  bool ingested = false;                                     // SegmentWriterOptions::ingested
  size_t max_index_bytes = SIZE_MAX;                         // memory for the build of an index that is not pinned
  std::function<void(uint64_t done, uint64_t of)> progress;  // BuildContext::progress
};

struct BuiltSegment {
  std::shared_ptr<const SegmentHandle> handle;
  pb::SegmentEntry entry;  // without deletions
};

// The memory that BuildSegment takes for so many rows, beside the rows themselves, if their keys and documents have
// `row_bytes`. Callers lease it before.
absl::StatusOr<size_t> BuildBytes(const CollectionState& state, const SegmentPurpose& purpose, uint64_t rows,
                                  uint64_t row_bytes);

// Writes, publishes and opens the segment. `id` was reserved by the caller, who
// settles it. On failure the file is removed, unless it was published already; then it is garbage that no manifest
// names.
absl::StatusOr<BuiltSegment> BuildSegment(CollectionState& state, FileId id, const SegmentPurpose& purpose,
                                          RowSource* source, const std::vector<FileId>& replaces,
                                          const Cancellation* cancellation);

}  // namespace varve

#endif  // VARVE_ENGINE_BACKGROUND_SEGMENT_BUILDER_H_
