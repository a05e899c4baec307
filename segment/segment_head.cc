#include "segment/segment_head.h"

#include <cstdint>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/status.h"

namespace varve {
namespace {

constexpr size_t kChecksumOffset = 60;
static_assert(kChecksumOffset + sizeof(uint32_t) == kSegmentHeadBytes);

}  // namespace

std::string EncodeSegmentHead(const SegmentHead& head) {
  ByteWriter writer;
  writer.Bytes(kSegmentMagic);
  writer.Fixed(kFormatVersion);
  writer.Fixed(head.segment_id);
  writer.Bytes(head.collection.view());
  writer.Zeros(kChecksumOffset - writer.size());
  writer.Fixed(ComputeCrc32c(writer.str()));
  return writer.Take();
}

absl::StatusOr<SegmentHead> DecodeSegmentHead(std::string_view file_bytes, std::string_view file) {
  if (file_bytes.size() < kSegmentHeadBytes) return DataLossAt(file, 0, "shorter than the head of a segment");
  ByteReader reader(file_bytes.substr(0, kSegmentHeadBytes));
  std::string_view magic, uuid, zeros;
  uint32_t version = 0;
  uint32_t checksum = 0;
  SegmentHead head;
  const bool complete = reader.Bytes(kSegmentMagic.size(), &magic) && reader.Fixed(&version) &&
                        reader.Fixed(&head.segment_id) && reader.Bytes(head.collection.bytes.size(), &uuid) &&
                        reader.Bytes(kChecksumOffset - reader.position(), &zeros) && reader.Fixed(&checksum);
  if (!complete || magic != kSegmentMagic) return DataLossAt(file, 0, "not a segment: no VCNT at the start");
  if (Crc32c{checksum} != ComputeCrc32c(file_bytes.substr(0, kChecksumOffset))) {
    return DataLossAt(file, kChecksumOffset, "the head's checksum does not match");
  }
  if (version != kFormatVersion) {
    return Unimplemented(std::string(file) + ": segment format version " + std::to_string(version) +
                         "; this build reads version " + std::to_string(kFormatVersion));
  }
  if (zeros.find_first_not_of('\0') != std::string_view::npos) {
    return DataLossAt(file, kChecksumOffset - zeros.size(), "the head's reserved bytes are not zero");
  }
  uuid.copy(head.collection.bytes.data(), uuid.size());
  return head;
}

}  // namespace varve
