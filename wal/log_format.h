// The layout of log files. Format: docs/file_format.md, "Log".
//
//   [file header, 128 bytes][zeros to pad_to][record][record] ... [zeros]
//
// File header                                    Record
//   0  4  magic "VWAL"                             0  4  header_crc
//   4  4  format_version                           4  4  payload_crc
//   8  8  number                                   8  4  payload bytes, as stored
//  16  8  first_sequence                          12  1  entry type
//  24 16  collection                              13  1  flags
//  40 16  secret                                  14  2  zero
//  56  4  pad_to                                  16  8  sequence
//  60  8  previous.number                         24  8  synced_up_to
//  68  8  previous.length                         32  n  payload, then zeros to the next multiple of 8, or of
//  76  4  previous.final_crc                             pad_to after the last record of a sync group
//  80  8  previous.last_sequence
//  88 36  zeros
// 124  4  CRC-32C of bytes 0..123
//
// The frame of the file header (magic, version, 128 bytes, the CRC at their end) is the same in every version.
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
// The file is published with the header and zeros up to here. Records start within: see FirstRecordOffset.
inline constexpr size_t kLogInitialBytes = 4096;
inline constexpr size_t kLogRecordHeaderBytes = 32;
inline constexpr size_t kLogRecordAlignment = 8;
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

// True if a log may have this header: number and first_sequence above 0, pad_to 8 or 4096, and a predecessor of a lower
// number and lower sequences, or none.
bool IsValidLogHeader(const LogHeader& header);

// Requires: IsValidLogHeader(header).
std::string EncodeLogHeader(const LogHeader& header);  // kLogHeaderBytes
// Errors: DataLoss naming `file`; Unimplemented for a newer version.
absl::StatusOr<LogHeader> DecodeLogHeader(std::string_view bytes, std::string_view file);
// The CRC in the last four of the kLogHeaderBytes bytes of a file header.
Crc32c StoredLogHeaderCrc(std::string_view bytes);

// Where the first record of a log goes: behind the header, on the next multiple of pad_to, so that where a write may
// damage the bytes beside it no record shares a page with the header.
uint64_t FirstRecordOffset(uint32_t pad_to);

// The fixed part of a record, but for its own checksum. As read: type, flags and reserved may have any value.
struct LogRecordHeader {
  Crc32c payload_crc{};
  uint32_t payload_bytes = 0;  // as stored
  uint8_t type = 0;
  uint8_t flags = 0;
  uint16_t reserved = 0;
  Sequence sequence = 0;
  uint64_t synced_up_to = 0;
};

// The CRC of log_secret and log number, with which every header_crc of a log begins: what a user stores in a payload
// can never pass for a record, nor can a record of another log or collection.
Crc32c LogRecordSeed(const Uuid& secret, uint64_t number);

// Writes kLogRecordHeaderBytes to `target` and returns the header_crc among them.
Crc32c EncodeLogRecordHeader(const LogRecordHeader& header, Crc32c seed, uint64_t offset, char* target);
// Reads kLogRecordHeaderBytes that stand at `offset` of a log. False, outputs untouched, if the header_crc is not
// right.
[[nodiscard]] bool DecodeLogRecordHeader(const char* bytes, Crc32c seed, uint64_t offset, LogRecordHeader* header,
                                         Crc32c* header_crc);

// Where a record at `offset` ends, with its zeros. Requires an offset below 2^63.
uint64_t LogRecordEnd(uint64_t offset, uint32_t payload_bytes, uint8_t flags, uint32_t pad_to);

}  // namespace varve

#endif  // VARVE_WAL_LOG_FORMAT_H_
