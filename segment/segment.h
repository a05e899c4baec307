// An open segment file: immutable, used in place from its mapping. Opening costs O(1) in the segment's size and checks
// footer, header and section directory; everything else is checked when it is touched (docs/file_format.md, "Opening").
//
// Thread-safe. Spans and views handed out live as long as the Segment.
// Errors of all readers: DataLoss naming file, section and offset; InvalidArgument for a row that the segment does not
// have.
#ifndef VARVE_SEGMENT_SEGMENT_H_
#define VARVE_SEGMENT_SEGMENT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/crc32c.h"
#include "base/uuid.h"
#include "segment.pb.h"
#include "segment/section.h"
#include "varve/file_system.h"
#include "varve/options.h"
#include "varve/types.h"

namespace varve {

// What the manifest says of the segment; each is compared with the file.
struct SegmentExpectation {
  Uuid collection;
  FileId id = 0;
  uint64_t bytes = 0;
  Crc32c footer_crc{};
  Sequence ingest_sequence = 0;  // of all its rows, which the file does not have then; 0: the file has them
};

// The owned or mapped bytes of metadata and payload of one row.
struct StoredDocument {
  std::string metadata;
  std::string payload;
};

// Reads documents of one segment, keeping the block that it decoded last: rows in ascending order cost one decoding per
// block, where ReadDocument costs one per row. Thread-compatible; the segment must outlive it.
class DocumentReader {
 public:
  virtual ~DocumentReader() = default;
  // Views are valid until the next call.
  struct Document {
    std::string_view metadata;
    std::string_view payload;
  };
  virtual absl::StatusOr<Document> Read(RowId row) = 0;
};

class Segment {
 public:
  // `fs` must outlive the segment. `expected` may be empty (dump, repair): then the file is checked against itself
  // alone. Errors: NotFound; DataLoss; Unimplemented for a newer version or an unknown required section.
  static absl::StatusOr<std::shared_ptr<const Segment>> Open(FileSystem* fs, const std::string& path,
                                                             const std::optional<SegmentExpectation>& expected,
                                                             VerifyChecksums verify, IoMode io);
  virtual ~Segment() = default;

  virtual FileId id() const = 0;
  virtual const std::string& path() const = 0;
  virtual uint32_t rows() const = 0;
  virtual uint64_t bytes() const = 0;
  // Of them, those of keys and documents as they are stored.
  virtual uint64_t row_bytes() const = 0;
  virtual Crc32c footer_crc() const = 0;
  virtual const pb::SegmentHeader& header() const = 0;

  // Keys. FindKey gives kNoRow if the key is not there; it asks the key filter first and compares whole keys.
  virtual absl::StatusOr<RowId> FindKey(std::string_view ns, std::string_view key) const = 0;
  struct Key {
    std::string_view ns;
    std::string_view key;
  };
  // Views into the mapping.
  virtual absl::StatusOr<Key> KeyOf(RowId row) const = 0;
  // The first row whose (ns, key) is not below the one given; rows() if there is none.
  virtual absl::StatusOr<RowId> LowerBound(std::string_view ns, std::string_view key) const = 0;
  // The rows of a namespace: [first, last).
  virtual absl::StatusOr<std::pair<RowId, RowId>> NamespaceRows(std::string_view ns) const = 0;

  virtual absl::StatusOr<Sequence> SequenceOf(RowId row) const = 0;
  struct Times {
    int64_t created_at_us;
    int64_t updated_at_us;
  };
  virtual absl::StatusOr<Times> TimesOf(RowId row) const = 0;
  // Milliseconds since 1970 per row; empty if no row expires. Checked whole at the first call.
  virtual absl::StatusOr<absl::Span<const int64_t>> Expiry() const = 0;
  virtual absl::StatusOr<StoredDocument> ReadDocument(RowId row) const = 0;
  // For scans, filters and merges.
  virtual std::unique_ptr<DocumentReader> NewDocumentReader() const = 0;

  // The stored entry of a field; null if the segment has no such field.
  virtual const pb::FieldIndex* FindField(FieldId field) const = 0;
  // The sections of a field, for its index. Lives as long as the segment.
  virtual const SectionSource& FieldSections(FieldId field) const = 0;
  // Slot to row, empty where they are equal. Entries are range-checked once, at the first call.
  virtual absl::StatusOr<absl::Span<const RowId>> SlotRows(FieldId field) const = 0;
  // The slot of a row (the first, where a row may have several), kNoSlot if the row has no vector of the field.
  virtual absl::StatusOr<SlotId> SlotOf(FieldId field, RowId row) const = 0;
  // The stored bytes of a row's vector (of all its vectors, row-major, where it may have several), empty if it has
  // none.
  virtual absl::StatusOr<absl::Span<const std::byte>> VectorOf(FieldId field, RowId row) const = 0;

  // Reads and checks every byte: block checksums, pads, key order, lookup index, filter, sequences, times, documents,
  // slot maps. Adds a line per damage found to `damage` and goes on. (Index sections: FieldIndexFactory::Verify.)
  struct Damage {
    uint64_t offset;
    std::string section;
    std::string what;
  };
  virtual void VerifyAll(std::vector<Damage>* damage) const = 0;
};

}  // namespace varve

#endif  // VARVE_SEGMENT_SEGMENT_H_
