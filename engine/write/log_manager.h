// The log of a collection over its life: which file takes the records, when it is synced, and what became of the files
// before it. Keeps the first final failure (the poison) for the whole collection.
//
// Thread-safe. EnsureOpen, Append, Rotate and Close are called in the exclusion of the write queue; the rest by anyone.
#ifndef VARVE_ENGINE_WRITE_LOG_MANAGER_H_
#define VARVE_ENGINE_WRITE_LOG_MANAGER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "engine/version/collection_state.h"
#include "varve/event_listener.h"
#include "wal/log_writer.h"

namespace varve {

// How far the log is durable, for the manifest. `sequence` is that of a record in it, or of its end.
struct DurablePosition {
  Sequence sequence = 0;
  uint64_t log = 0;
  uint64_t offset = 0;
};

class LogManager {
 public:
  // `previous` is the end of the newest log that recovery found (number 0: none). `older` are the last sequences of the
  // log files that are in the directory.
  LogManager(CollectionState* state, LogEnd previous, std::map<FileId, Sequence> older);

  // Makes the log file if there is none; its first record will get `first_sequence`. A failure is soft: nothing
  // happened.
  absl::Status EnsureOpen(Sequence first_sequence);
  // As LogWriter::Append. Requires: open.
  absl::Status Append(absl::Span<const LogEntry> group);
  // Cuts and syncs the current log, if there is one; the next EnsureOpen begins a new one. A failure is final.
  absl::Status Rotate();

  // Makes everything appended so far durable. A failure is final.
  absl::Status Sync();
  // The same, and what became durable thereby: everything up to `sequence`, which must have been appended.
  absl::StatusOr<DurablePosition> SyncUpTo(Sequence sequence);

  bool is_open() const;
  uint64_t size() const;    // of the current log; 0 if none is open
  uint64_t number() const;  // of the current log; 0 if none is open
  LogEnd end() const;       // of the last finished log
  // Whether a log was made since the collection was opened.
  bool wrote() const;

  // The first final failure; OK while there was none.
  absl::Status poison() const;
  void Poison(const absl::Status& status);

  // Tells the listeners of syncs, and of the poison. Whoever makes the log sync or fail calls it when he holds no lock;
  // Sync does so by itself.
  void ReportEvents();

  // Removes the finished logs whose records all lie at or below `sequence`.
  void RemoveUpTo(Sequence sequence);

 private:
  std::shared_ptr<LogWriter> current() const;
  void CountBytes(const LogWriter& log, uint64_t size_before);
  void NoteSync(FileId log, const LogSync& sync);

  CollectionState* const state_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<LogWriter> log_ ABSL_GUARDED_BY(mutex_);
  LogEnd previous_ ABSL_GUARDED_BY(mutex_);
  std::map<FileId, Sequence> finished_ ABSL_GUARDED_BY(mutex_);  // number -> last sequence
  absl::Status poison_ ABSL_GUARDED_BY(mutex_);
  bool wrote_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<SyncInfo> unreported_ ABSL_GUARDED_BY(mutex_);  // only if there are listeners
  bool poison_reported_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace varve

#endif  // VARVE_ENGINE_WRITE_LOG_MANAGER_H_
