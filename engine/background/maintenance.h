// The work that goes on beside reads and writes: flushes of frozen memtables, merges as the policy finds them due, and
// the timer that syncs logs. Owns its threads, unless the options name executors; one of one thread for both
// lets flushes wait for merges.
//
// Thread-safe.
#ifndef VARVE_ENGINE_BACKGROUND_MAINTENANCE_H_
#define VARVE_ENGINE_BACKGROUND_MAINTENANCE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/cancellation.h"
#include "base/thread_pool.h"
#include "engine/background/expiry_counter.h"
#include "engine/background/merge_backoff.h"
#include "engine/background/merge_policy.h"
#include "engine/version/collection_state.h"
#include "engine/version/publisher.h"
#include "engine/write/write_path.h"
#include "varve/stats.h"

namespace varve {

class Maintenance {
 public:
  Maintenance(CollectionState* state, Publisher* publisher);
  ~Maintenance();

  // Starts the timer. Called once, before anything else.
  void Start(WritePath* write_path);
  // Ends background work; what is running is finished or cancelled. Frozen memtables stay.
  void Stop();

  // A memtable was frozen: flush it in the background.
  void RequestFlush();
  // The failure of the last flush; OK if it succeeded.
  absl::Status flush_status() const;
  // A write was made: the timer has something to do.
  void WriteHappened();

  // Freezes the memtable and flushes all that are frozen, on this thread.
  absl::StatusOr<MaintenanceResult> Flush();
  // Freezes the memtable and flushes it in the background.
  void RequestFreezeAndFlush();
  // The same on this thread.
  absl::Status FreezeAndFlush();
  // Looks whether a merge is due, in the background.
  void RequestMerge();
  // Whether merges are under way or about to be.
  bool merges_run() const;
  // The segments that there were when background merges last found nothing to do: more are no reason to hold writers
  // up. 0: they have not looked yet, or had to leave something undone.
  size_t settled_segments() const { return settled_segments_.load(std::memory_order_relaxed); }
  // Flushes, then merges until the policy is satisfied (`full`: into one segment), on this thread. A merge that runs in
  // the background is waited for; for a full one it is cancelled. ResourceExhausted also if others hold the memory.
  absl::StatusOr<MaintenanceResult> Merge(bool full);
  // Flushes, and publishes even if nothing changed.
  absl::StatusOr<MaintenanceResult> Checkpoint();

  uint64_t flushes() const { return flushes_.load(std::memory_order_relaxed); }
  uint64_t merges() const { return merges_.load(std::memory_order_relaxed); }
  // The last failure of a background merge, while anything is left undone for it; else OK.
  absl::Status merge_status() const;

 private:
  // Gives the sequence at which the newest frozen memtable ends; 0 if none is frozen.
  absl::StatusOr<Sequence> Freeze();
  // Flushes the frozen memtables up to the one that ends at `goal`, one after the other. Those that are frozen
  // meanwhile are left to others: writers may be faster than flushes.
  absl::Status FlushFrozen(Sequence goal, MaintenanceResult* result) ABSL_LOCKS_EXCLUDED(mutex_);
  void NoteGeneration(MaintenanceResult* result) const;
  // Null if there is none that ends at `goal` or before it.
  std::shared_ptr<Memtable> OldestFrozen(Sequence goal) const;
  // Runs `task` in the background; Stop waits for it.
  void Schedule(Executor* executor, std::function<void()> task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ScheduleFlush() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ScheduleMerge() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  enum class MergeKind : uint8_t { kDue, kRequested, kFull };
  // What a merge that someone waits for is about: it ends, though others go on writing, deleting and flushing.
  struct MergeScope {
    std::set<FileId> segments;  // that were there when it began
    std::set<FileId> made;      // by it; what died in them since is not its business
    int64_t now_ms = 0;         // for what has expired
  };
  MergeScope ScopeOfNow() const;
  // `scope` is null for what goes on in the background: all segments, now, but for those that failed lately. Of builds'
  // memory the merge gets `memory_bytes`.
  std::optional<MergePlan> PlanMerge(MergeKind kind, const MergeScope* scope, size_t memory_bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(merge_mutex_);
  // Merges until nothing is due. In the background it goes on behind a failure with what is left, and gives the first.
  // Unavailable: others hold the memory.
  absl::Status MergeAll(MergeKind kind, MergeScope* scope, MaintenanceResult* result)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(merge_mutex_);
  // Unavailable: there was no memory for it within a while.
  absl::Status MergeOnce(const MergePlan& plan, absl::Duration patience, MaintenanceResult* result)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(merge_mutex_);
  void NoteFailure(const MergePlan& plan, const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(merge_mutex_);
  absl::StatusOr<MaintenanceResult> MergeNow(bool full);
  void MergeInBackground();
  void RunTimer();

  CollectionState* const state_;
  Publisher* const publisher_;
  WritePath* write_path_ = nullptr;
  std::unique_ptr<ThreadPool> own_pool_;
  std::unique_ptr<ThreadPool> own_merge_pool_;
  Executor* executor_;
  Executor* merge_executor_;
  std::thread timer_;
  Cancellation cancellation_;

  absl::Mutex merge_mutex_;  // one merge at a time
  ExpiryCounter expiry_ ABSL_GUARDED_BY(merge_mutex_);
  MergeBackoff backoff_ ABSL_GUARDED_BY(merge_mutex_);
  mutable absl::Mutex mutex_;
  absl::CondVar changed_;
  absl::Status flush_status_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool flushing_ ABSL_GUARDED_BY(mutex_) = false;  // one flush at a time, in order
  bool write_happened_ ABSL_GUARDED_BY(mutex_) = false;
  int scheduled_ ABSL_GUARDED_BY(mutex_) = 0;  // tasks that have not ended
  int flushes_scheduled_ ABSL_GUARDED_BY(mutex_) = 0;
  bool merge_scheduled_ ABSL_GUARDED_BY(mutex_) = false;
  // Of the merge that was scheduled last: whoever sets it decides whether it runs (the task) or not (Stop).
  std::shared_ptr<std::atomic<bool>> merge_claimed_ ABSL_GUARDED_BY(mutex_);
  bool merge_again_ ABSL_GUARDED_BY(mutex_) = false;
  bool removal_scheduled_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t next_removal_us_ ABSL_GUARDED_BY(mutex_) = 0;  // 0: no reader holds anything
  bool full_flush_scheduled_ ABSL_GUARDED_BY(mutex_) = false;
  int full_merges_waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  Cancellation* running_merge_ ABSL_GUARDED_BY(mutex_) = nullptr;
  absl::Status merge_status_ ABSL_GUARDED_BY(mutex_);
  bool merges_fail_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t next_merge_check_us_ ABSL_GUARDED_BY(mutex_) = 0;  // monotonic; 0: none is needed
  int64_t retry_ms_ ABSL_GUARDED_BY(mutex_) = 0;     // wait before the next try after a failed flush; 0: none failed
  int64_t retry_at_us_ ABSL_GUARDED_BY(mutex_) = 0;  // monotonic; meaningful while retry_ms_ > 0
  std::atomic<uint64_t> flushes_{0};
  std::atomic<uint64_t> merges_{0};
  std::atomic<size_t> settled_segments_{0};
};

}  // namespace varve

#endif  // VARVE_ENGINE_BACKGROUND_MAINTENANCE_H_
