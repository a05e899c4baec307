// Writes one segment file: rows in key order, then the sections of each field, then directory, header and footer; and
// publishes it.
//
// Use: Create; AddRow for every row, ascending by (namespace, key); then for each field BeginField and its sections;
// then Finish. An object that is destroyed before Finish removes what it wrote. Thread-compatible.
// Format: docs/file_format.md, "Segment".
#ifndef VARVE_SEGMENT_SEGMENT_WRITER_H_
#define VARVE_SEGMENT_SEGMENT_WRITER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/crc32c.h"
#include "base/uuid.h"
#include "schema.pb.h"
#include "segment/section.h"
#include "varve/file_system.h"
#include "varve/types.h"

namespace varve {

// One row, without its vectors. Views are read during AddRow only.
struct SegmentRow {
  std::string_view ns;
  std::string_view key;
  Sequence sequence = 0;
  int64_t created_at_us = 0;
  int64_t updated_at_us = 0;
  int64_t expires_at_ms = kNeverExpires;
  std::string_view metadata;  // JSON text, may be empty
  std::string_view payload;
};

struct SegmentWriterOptions {
  Uuid collection;
  FileId segment_id = 0;
  pb::Schema schema;  // as of writing; goes into the header
  std::vector<FileId> replaces;
  int64_t created_at_us = 0;
  uint64_t filter_seed = 0;  // of the key filter and the point-lookup index
  std::string writer_version;
  // The rows' sequence is not known yet, and is the same for all: the manifest will say it. No section is written.
  bool ingested = false;
  // Called before bytes go to the file, with their number; may wait. Its error is that of the write. May be empty.
  std::function<absl::Status(uint64_t bytes)> before_write;
};

// What the manifest must know of a finished segment.
struct FinishedSegment {
  FileId id = 0;
  uint64_t rows = 0;
  uint64_t bytes = 0;
  Crc32c footer_crc{};
  Sequence smallest_sequence = 0;
  Sequence largest_sequence = 0;
};

// How a field is stored, for its directory entries.
struct SegmentField {
  FieldId id = 0;
  uint32_t dimension = 0;
  IndexType index_type = IndexType::kFlat;
  CompressionType compression = CompressionType::kNone;
  ParamMap params;  // of the index as built
  std::string why;  // IndexPolicy's reason
};

class SegmentWriter : public SectionSink {
 public:
  static absl::StatusOr<std::unique_ptr<SegmentWriter>> Create(FileSystem* fs, std::string path,
                                                               SegmentWriterOptions options);
  ~SegmentWriter() override = default;

  // Requires: (ns, key) above that of the row before; else InvalidArgument.
  virtual absl::Status AddRow(const SegmentRow& row) = 0;

  // Begins a field. `slot_rows[s]` is the row of slot s; empty means that slot s belongs to row s for every row. Rows
  // of slots ascend. The sections that follow (BeginSection) are this field's, until the next BeginField or Finish.
  // Vectors go into a section kVectors, row-major by slot, dimension x element size bytes each.
  virtual absl::Status BeginField(const SegmentField& field, uint64_t slot_count,
                                  absl::Span<const RowId> slot_rows) = 0;

  // Writes what is left and publishes the file (tmp, fsync, rename, directory fsync).
  virtual absl::StatusOr<FinishedSegment> Finish() = 0;
};

}  // namespace varve

#endif  // VARVE_SEGMENT_SEGMENT_WRITER_H_
