#include "segment/segment_footer.h"

#include "base/bytes.h"
#include "base/status.h"
#include "segment/segment_head.h"

namespace varve {
namespace {

using Layout = SegmentFooterLayout;

std::string EncodeWithoutChecksum(const SegmentFooter& footer) {
  std::string bytes(SegmentFooter::kEncodedBytes, '\0');
  kSegmentMagic.copy(bytes.data() + Layout::kMagic, kSegmentMagic.size());
  StoreUnaligned(bytes.data() + Layout::kFormatVersion, kFormatVersion);
  StoreUnaligned(bytes.data() + Layout::kHeaderOffset, footer.header_offset);
  StoreUnaligned(bytes.data() + Layout::kVectorsOffset, footer.vectors_offset);
  StoreUnaligned(bytes.data() + Layout::kGraphOffset, footer.graph_offset);
  StoreUnaligned(bytes.data() + Layout::kIdsOffset, footer.ids_offset);
  StoreUnaligned(bytes.data() + Layout::kTermDictOffset, footer.term_dict_offset);
  StoreUnaligned(bytes.data() + Layout::kTermDictLen, footer.term_dict_len);
  StoreUnaligned(bytes.data() + Layout::kPostingsOffset, footer.postings_offset);
  StoreUnaligned(bytes.data() + Layout::kPostingsLen, footer.postings_len);
  StoreUnaligned(bytes.data() + Layout::kDocCount, footer.doc_count);
  StoreUnaligned(bytes.data() + Layout::kMaxDocId, footer.max_doc_id);
  return bytes;
}

// The checksum of the header's bytes and then the footer's own before the checksum.
Crc32c FooterChecksum(std::string_view header, std::string_view footer) {
  return ExtendCrc32c(ComputeCrc32c(header), footer.substr(0, Layout::kChecksum));
}

}  // namespace

std::string EncodeSegmentFooter(const SegmentFooter& footer, std::string_view header) {
  std::string bytes = EncodeWithoutChecksum(footer);
  StoreUnaligned(bytes.data() + Layout::kChecksum, FooterChecksum(header, bytes));
  return bytes;
}

absl::StatusOr<SegmentFooter> DecodeSegmentFooter(std::string_view file_bytes, std::string_view file) {
  if (file_bytes.size() < kSegmentHeadBytes + SegmentFooter::kEncodedBytes) {
    return DataLossAt(file, file_bytes.size(), "too short for a segment: ends within its head and footer");
  }
  const uint64_t start = file_bytes.size() - SegmentFooter::kEncodedBytes;
  const std::string_view bytes = file_bytes.substr(start);
  if (bytes.substr(Layout::kMagic, kSegmentMagic.size()) != kSegmentMagic) {
    return DataLossAt(file, start, "no segment footer at the end: not a segment, or its end is missing");
  }
  const auto load64 = [bytes](size_t offset) { return LoadUnaligned<uint64_t>(bytes.data() + offset); };
  const auto load32 = [bytes](size_t offset) { return LoadUnaligned<uint32_t>(bytes.data() + offset); };
  SegmentFooter footer;
  footer.header_offset = load64(Layout::kHeaderOffset);
  footer.vectors_offset = load64(Layout::kVectorsOffset);
  footer.graph_offset = load64(Layout::kGraphOffset);
  footer.ids_offset = load64(Layout::kIdsOffset);
  footer.term_dict_offset = load64(Layout::kTermDictOffset);
  footer.term_dict_len = load64(Layout::kTermDictLen);
  footer.postings_offset = load64(Layout::kPostingsOffset);
  footer.postings_len = load64(Layout::kPostingsLen);
  footer.doc_count = load32(Layout::kDocCount);
  footer.max_doc_id = load32(Layout::kMaxDocId);
  footer.checksum = Crc32c{load32(Layout::kChecksum)};

  if (footer.header_offset < kSegmentHeadBytes || footer.header_offset > start) {
    return DataLossAt(file, start + Layout::kHeaderOffset,
                      "the footer's header_offset " + std::to_string(footer.header_offset) + " is outside the file");
  }
  if (start - footer.header_offset > kMaxSegmentHeaderBytes) {
    return DataLossAt(file, start + Layout::kHeaderOffset, "the segment header is longer than 1 MiB");
  }
  const std::string_view header = file_bytes.substr(footer.header_offset, start - footer.header_offset);
  if (footer.checksum != FooterChecksum(header, bytes)) {
    return DataLossAt(file, start + Layout::kChecksum, "the checksum of segment header and footer does not match");
  }
  // Judged behind the checksum, so that a damaged version is not taken for a newer one.
  if (const uint32_t version = load32(Layout::kFormatVersion); version != kFormatVersion) {
    return Unimplemented(std::string(file) + ": segment format version " + std::to_string(version) +
                         "; this build reads version " + std::to_string(kFormatVersion));
  }
  if (footer.doc_count > kMaxRowsPerSegment ||
      footer.max_doc_id != (footer.doc_count == 0 ? 0 : footer.doc_count - 1)) {
    return DataLossAt(file, start + Layout::kDocCount, "doc_count and max_doc_id of the footer do not agree");
  }
  return footer;
}

}  // namespace varve
