// The first 64 bytes of every segment file. They name a file that has lost its end, and make sure that no section
// starts at 0, so that 0 in the footer always means absent. Thread-safe.
//
// Format: docs/file_format.md, "Segment head". All integers little-endian.
//
//   offset size field
//        0    4 magic            "VCNT"
//        4    4 format_version   1
//        8    8 segment_id
//       16   16 collection       uuid
//       32   28 zeros
//       60    4 checksum         CRC-32C of bytes 0..59
#ifndef VARVE_SEGMENT_SEGMENT_HEAD_H_
#define VARVE_SEGMENT_SEGMENT_HEAD_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/uuid.h"
#include "varve/types.h"

namespace varve {

inline constexpr std::string_view kSegmentMagic = "VCNT";
inline constexpr size_t kSegmentHeadBytes = 64;

struct SegmentHead {
  FileId segment_id = 0;
  Uuid collection;
};

// kSegmentHeadBytes bytes.
std::string EncodeSegmentHead(const SegmentHead& head);

// Decodes the beginning of `file_bytes`.
// Errors: DataLoss naming `file`; Unimplemented for a newer version.
absl::StatusOr<SegmentHead> DecodeSegmentHead(std::string_view file_bytes, std::string_view file);

}  // namespace varve

#endif  // VARVE_SEGMENT_SEGMENT_HEAD_H_
