#include "engine/write/log_manager.h"

#include <algorithm>
#include <vector>

#include "base/publish.h"
#include "base/status.h"
#include "engine/observe/observer.h"
#include "engine/version/file_names.h"

namespace varve {

LogManager::LogManager(CollectionState* state, LogEnd previous, std::map<FileId, Sequence> older)
    : state_(state), previous_(previous), finished_(std::move(older)) {}

std::shared_ptr<LogWriter> LogManager::current() const {
  absl::MutexLock lock(&mutex_);
  return log_;
}

absl::Status LogManager::EnsureOpen(Sequence first_sequence) {
  if (current() != nullptr) return absl::OkStatus();
  LogHeader header;
  header.number = state_->file_ids.Reserve();
  header.first_sequence = first_sequence;
  header.collection = state_->uuid;
  header.secret = state_->secret;
  header.pad_to = state_->options.wal_pad_to;
  header.previous = end();
  const std::string path = JoinPath(state_->directory, LogName(header.number));
  LogWriterOptions options;
  options.clock = state_->clock.source();
  options.on_sync = [this, number = header.number](const LogSync& sync) { NoteSync(number, sync); };
  absl::StatusOr<std::unique_ptr<LogWriter>> log = LogWriter::Create(state_->fs, path, header, options);
  if (!log.ok()) {
    // Its name may be there already: left, it would stay until the next opening.
    (void)state_->fs->RemoveFile(path);
    state_->file_ids.Settle(header.number);
    return log.status();
  }
  CountBytes(**log, 0);
  absl::MutexLock lock(&mutex_);
  log_ = *std::move(log);
  wrote_ = true;
  return absl::OkStatus();
}

absl::Status LogManager::Append(absl::Span<const LogEntry> group) {
  const std::shared_ptr<LogWriter> log = current();
  const uint64_t size = log->size();
  const absl::Status status = log->Append(group);
  CountBytes(*log, size);
  if (!status.ok() && !log->poisoned().ok()) Poison(log->poisoned());
  return status;
}

absl::Status LogManager::Rotate() {
  RETURN_IF_ERROR(poison());  // what the log itself says is the cause alone, as if it had just come
  const std::shared_ptr<LogWriter> log = current();
  if (log == nullptr) return absl::OkStatus();
  const absl::StatusOr<LogEnd> finished = log->Finish();
  if (!finished.ok()) {
    Poison(finished.status());
    return finished.status();
  }
  absl::MutexLock lock(&mutex_);
  previous_ = *finished;
  finished_[finished->number] = finished->last_sequence;
  log_.reset();
  state_->file_ids.Settle(finished->number);
  return absl::OkStatus();
}

absl::Status LogManager::Sync() {
  RETURN_IF_ERROR(poison());
  const std::shared_ptr<LogWriter> log = current();
  if (log == nullptr) return absl::OkStatus();
  const absl::Status status = log->Sync();
  if (!status.ok()) Poison(status);
  ReportEvents();
  return status;
}

void LogManager::CountBytes(const LogWriter& log, uint64_t size_before) {
  state_->metrics->log_bytes.Add(log.size() - size_before);
}

void LogManager::NoteSync(FileId log, const LogSync& sync) {
  state_->metrics->log_syncs.Add();
  state_->metrics->log_sync.Observe(sync.microseconds);
  if (state_->events.empty()) return;
  absl::MutexLock lock(&mutex_);
  unreported_.push_back({state_->directory, log, sync.bytes, sync.microseconds, sync.status});
}

void LogManager::ReportEvents() {
  std::vector<SyncInfo> syncs;
  absl::Status poison;
  {
    absl::MutexLock lock(&mutex_);
    syncs.swap(unreported_);
    if (!poison_reported_) poison = poison_;
    poison_reported_ = !poison_.ok();
  }
  for (const SyncInfo& sync : syncs) state_->events.Notify(&EventListener::OnSync, sync);
  if (!poison.ok()) ObserveBackgroundError(*state_, "log", poison);
}

absl::StatusOr<DurablePosition> LogManager::SyncUpTo(Sequence sequence) {
  for (;;) {
    const std::shared_ptr<LogWriter> log = current();
    if (log == nullptr) {
      // Every log was finished, which synced it.
      RETURN_IF_ERROR(poison());
      const LogEnd finished = end();
      return DurablePosition{std::min(sequence, finished.last_sequence), finished.number, finished.length};
    }
    if (log->last_sequence() < sequence) continue;  // rotated away since: its successor is there or about to be
    // The size is read before the sync: these bytes will be durable, and they or a finished log hold `sequence`.
    const uint64_t size = log->size();
    if (absl::Status status = log->SyncTo(size); !status.ok()) {
      Poison(status);
      return status;
    }
    return DurablePosition{sequence, log->number(), size};
  }
}

bool LogManager::is_open() const { return current() != nullptr; }

uint64_t LogManager::size() const {
  const std::shared_ptr<LogWriter> log = current();
  return log == nullptr ? 0 : log->size();
}

uint64_t LogManager::number() const {
  const std::shared_ptr<LogWriter> log = current();
  return log == nullptr ? 0 : log->number();
}

LogEnd LogManager::end() const {
  absl::MutexLock lock(&mutex_);
  return previous_;
}

bool LogManager::wrote() const {
  absl::MutexLock lock(&mutex_);
  return wrote_;
}

absl::Status LogManager::poison() const {
  absl::MutexLock lock(&mutex_);
  return poison_;
}

void LogManager::Poison(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  if (!poison_.ok()) return;
  poison_ = FailedPrecondition("the collection takes no more writes since its log or manifest could not be written (" +
                               std::string(status.message()) +
                               "); what was being written is of unknown outcome, reopen to continue");
}

void LogManager::RemoveUpTo(Sequence sequence) {
  std::vector<FileId> garbage;
  {
    absl::MutexLock lock(&mutex_);
    for (auto entry = finished_.begin(); entry != finished_.end();) {
      if (entry->second > sequence) {
        ++entry;
        continue;
      }
      garbage.push_back(entry->first);
      entry = finished_.erase(entry);
    }
  }
  // A log that cannot be removed now is removed after the next recovery.
  for (FileId log : garbage) (void)state_->fs->RemoveFile(JoinPath(state_->directory, LogName(log)));
}

}  // namespace varve
