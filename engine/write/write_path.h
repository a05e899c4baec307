// From a batch to an acknowledged write: validated batches join the queue; the leader resolves a group, logs it, makes
// it durable as the sync mode says, applies it to memtable and overlays, and makes it visible.
//
// Thread-safe.
#ifndef VARVE_ENGINE_WRITE_WRITE_PATH_H_
#define VARVE_ENGINE_WRITE_WRITE_PATH_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "engine/version/collection_state.h"
#include "engine/write/back_pressure.h"
#include "engine/write/ingest.h"
#include "engine/write/log_manager.h"
#include "engine/write/write_queue.h"
#include "engine/write/write_resolver.h"

namespace varve {

class WritePath {
 public:
  // `request_flush` is called, in the exclusion of the queue, when a memtable was frozen because it was full;
  // `flush_status` gives the failure of the last flush, if it failed. None may be empty.
  struct Hooks {
    std::function<void()> request_flush;
    std::function<absl::Status()> flush_status;
    // Whether merges are under way, so that the number of segments will fall.
    std::function<bool()> merges_run;
    // The number of segments below which it does not fall.
    std::function<size_t()> settled_segments;
    // Asks other collections that share the memory budget to flush; false if none has much to.
    std::function<bool()> ask_others_to_flush;
  };
  WritePath(CollectionState* state, LogManager* log, SyncMode mode, Hooks hooks);

  absl::Status Write(const WriteBatch& batch, const WriteOptions& options);
  // The same for a batch that is prepared; it is completed in place.
  absl::Status Write(PreparedBatch* batch, const WriteOptions& options);

  // Runs `step` between groups.
  void RunExclusive(const std::function<void()>& step) { queue_.RunExclusive(step); }

  // Steps (to be called within RunExclusive).
  // Freezes the memtable that takes the writes, if anything was written since it was made, and rotates the log.
  absl::Status FreezeMemtable();
  // Appends a control entry if a log is open; it is not synced.
  absl::Status AppendControl(const std::string& payload);
  // Lets a published segment enter: logs it, syncs, kills what it replaces, and makes it visible. `replaced` is for the
  // current view. On failure nothing has changed, unless the log has failed.
  absl::Status Ingest(pb::SegmentEntry entry, const ReplacedRows& replaced);

  absl::Status log_status() const { return log_->poison(); }

  absl::Status SetSyncMode(const SyncMode& mode);
  // What the timer does: syncs what is older than the interval; in kPerOp, after a pause, appends an entry that vouches
  // for what precedes it. Returns after how many milliseconds to come again; 0: when the next write was made.
  int64_t Tick();

  // Holds up a bulk load, which goes around the queue, as long as writers would wait for merges.
  void PaceLoad(const std::atomic<bool>& closed);

  // A flush has ended: writers that wait look again.
  void FlushEnded() { queue_.Poke(); }

 private:
  struct Durability {
    SyncMode mode;
    uint64_t unsynced_operations = 0;
    int64_t oldest_unsynced_us = 0;  // monotonic; meaningful while unsynced_operations > 0
    int64_t last_write_us = 0;
    bool idle_entry_due = false;
  };

  void CommitGroup(absl::Span<WriteQueue::Request* const> group);
  // Makes room for the group, then resolves, logs, syncs and applies it.
  absl::Status LogAndApply(absl::Span<WriteQueue::Request* const> group, WriteResolver* resolver);
  // Slows the group, or lets it wait, as the load says.
  void Pace();
  absl::Status MakeRoom(size_t bytes, size_t rows);
  // Whether segments have so many deaths in memory that a flush is to fold them into bitmaps: only then merges see
  // them, and readers pass over them quickly.
  bool DeathsAreMany() const;
  // Freezes the memtable if it is large, and waits for flushes until memory is within the budget, as far as these can
  // bring it there.
  absl::Status MakeMemory(size_t bytes);
  absl::Status FreezeAndFlush();
  WriteLoad Load() const;
  // Waits, in the exclusion of the queue, until `ready`.
  void Stall(StallReason reason, const std::function<bool()>& ready);
  size_t frozen() const;
  absl::Status SyncAsMode(uint64_t operations, bool demanded);
  void Apply(std::vector<Effect>* effects);
  void CountOperations(const PreparedBatch& batch);

  CollectionState* const state_;
  LogManager* const log_;
  const Hooks hooks_;
  WriteQueue queue_;
  bool deaths_came_ = false;  // since they were last found to be few; in the exclusion of the queue
  absl::Mutex durability_mutex_;
  Durability durability_ ABSL_GUARDED_BY(durability_mutex_);
};

// Applies one effect to the parts of a view: what the leader does with a logged effect, and recovery with a replayed
// one. `made` is the row made by the effect named in effect.old_effect, or null. Returns the new row, if the effect
// makes one.
Memtable::Row* ApplyEffect(const ReadView& view, const Effect& effect, Memtable::Row* made);
// Kills every live row of a namespace. `ranges` are those of FindNamespace for the same view.
void KillNamespace(const ReadView& view, std::string_view ns, const NamespaceRanges& ranges, Sequence killer);

}  // namespace varve

#endif  // VARVE_ENGINE_WRITE_WRITE_PATH_H_
