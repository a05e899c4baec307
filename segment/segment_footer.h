// The last 84 bytes of every segment file. From the footer alone a reader knows where the header and each major section
// start, and whether both can be trusted: `checksum` covers the header's bytes and then the footer's own bytes 0..79.
//
// The layout is frozen. A new kind of section goes into the header's section directory, never in here. Offsets count
// from the start of the file; 0 means absent. Format: docs/file_format.md, "Segment footer". All integers
// little-endian. Thread-safe.
#ifndef VARVE_SEGMENT_SEGMENT_FOOTER_H_
#define VARVE_SEGMENT_SEGMENT_FOOTER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/crc32c.h"
#include "varve/types.h"

namespace varve {

// At most this many bytes of protobuf between the last section and the footer.
inline constexpr uint64_t kMaxSegmentHeaderBytes = uint64_t{1} << 20;

struct SegmentFooter {
  static constexpr size_t kEncodedBytes = 84;

  uint64_t header_offset = 0;   // start of the SegmentHeader; it ends where the footer begins
  uint64_t vectors_offset = 0;  // first dense-vector section
  uint64_t graph_offset = 0;    // first graph or inverted lists
  uint64_t ids_offset = 0;      // the key table
  uint64_t term_dict_offset = 0;
  uint64_t term_dict_len = 0;  // bytes
  uint64_t postings_offset = 0;
  uint64_t postings_len = 0;  // bytes
  uint32_t doc_count = 0;     // rows, dead ones included
  uint32_t max_doc_id = 0;    // doc_count - 1, or 0 when empty
  Crc32c checksum{};          // set by decoding; computed by encoding

  friend bool operator==(const SegmentFooter&, const SegmentFooter&) = default;
};

// Where each field stands.
struct SegmentFooterLayout {
  static constexpr size_t kMagic = 0;
  static constexpr size_t kFormatVersion = 4;
  static constexpr size_t kHeaderOffset = 8;
  static constexpr size_t kVectorsOffset = 16;
  static constexpr size_t kGraphOffset = 24;
  static constexpr size_t kIdsOffset = 32;
  static constexpr size_t kTermDictOffset = 40;
  static constexpr size_t kTermDictLen = 48;
  static constexpr size_t kPostingsOffset = 56;
  static constexpr size_t kPostingsLen = 64;
  static constexpr size_t kDocCount = 72;
  static constexpr size_t kMaxDocId = 76;
  static constexpr size_t kChecksum = 80;
};
static_assert(SegmentFooterLayout::kFormatVersion == SegmentFooterLayout::kMagic + 4);
static_assert(SegmentFooterLayout::kHeaderOffset == SegmentFooterLayout::kFormatVersion + sizeof(uint32_t));
static_assert(SegmentFooterLayout::kVectorsOffset == SegmentFooterLayout::kHeaderOffset + sizeof(uint64_t));
static_assert(SegmentFooterLayout::kGraphOffset == SegmentFooterLayout::kVectorsOffset + sizeof(uint64_t));
static_assert(SegmentFooterLayout::kIdsOffset == SegmentFooterLayout::kGraphOffset + sizeof(uint64_t));
static_assert(SegmentFooterLayout::kTermDictOffset == SegmentFooterLayout::kIdsOffset + sizeof(uint64_t));
static_assert(SegmentFooterLayout::kTermDictLen == SegmentFooterLayout::kTermDictOffset + sizeof(uint64_t));
static_assert(SegmentFooterLayout::kPostingsOffset == SegmentFooterLayout::kTermDictLen + sizeof(uint64_t));
static_assert(SegmentFooterLayout::kPostingsLen == SegmentFooterLayout::kPostingsOffset + sizeof(uint64_t));
static_assert(SegmentFooterLayout::kDocCount == SegmentFooterLayout::kPostingsLen + sizeof(uint64_t));
static_assert(SegmentFooterLayout::kMaxDocId == SegmentFooterLayout::kDocCount + sizeof(uint32_t));
static_assert(SegmentFooterLayout::kChecksum == SegmentFooterLayout::kMaxDocId + sizeof(uint32_t));
static_assert(SegmentFooter::kEncodedBytes == SegmentFooterLayout::kChecksum + sizeof(uint32_t));
static_assert(SegmentFooter::kEncodedBytes == 84);

// kEncodedBytes bytes. `header` is the encoded SegmentHeader that lies before the footer, for the checksum.
std::string EncodeSegmentFooter(const SegmentFooter& footer, std::string_view header);

// Decodes the footer at the end of `file_bytes`, a whole segment file. Reads the footer and the header's bytes, nothing
// else; checks magic, header_offset and its caps, the checksum, the version, and doc_count against max_doc_id.
// Errors: DataLoss naming `file` and the offset; Unimplemented for another format version (whose checksum is right: a
// flipped bit in the version is damage).
absl::StatusOr<SegmentFooter> DecodeSegmentFooter(std::string_view file_bytes, std::string_view file);

}  // namespace varve

#endif  // VARVE_SEGMENT_SEGMENT_FOOTER_H_
