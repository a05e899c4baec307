#include "wal/log_writer.h"

#include <algorithm>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/publish.h"
#include "base/seeded_bug.h"
#include "base/status.h"
#include "wal/log_payload.h"

namespace varve {
namespace {

// A buffer that one large group has made larger than this is given back.
constexpr size_t kMaxIdleBufferBytes = 4u << 20;

class FileLogWriter final : public LogWriter {
 public:
  FileLogWriter(std::unique_ptr<WritableFile> file, std::string path, const LogHeader& header, Crc32c header_crc,
                const LogWriterOptions& options)
      : path_(std::move(path)),
        number_(header.number),
        pad_to_(header.pad_to),
        seed_(LogRecordSeed(header.secret, header.number)),
        options_(options),
        file_(std::move(file)),
        end_{header.number, FirstRecordOffset(header.pad_to), header_crc, header.first_sequence - 1},
        synced_size_(end_.length) {}

  absl::Status Append(absl::Span<const LogEntry> group) override;
  absl::Status Sync() override { return SyncTo(size()); }
  absl::Status SyncTo(uint64_t position) override;
  absl::StatusOr<LogEnd> Finish() override;

  uint64_t number() const override { return number_; }
  uint64_t size() const override {
    absl::MutexLock lock(&mutex_);
    return end_.length;
  }
  uint64_t synced_size() const override {
    absl::MutexLock lock(&mutex_);
    return synced_size_;
  }
  Sequence last_sequence() const override {
    absl::MutexLock lock(&mutex_);
    return end_.last_sequence;
  }
  absl::Status poisoned() const override {
    absl::MutexLock lock(&mutex_);
    return poison_;
  }

 private:
  // Appends the bytes of `group` to buffer_ and moves `end` behind them.
  void EncodeGroup(absl::Span<const LogEntry> group, uint64_t synced_up_to, LogEnd* end);
  void PreallocateAhead(uint64_t end);

  // Runs `work`, which makes the file durable, outside of the lock, as the one sync in flight.
  template <typename Work>
  absl::Status TakeTurn(Work work) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string path_;
  const uint64_t number_;
  const uint32_t pad_to_;
  const Crc32c seed_;
  const LogWriterOptions options_;
  const std::unique_ptr<WritableFile> file_;  // written by the appender, synced by whoever has the turn

  // Of the appender alone.
  std::string buffer_;
  uint64_t preallocated_ = 0;

  mutable absl::Mutex mutex_;
  absl::CondVar turn_ended_;
  LogEnd end_ ABSL_GUARDED_BY(mutex_);            // of what is written
  uint64_t synced_size_ ABSL_GUARDED_BY(mutex_);  // what was written when the newest completed sync began
  bool sync_in_flight_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status poison_ ABSL_GUARDED_BY(mutex_);
};

// Programmer errors in a group. A batch lies in one group, since it lies in one write.
bool IsWellFormed(absl::Span<const LogEntry> group) {
  bool open = false;
  for (const LogEntry& entry : group) {
    if (entry.first_of_batch == open) return false;
    open = !entry.last_of_batch;
  }
  return !group.empty() && !open;
}

absl::Status FileLogWriter::Append(absl::Span<const LogEntry> group) {
  VARVE_CHECK(IsWellFormed(group));
  for (const LogEntry& entry : group) {
    if (entry.payload.size() > kMaxLogPayloadBytes) {
      return InvalidArgument(path_ + ": log payload of " + std::to_string(entry.payload.size()) +
                             " bytes: expected at most 64 MiB");
    }
  }
  LogEnd end;
  uint64_t synced_up_to = 0;
  {
    absl::MutexLock lock(&mutex_);
    RETURN_IF_ERROR(poison_);
    VARVE_CHECK(!finished_);
    end = end_;
    synced_up_to = synced_size_;
  }

  if (group.size() >= kMaxSequence - end.last_sequence) {
    return ResourceExhausted(path_ + ": no sequences left behind " + std::to_string(end.last_sequence));
  }

  const uint64_t start = end.length;
  buffer_.clear();
  EncodeGroup(group, synced_up_to, &end);
  PreallocateAhead(end.length);
  const WriteResult result = file_->WriteAt(start, buffer_);
  if (buffer_.capacity() > kMaxIdleBufferBytes) std::string().swap(buffer_);

  absl::MutexLock lock(&mutex_);
  if (result.status.ok() || VARVE_SEEDED_BUG(kIgnoredWriteError)) {
    end_ = end;
    // A sync may have failed meanwhile; nothing may be acknowledged after that.
    return poison_;
  }
  const bool refused =
      absl::IsResourceExhausted(result.status) && result.bytes_written == 0 && !VARVE_SEEDED_BUG(kRefusedPoisons);
  if (!refused && poison_.ok()) poison_ = result.status;
  return poison_.ok() ? result.status : poison_;
}

void FileLogWriter::EncodeGroup(absl::Span<const LogEntry> group, uint64_t synced_up_to, LogEnd* end) {
  const uint64_t base = end->length;
  for (const LogEntry& entry : group) {
    const size_t start = buffer_.size();
    buffer_.resize(start + kLogRecordHeaderBytes);
    LogRecordHeader header;
    header.type = static_cast<uint8_t>(entry.type);
    if (entry.first_of_batch || VARVE_SEEDED_BUG(kNoBatchMarks)) header.flags |= kFirstOfBatch;
    if (entry.last_of_batch || VARVE_SEEDED_BUG(kNoBatchMarks)) header.flags |= kLastOfBatch;
    if (&entry == &group.back()) header.flags |= kLastOfSyncGroup;
    if (AppendCompressedPayload(entry.payload, &buffer_)) {
      header.flags |= kLz4Payload;
    } else {
      buffer_.append(entry.payload);
    }
    const std::string_view stored = std::string_view(buffer_).substr(start + kLogRecordHeaderBytes);
    header.payload_crc = ComputeCrc32c(stored);
    header.payload_bytes = static_cast<uint32_t>(stored.size());
    header.sequence = end->last_sequence + 1;
    header.synced_up_to = synced_up_to;

    end->final_crc = EncodeLogRecordHeader(header, seed_, base + start, buffer_.data() + start);
    end->last_sequence = header.sequence;
    end->length = LogRecordEnd(base + start, header.payload_bytes, header.flags, pad_to_);
    buffer_.resize(end->length - base);
  }
}

// One attempt for each stretch of space: a file system that has none left, or cannot reserve any, still takes the write
// if there is room for it.
void FileLogWriter::PreallocateAhead(uint64_t end) {
  if (options_.preallocate_bytes == 0 || end <= preallocated_) return;
  preallocated_ = AlignUp(end, options_.preallocate_bytes);
  file_->Preallocate(preallocated_).IgnoreError();
}

template <typename Work>
absl::Status FileLogWriter::TakeTurn(Work work) {
  const uint64_t target = end_.length;
  LogSync sync;
  sync.bytes = target - synced_size_;
  sync_in_flight_ = true;
  mutex_.Unlock();
  const int64_t start = options_.on_sync ? options_.clock->MonotonicMicros() : 0;
  const absl::Status status = work();
  if (options_.on_sync) {
    sync.microseconds = options_.clock->MonotonicMicros() - start;
    if (!status.ok()) sync.bytes = 0;
    sync.status = status;
    options_.on_sync(sync);
  }
  mutex_.Lock();
  // The poison is set before the turn ends: whoever is next finds it and does not ask the kernel again.
  if (status.ok()) {
    synced_size_ = target;
  } else if (poison_.ok() && !VARVE_SEEDED_BUG(kRetriedSync)) {
    poison_ = status;
  }
  sync_in_flight_ = false;
  turn_ended_.SignalAll();
  return poison_;
}

absl::Status FileLogWriter::SyncTo(uint64_t position) {
  absl::MutexLock lock(&mutex_);
  VARVE_CHECK(position <= end_.length);
  while (poison_.ok() && synced_size_ < position) {
    if (sync_in_flight_) {
      // It may have begun before our bytes were written; if so the next one, led by one of those who wait, covers them.
      turn_ended_.Wait(&mutex_);
    } else {
      TakeTurn([this] { return file_->Sync(); }).IgnoreError();
    }
  }
  return poison_;
}

absl::StatusOr<LogEnd> FileLogWriter::Finish() {
  absl::MutexLock lock(&mutex_);
  while (sync_in_flight_) turn_ended_.Wait(&mutex_);
  RETURN_IF_ERROR(poison_);
  if (finished_) return end_;
  finished_ = true;
  const uint64_t length = end_.length;
  const auto cut_and_sync = [this, length]() -> absl::Status {
    RETURN_IF_ERROR(file_->Truncate(length));
    if (!VARVE_SEEDED_BUG(kRotatedUnsynced)) RETURN_IF_ERROR(file_->Sync());
    const absl::Status closed = file_->Close();
    return VARVE_SEEDED_BUG(kCloseUnchecked) ? absl::OkStatus() : closed;
  };
  RETURN_IF_ERROR(TakeTurn(cut_and_sync));
  return end_;
}

}  // namespace

absl::StatusOr<std::unique_ptr<LogWriter>> LogWriter::Create(FileSystem* fs, const std::string& path,
                                                             const LogHeader& header, const LogWriterOptions& options) {
  // Its numbers come from files, at last.
  if (!IsValidLogHeader(header)) return Internal(path + ": a log cannot have the header asked for");
  std::string contents = EncodeLogHeader(header);
  const Crc32c header_crc = StoredLogHeaderCrc(contents);
  contents.resize(kLogInitialBytes);
  RETURN_IF_ERROR(PublishFile(fs, path, contents));
  // From here on the file is written and synced through one descriptor: the kernel reports a write-back error once to
  // each, and one that did not write may never hear of it.
  ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, fs->OpenForAppend(path));
  if (file->Size() != kLogInitialBytes) return DataLossAt(path, file->Size(), "log just published has another length");
  return std::unique_ptr<LogWriter>(
      std::make_unique<FileLogWriter>(std::move(file), path, header, header_crc, options));
}

}  // namespace varve
