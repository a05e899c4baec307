// The layout of log files. Format: docs/file_format.md, "Log".
#ifndef VARVE_WAL_LOG_FORMAT_H_
#define VARVE_WAL_LOG_FORMAT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/crc32c.h"
#include "base/uuid.h"
#include "varve/types.h"

namespace varve {

inline constexpr std::string_view kLogMagic = "VWAL";
inline constexpr size_t kLogHeaderBytes = 128;
// The file begins with the header and zeros up to here; records start behind the header, at kLogHeaderBytes.
inline constexpr size_t kLogInitialBytes = 4096;
inline constexpr size_t kLogRecordHeaderBytes = 32;
inline constexpr uint32_t kMaxLogPayloadBytes = 64u << 20;

enum class LogEntryType : uint8_t { kInsert = 1, kDelete = 2, kUpdate = 3, kControl = 4 };

enum LogRecordFlag : uint8_t {
  kFirstOfBatch = 1,
  kLastOfBatch = 2,
  kLz4Payload = 4,
  kLastOfSyncGroup = 8,
};

// The end of a log that was cut and synced; what its successor's header says of it.
struct LogEnd {
  uint64_t number = 0;  // 0: names no predecessor
  uint64_t length = 0;
  Crc32c final_crc{};  // header_crc of the last record; the file header's CRC if there is none
  Sequence last_sequence = 0;
  friend bool operator==(const LogEnd&, const LogEnd&) = default;
};

struct LogHeader {
  uint64_t number = 0;
  Sequence first_sequence = 1;
  Uuid collection;
  Uuid secret;
  uint32_t pad_to = 8;
  LogEnd previous;
};

std::string EncodeLogHeader(const LogHeader& header);  // kLogHeaderBytes
// Errors: DataLoss naming `file`; Unimplemented for a newer version.
absl::StatusOr<LogHeader> DecodeLogHeader(std::string_view bytes, std::string_view file);

}  // namespace varve

#endif  // VARVE_WAL_LOG_FORMAT_H_
