// The section directory: which byte range of a segment file is what. It stands in the segment's header, under the
// footer's checksum, and is checked whole when the file is opened, so that every section handed out lies within the
// file, in its place, and overlaps no other.
//
// Invariants of an open directory:
// - Sections ascend by offset, each on its kind's alignment, with less than one alignment of padding before it.
// - The last section is block_checksums, with one checksum per 64 KiB before it; then padding to 64, then the header.
// - No (field, kind) occurs twice.
// Format: docs/file_format.md, "Section directory". Thread-compatible.
#ifndef VARVE_SEGMENT_SECTION_DIRECTORY_H_
#define VARVE_SEGMENT_SECTION_DIRECTORY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/crc32c.h"
#include "segment.pb.h"
#include "segment/section.h"
#include "segment/segment_footer.h"
#include "varve/schema.h"
#include "varve/types.h"

namespace varve {

inline constexpr int kMaxSections = 4096;
inline constexpr uint64_t kSectionAlignment = 64;
// Of what is read page by page: vectors, codes and graphs.
inline constexpr uint64_t kPageSectionAlignment = 4096;

constexpr uint64_t SectionAlignment(SectionKind kind) {
  return kind == SectionKind::kVectors || kind == SectionKind::kCodes || kind == SectionKind::kGraph
             ? kPageSectionAlignment
             : kSectionAlignment;
}

// Whether sections of a kind belong to the rows (field 0) rather than to a field.
constexpr bool IsRowSection(SectionKind kind) {
  return kind == SectionKind::kIds || kind == SectionKind::kDocuments || kind == SectionKind::kSequences ||
         kind == SectionKind::kTimes || kind == SectionKind::kExpiry || kind == SectionKind::kBlockChecksums;
}

// Whether a reader that does not know the kind must refuse the file. Columns only make filters faster.
constexpr bool IsRequiredSection(SectionKind kind) { return kind != SectionKind::kMetadataColumn; }

struct SectionEntry {
  SectionKind kind = SectionKind::kIds;  // meaningless unless `known`
  bool known = false;                    // else a kind of a later build: checksummed, never read
  int kind_number = 0;
  FieldId field = 0;
  uint64_t offset = 0;
  uint64_t length = 0;
  pb::SectionCodec codec = pb::RAW;
  bool required = false;
  Crc32c crc{};  // of block_checksums and quantiser sections
  ParamMap params;

  uint64_t end() const { return offset + length; }
  std::string name() const;  // "VECTORS"; "section kind 99"
};

class SectionDirectory {
 public:
  // Checks everything that the file comment lists. `header_offset` is where the header starts in `file`.
  // Errors: DataLoss; Unimplemented naming a required section of an unknown kind, or an unknown codec.
  static absl::StatusOr<SectionDirectory> Read(const pb::SegmentHeader& header, uint64_t header_offset,
                                               const std::string& file);

  // In the order of the file.
  absl::Span<const SectionEntry> entries() const { return entries_; }
  // Null if there is none.
  const SectionEntry* Find(FieldId field, SectionKind kind) const;
  const SectionEntry& block_checksums() const { return entries_.back(); }

 private:
  std::vector<SectionEntry> entries_;
};

// The offsets and lengths that the footer repeats, from the directory's entries: of the first section, in directory
// order, of each kind. Writer and reader both use it; the rest of the footer is left alone.
void SetSectionOffsets(absl::Span<const SectionEntry> entries, SegmentFooter* footer);

// An entry as it stands in the header.
pb::Section EncodeSectionEntry(const SectionEntry& entry);

}  // namespace varve

#endif  // VARVE_SEGMENT_SECTION_DIRECTORY_H_
