// Reads one log file record by record and says where it stops being a log. Makes no decision about torn or damaged:
// log_recovery.h does. Thread-compatible.
//
// Reads with a buffer of bounded size, and allocates for a payload no more than the file has (255 times as much for an
// lz4 payload). A file that is cut while it is read ends where the cut was met.
#ifndef VARVE_WAL_LOG_READER_H_
#define VARVE_WAL_LOG_READER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

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

// What stands behind the place where the records of a log end.
struct LogLookAhead {
  // The largest synced_up_to of a valid record header found, if it is beyond that place; else 0.
  uint64_t claim = 0;
  Sequence largest_sequence = 0;  // of a valid record header found; 0 if there is none
  uint64_t data_end = 0;          // behind the last byte that is not zero; the place itself if there is none
};

class LogReader {
 public:
  // Reads the header. Errors: NotFound; DataLoss; Unimplemented.
  static absl::StatusOr<std::unique_ptr<LogReader>> Open(FileSystem* fs, const std::string& path);
  // For salvage: takes `header` in place of the file's own, which is damaged. The first record may have any sequence;
  // it is expected at kLogHeaderBytes.
  static absl::StatusOr<std::unique_ptr<LogReader>> OpenWithHeader(FileSystem* fs, const std::string& path,
                                                                   const LogHeader& header);
  virtual ~LogReader() = default;

  virtual const LogHeader& header() const = 0;
  virtual uint64_t file_size() const = 0;
  virtual Crc32c header_crc() const = 0;  // of the file header

  enum class Outcome : uint8_t {
    kRecord,   // `record` is filled
    kEnd,      // zeros to the end of the file, or the end itself
    kInvalid,  // at offset() stands something that is no valid record: torn or damaged
  };
  // After kEnd, kInvalid or an error, further calls return the same again.
  // Errors: DataLoss for EIO, and for a record whose checksums are right but whose payload does not decompress (no torn
  // write looks like that); Unimplemented for an unknown type or flag under a good CRC.
  virtual absl::StatusOr<Outcome> Read(LogRecord* record) = 0;
  // Where the next record is expected, or where reading ended.
  virtual uint64_t offset() const = 0;
  virtual std::string_view invalid_reason() const = 0;  // after kInvalid

  // Looks at 8-byte steps from `from` to the end for valid record headers whose sequence is above `last_sequence` and
  // whose synced_up_to is not above their own offset. A record that claims more than `from` is the witness that makes
  // an invalid record at `from` damage. Linear in the file; looks at headers only, not at payloads. Errors: DataLoss
  // for EIO.
  virtual absl::StatusOr<LogLookAhead> LookAhead(uint64_t from, Sequence last_sequence) = 0;
  // The claim alone.
  absl::StatusOr<uint64_t> FindDurabilityClaim(uint64_t from, Sequence last_sequence);

  // For salvage, after kInvalid or DataLoss: goes on to the next valid record header whose sequence is above
  // `last_sequence`, over bytes that cannot be read too. The next Read takes that record's sequence as it is. False,
  // and offset() is the end of the file, if there is none.
  virtual absl::StatusOr<bool> SkipToNextRecord(Sequence last_sequence) = 0;
};

}  // namespace varve

#endif  // VARVE_WAL_LOG_READER_H_
