// Sees every call of a life, so that one can be made to fail or something can be done in the middle of it.
#ifndef VARVE_TESTS_CRASH_STATES_DISK_WATCH_H_
#define VARVE_TESTS_CRASH_STATES_DISK_WATCH_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "varve/fault_file_system.h"

namespace varve::testing {

// Thread-safe.
class DiskWatch {
 public:
  struct Call {
    DiskCall call = DiskCall::kStat;
    std::string path;
    std::string doing;  // the step of the life
  };

  void Saw(DiskCall call, const std::string& path) {
    std::function<void()> action;
    {
      absl::MutexLock lock(&mutex_);
      if (on_) calls_.push_back({call, path, doing_});
      if (action_ != nullptr && call == action_call_ && path.ends_with(action_path_end_)) action.swap(action_);
    }
    if (action) action();
  }

  // The calls from here on are kept.
  void Begin() {
    absl::MutexLock lock(&mutex_);
    on_ = true;
  }
  std::vector<Call> calls() const {
    absl::MutexLock lock(&mutex_);
    return calls_;
  }
  void Doing(const std::string& what) {
    absl::MutexLock lock(&mutex_);
    doing_ = what;
  }
  // Does something, once, just before the next such call.
  void Before(DiskCall call, const std::string& path_end, std::function<void()> action) {
    absl::MutexLock lock(&mutex_);
    action_call_ = call;
    action_path_end_ = path_end;
    action_ = std::move(action);
  }

 private:
  mutable absl::Mutex mutex_;
  bool on_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Call> calls_ ABSL_GUARDED_BY(mutex_);
  std::string doing_ ABSL_GUARDED_BY(mutex_);
  DiskCall action_call_ ABSL_GUARDED_BY(mutex_) = DiskCall::kStat;
  std::string action_path_end_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> action_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace varve::testing

#endif  // VARVE_TESTS_CRASH_STATES_DISK_WATCH_H_
