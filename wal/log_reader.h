// Reads one log file record by record and says where it stops being a log. Makes no decision about torn or damaged:
// log_recovery.h does. Thread-compatible.
#ifndef VARVE_WAL_LOG_READER_H_
#define VARVE_WAL_LOG_READER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "varve/file_system.h"
#include "wal/log_format.h"

namespace varve {

struct LogRecord {
  uint64_t offset = 0;
  uint64_t end = 0;  // behind the record and its zeros
  LogEntryType type = LogEntryType::kInsert;
  uint8_t flags = 0;
  Sequence sequence = 0;
  uint64_t synced_up_to = 0;
  Crc32c header_crc{};
  std::string payload;  // plain (decompressed)
};

class LogReader {
 public:
  // Reads the header. Errors: NotFound; DataLoss; Unimplemented.
  static absl::StatusOr<std::unique_ptr<LogReader>> Open(FileSystem* fs, const std::string& path);
  virtual ~LogReader() = default;

  virtual const LogHeader& header() const = 0;
  virtual uint64_t file_size() const = 0;
  virtual Crc32c header_crc() const = 0;  // of the file header

  enum class Outcome : uint8_t {
    kRecord,   // `record` is filled
    kEnd,      // zeros to the end of the file, or the end itself
    kInvalid,  // at offset() stands something that is no valid record: torn or damaged
  };
  // Errors: DataLoss for EIO; Unimplemented for an unknown type or flag under a good CRC.
  virtual absl::StatusOr<Outcome> Read(LogRecord* record) = 0;
  // Where the next record is expected, or where reading ended.
  virtual uint64_t offset() const = 0;
  virtual std::string_view invalid_reason() const = 0;  // after kInvalid

  // The largest durability claim beyond `from`: looks at 8-byte steps from `from` to the end for valid record headers whose
  // sequence is above `last_sequence` and whose synced_up_to is not above their own offset; 0 if there is none. A record
  // that claims more than `from` is the witness that makes an invalid record at `from` damage.
  virtual absl::StatusOr<uint64_t> FindDurabilityClaim(uint64_t from, Sequence last_sequence) = 0;
};

}  // namespace varve

#endif  // VARVE_WAL_LOG_READER_H_
