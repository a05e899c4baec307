// Runs background work only when it is let, so that the same calls always touch the disk in the same order.
#ifndef VARVE_TESTS_CRASH_STATES_GATED_EXECUTOR_H_
#define VARVE_TESTS_CRASH_STATES_GATED_EXECUTOR_H_

#include <deque>
#include <functional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "varve/executor.h"

namespace varve::testing {

// Thread-safe.
class GatedExecutor final : public Executor {
 public:
  GatedExecutor() : thread_([this] { Work(); }) {}
  ~GatedExecutor() override {
    {
      absl::MutexLock lock(&mutex_);
      stopping_ = true;
      open_ = true;
      changed_.SignalAll();
    }
    thread_.join();
  }

  void Schedule(std::function<void()> task) override {
    absl::MutexLock lock(&mutex_);
    tasks_.push_back(std::move(task));
    changed_.SignalAll();
  }
  int Concurrency() const override { return 1; }

  void Open(bool open) {
    absl::MutexLock lock(&mutex_);
    open_ = open;
    changed_.SignalAll();
  }
  // Lets everything run that is scheduled; returns when it has ended.
  void Settle() {
    absl::MutexLock lock(&mutex_);
    const bool was_open = std::exchange(open_, true);
    changed_.SignalAll();
    while (running_ || !tasks_.empty()) changed_.Wait(&mutex_);
    open_ = was_open;
  }

 private:
  void Work() {
    absl::MutexLock lock(&mutex_);
    for (;;) {
      while (!stopping_ && (!open_ || tasks_.empty())) changed_.Wait(&mutex_);
      if (tasks_.empty()) return;
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      running_ = true;
      mutex_.Unlock();
      task();
      mutex_.Lock();
      running_ = false;
      changed_.SignalAll();
    }
  }

  absl::Mutex mutex_;
  absl::CondVar changed_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  bool open_ ABSL_GUARDED_BY(mutex_) = true;
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace varve::testing

#endif  // VARVE_TESTS_CRASH_STATES_GATED_EXECUTOR_H_
