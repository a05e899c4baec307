// One writer at a time, for many threads: the first that comes is the leader, takes along those that wait behind it as
// a group, and commits them together (group commit: DeWitt et al., "Implementation Techniques for Main Memory Database
// Systems", SIGMOD 1984). Steps - changes of views, memtables or logs - run between groups, in the same exclusion.
//
// Thread-safe.
#ifndef VARVE_ENGINE_WRITE_WRITE_QUEUE_H_
#define VARVE_ENGINE_WRITE_WRITE_QUEUE_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "engine/write/batch_validator.h"
#include "varve/options.h"

namespace varve {

class WriteQueue {
 public:
  struct Request {
    PreparedBatch* batch = nullptr;
    WriteOptions options;
    absl::Status status;  // set by the commit function

   private:
    friend class WriteQueue;
    bool done = false;
    absl::CondVar wake;
  };
  // Commits a group: sets each request's status. Called by one thread at a time, without locks held.
  using CommitGroup = std::function<void(absl::Span<Request* const> group)>;

  // A group has at most `max_group_bytes` (PreparedBatch::bytes), unless it is one larger batch.
  WriteQueue(size_t max_group_bytes, CommitGroup commit)
      : max_group_bytes_(max_group_bytes), commit_(std::move(commit)) {}

  // Returns when the batch's group was committed, with the batch's own status.
  absl::Status Commit(PreparedBatch* batch, const WriteOptions& options);

  // Runs `step` alone: no group is being committed meanwhile, and no other step runs. Must not be called from a step.
  void RunExclusive(const std::function<void()>& step);

  // For the commit function: waits until `ready`, running steps that come meanwhile (they may be what it waits for).
  // `ready` is asked again after each step and at each Poke.
  void WaitRunningSteps(const std::function<bool()>& ready);
  void Poke();

 private:
  struct Step {
    const std::function<void()>* run = nullptr;
    bool done = false;
  };

  std::vector<Request*> TakeGroup() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RunSteps() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WakeNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t max_group_bytes_;
  const CommitGroup commit_;
  absl::Mutex mutex_;
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<Request*> requests_ ABSL_GUARDED_BY(mutex_);
  std::deque<Step*> steps_ ABSL_GUARDED_BY(mutex_);
  absl::CondVar steps_changed_;  // a step was done, or the queue became free
  absl::CondVar stalled_;        // a step came, or Poke
};

}  // namespace varve

#endif  // VARVE_ENGINE_WRITE_WRITE_QUEUE_H_
