// A fixed set of threads, and loops spread over them.
#ifndef VARVE_BASE_THREAD_POOL_H_
#define VARVE_BASE_THREAD_POOL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "varve/executor.h"

namespace varve {

enum class ThreadPriority : uint8_t { kNormal, kLow };  // kLow yields the processors to others (nice 5)

// Thread-safe. The destructor runs what was scheduled, then joins.
class ThreadPool final : public Executor {
 public:
  // `threads` below 1 count as 1. There may be fewer than asked for if the system has no more.
  explicit ThreadPool(int threads, ThreadPriority priority = ThreadPriority::kNormal);
  ~ThreadPool() override;
  void Schedule(std::function<void()> task) override;
  int Concurrency() const override { return static_cast<int>(threads_.size()); }

 private:
  void Work();

  absl::Mutex mutex_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

// Calls body(worker, first, last) for pieces of 0 .. count - 1 of at most `grain`, on the calling thread (worker 0) and
// on up to workers - 1 others, made for this call; returns when all are done. `body` must be thread-safe if workers >
// 1; no two calls with the same worker number run at once. A grain of 0 counts as 1, and so do workers below 1. With
// one worker everything runs in order on the calling thread.
void ParallelFor(int workers, size_t count, size_t grain,
                 const std::function<void(int worker, size_t first, size_t last)>& body);

}  // namespace varve

#endif  // VARVE_BASE_THREAD_POOL_H_
