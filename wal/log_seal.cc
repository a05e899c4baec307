// SealRecoveredLog of log_recovery.h.
#include <algorithm>
#include <memory>

#include "base/bytes.h"
#include "base/seeded_bug.h"
#include "base/status.h"
#include "wal/log_format.h"
#include "wal/log_reader.h"
#include "wal/log_recovery.h"

namespace varve {
namespace {

// Writes [from, to) again as it reads, so that the kernel has to bring it to the disk whatever it believes is there.
absl::Status RewriteInPlace(FileSystem* fs, const std::string& path, WritableFile* file, uint64_t from, uint64_t to) {
  constexpr uint64_t kStep = 1u << 20;
  ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> source, fs->OpenForRead(path));
  std::string buffer(std::min(kStep, to - from), '\0');
  while (from < to) {
    const size_t length = std::min<uint64_t>(buffer.size(), to - from);
    ASSIGN_OR_RETURN(const size_t count, source->Read(from, length, buffer.data()));
    if (count < length) return DataLossAt(path, from + count, "the file became shorter during recovery");
    RETURN_IF_ERROR(file->WriteAt(from, std::string_view(buffer).substr(0, length)).status);
    from += length;
  }
  return absl::OkStatus();
}

// What is about to be synced must be what was replayed: between the two the kernel may have dropped a page that never
// reached the disk, and read it back old.
absl::Status CheckEnd(FileSystem* fs, const std::string& path, const LogEnd& expected) {
  ASSIGN_OR_RETURN(const std::unique_ptr<LogReader> reader, LogReader::Open(fs, path));
  LogEnd end = {reader->header().number, reader->offset(), reader->header_crc(), reader->header().first_sequence - 1};
  LogRecord record;
  for (;;) {
    ASSIGN_OR_RETURN(const LogReader::Outcome outcome, reader->Read(&record));
    if (outcome == LogReader::Outcome::kInvalid) {
      return DataLossAt(path, reader->offset(), std::string(reader->invalid_reason()));
    }
    if (outcome == LogReader::Outcome::kEnd) break;
    end.length = record.end;
    end.final_crc = record.header_crc;
    end.last_sequence = record.sequence;
  }
  if (end == expected) return absl::OkStatus();
  return DataLossAt(path, end.length,
                    "the log changed during recovery: replay found its end at " + std::to_string(expected.length));
}

}  // namespace

absl::Status SealRecoveredLog(FileSystem* fs, const std::string& path, const ReplayResult& result, uint32_t pad_to) {
  if (!result.newest.has_value()) return FailedPrecondition(path + ": replay found no log to seal");
  const LogEnd& end = *result.newest;
  ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, fs->OpenForAppend(path));
  if (file->Size() < end.length) return DataLossAt(path, file->Size(), "the file became shorter during recovery");
  RETURN_IF_ERROR(file->Truncate(end.length));
  const uint64_t vouched = std::min(result.newest_vouched_offset, end.length);
  // The log may be older than the option: on its pages, too, nothing is written twice.
  ASSIGN_OR_RETURN(const std::unique_ptr<LogReader> reader, LogReader::Open(fs, path));
  if (std::max(pad_to, reader->header().pad_to) == kLogRecordAlignment && vouched < end.length &&
      !VARVE_SEEDED_BUG(kNoRewrite)) {
    RETURN_IF_ERROR(RewriteInPlace(fs, path, file.get(), vouched, end.length));
  }
  RETURN_IF_ERROR(CheckEnd(fs, path, end));
  if (!VARVE_SEEDED_BUG(kUnsealedLog)) RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

}  // namespace varve
