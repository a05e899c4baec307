// Metadata and payload of the rows of a segment, in compressed blocks: the writer and the reader of section DOCUMENTS
// (document_format.h).
#ifndef VARVE_SEGMENT_DOCUMENT_STORE_H_
#define VARVE_SEGMENT_DOCUMENT_STORE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "segment/document_format.h"
#include "segment/section.h"
#include "segment/section_check.h"
#include "varve/types.h"

namespace varve {

// Compresses blocks as rows come, and keeps them until the section's place in the file has come. Thread-compatible.
class DocumentStoreWriter {
 public:
  // The next row. Errors: InvalidArgument for metadata or a payload beyond the limits; nothing is added then.
  absl::Status Add(std::string_view metadata, std::string_view payload);

  // Whether any row had metadata or a payload; if none had, the section is left out.
  bool any() const { return any_; }
  // Bytes held in memory.
  uint64_t buffered_bytes() const { return kept_bytes_ + lengths_.capacity() + bytes_.capacity(); }

  // Ends the last block, and appends the whole section to `sink`, which has begun it. Call once. What was appended is
  // not kept.
  absl::Status AppendTo(SectionSink* sink);

 private:
  void EndBlock();

  bool any_ = false;
  uint64_t rows_ = 0;
  // The block being filled.
  std::string lengths_;
  std::string bytes_;
  uint32_t block_first_row_ = 0;
  // Finished blocks; index_[i].offset counts from the first of them.
  std::vector<std::string> blocks_;
  std::vector<DocumentIndexEntry> index_;
  uint64_t stored_bytes_ = 0;
  uint64_t kept_bytes_ = 0;  // of blocks_
};

// One decoded block. Thread-compatible.
class DocumentBlock {
 public:
  struct Document {
    std::string_view metadata;
    std::string_view payload;
  };

  RowId first_row() const { return first_row_; }
  uint32_t rows() const { return static_cast<uint32_t>(documents_.size()); }
  bool Contains(RowId row) const { return row >= first_row_ && row - first_row_ < documents_.size(); }
  // Views into the block. Requires: Contains(row).
  Document Get(RowId row) const;

 private:
  friend class DocumentStore;
  struct Place {
    uint32_t metadata;  // offset in plain_
    uint32_t payload;
    uint32_t end;
  };

  // Fills documents_; false if plain_ does not hold `rows` documents and nothing else.
  bool Parse(uint32_t rows);

  RowId first_row_ = 0;
  std::string plain_;
  std::vector<Place> documents_;
};

// Thread-safe. Errors: DataLoss; InvalidArgument for a row that the segment does not have.
class DocumentStore {
 public:
  // Reads the section's header and checks it against the section's length. O(1).
  static absl::StatusOr<DocumentStore> Open(const SectionView& section, uint32_t rows);

  // The block that holds `row`, decoded.
  absl::StatusOr<DocumentBlock> ReadBlock(RowId row) const;

  // Decodes every block, and checks that they hold every row and fill the section. Its file blocks must have been
  // checked.
  void CheckAll(const ReportDamage& report) const;

 private:
  DocumentStore(const SectionView& section, const DocumentHeader& header) : section_(section), header_(header) {}

  absl::StatusOr<DocumentIndexEntry> LoadEntry(uint64_t block) const;
  absl::StatusOr<DocumentBlock> DecodeBlock(uint64_t block) const;

  SectionView section_;
  DocumentHeader header_;
};

}  // namespace varve

#endif  // VARVE_SEGMENT_DOCUMENT_STORE_H_
