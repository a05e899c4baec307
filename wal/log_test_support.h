// What the tests of the log share: a collection's names, files as strings, logs in a line, and a file system that fails
// on demand.
#ifndef VARVE_WAL_LOG_TEST_SUPPORT_H_
#define VARVE_WAL_LOG_TEST_SUPPORT_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/memory_file_system.h"
#include "base/publish.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "varve/file_system.h"
#include "wal/log_format.h"
#include "wal/log_writer.h"

namespace varve::testing {

inline Uuid UuidOf(char first) {
  Uuid uuid;
  for (size_t i = 0; i < uuid.bytes.size(); ++i) uuid.bytes[i] = static_cast<char>(first + static_cast<char>(i));
  return uuid;
}

inline LogHeader HeaderOf(uint64_t number, Sequence first_sequence = 1, const LogEnd& previous = {}) {
  LogHeader header;
  header.number = number;
  header.first_sequence = first_sequence;
  header.collection = UuidOf('A');
  header.secret = UuidOf('a');
  header.previous = previous;
  return header;
}

inline std::string LogPath(uint64_t number) { return "/" + std::to_string(number) + ".vwal"; }

// CRC-32C bit by bit, from its definition.
inline uint32_t ReferenceCrc32c(std::string_view data) {
  uint32_t crc = 0xFFFFFFFF;
  for (const char c : data) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78 : 0);
  }
  return ~crc;
}

// `bytes` bytes of `value`, the lowest first.
inline std::string Little(uint64_t value, size_t bytes) {
  std::string text;
  for (size_t i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> (8 * i)));
  return text;
}

inline std::string ReadAll(FileSystem* fs, const std::string& path) {
  return ReadWholeFile(fs, path, uint64_t{1} << 32).value();
}

inline void WriteAll(FileSystem* fs, const std::string& path, std::string_view contents) {
  ASSERT_OK((*fs->CreateFile(path))->Append(contents).status);
}

// The payloads of one batch.
using Batch = std::vector<std::string>;

// The entries of the batches, one group. They point into `batches`.
inline std::vector<LogEntry> EntriesOf(const std::vector<Batch>& batches) {
  std::vector<LogEntry> entries;
  for (const Batch& batch : batches) {
    for (size_t i = 0; i < batch.size(); ++i) {
      entries.push_back({LogEntryType::kInsert, batch[i], i == 0, i + 1 == batch.size()});
    }
  }
  return entries;
}

// A log open for writing in `fs`, without preallocation.
inline std::unique_ptr<LogWriter> NewLog(FileSystem* fs, const LogHeader& header) {
  return LogWriter::Create(fs, LogPath(header.number), header, {.preallocate_bytes = 0}).value();
}

// Appends each batch as a group of its own.
inline void AppendBatches(LogWriter* writer, const std::vector<Batch>& batches) {
  for (const Batch& batch : batches) ASSERT_OK(writer->Append(EntriesOf({batch})));
}

// A finished log.
inline LogEnd WriteLog(FileSystem* fs, const LogHeader& header, const std::vector<Batch>& batches) {
  const std::unique_ptr<LogWriter> writer = NewLog(fs, header);
  AppendBatches(writer.get(), batches);
  return writer->Finish().value();
}

// A record of a log of HeaderOf with any header, its checksums right; padded to 8 bytes. payload_bytes is set to the
// payload's size where it is 0.
std::string RawRecord(uint64_t log, uint64_t offset, LogRecordHeader header, std::string_view payload);

// The file with one bit changed.
inline std::string WithFlippedBit(std::string contents, size_t bit) {
  contents[bit / 8] = static_cast<char>(contents[bit / 8] ^ (1 << (bit % 8)));
  return contents;
}

// A memory file system whose calls can be made to fail, wait, or be counted. A hook that is set runs before the call; a
// status that is not OK is returned in its stead. Hooks are set before other threads use the file system.
class HookedFileSystem final : public FileSystem {
 public:
  struct Hooks {
    // Says how many of the bytes of a write reach the file, and with what it then fails; OK: all do.
    std::function<WriteResult(uint64_t offset, size_t size)> write;
    std::function<absl::Status()> sync, truncate, preallocate, close, sync_directory;
    std::function<absl::Status(uint64_t offset, size_t length)> read;
  };
  Hooks hooks;

  absl::StatusOr<std::unique_ptr<WritableFile>> CreateFile(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForAppend(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<MappedFile>> Map(const std::string& path, bool copy) override {
    return base_->Map(path, copy);
  }
  absl::StatusOr<FileInfo> Stat(const std::string& path) override { return base_->Stat(path); }
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override { return base_->List(path); }
  absl::Status CreateDirectory(const std::string& path) override { return base_->CreateDirectory(path); }
  absl::Status RemoveDirectory(const std::string& path) override { return base_->RemoveDirectory(path); }
  absl::Status RemoveFile(const std::string& path) override { return base_->RemoveFile(path); }
  absl::Status Rename(const std::string& from, const std::string& to) override { return base_->Rename(from, to); }
  absl::Status Link(const std::string& from, const std::string& to) override { return base_->Link(from, to); }
  absl::Status SyncDirectory(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path, std::string_view note) override {
    return base_->Lock(path, note);
  }
  absl::StatusOr<bool> IsLocked(const std::string& path) override { return base_->IsLocked(path); }

 private:
  const std::unique_ptr<FileSystem> base_ = NewMemoryFileSystem();
};

}  // namespace varve::testing

#endif  // VARVE_WAL_LOG_TEST_SUPPORT_H_
