#include "base/thread_pool.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/check.h"

namespace varve {
namespace {

// Starts up to `count` threads; fewer if the system has no more.
template <typename Start>
void StartThreads(int count, Start start) {
  try {
    for (int i = 0; i < count; ++i) start(i);
  } catch (const std::system_error&) {
    // The work is shared among those that were started.
  }
}

// Of the calling thread and those that it starts; without effect where the system does not allow it.
void LowerPriority() {
  // Lower than this and merges stand still while all processors search, until writers wait for them: with 10 a load
  // and its merges took three times as long (bench/ingest).
  constexpr int kNice = 5;
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kNice);
}

}  // namespace

ThreadPool::ThreadPool(int threads, ThreadPriority priority) {
  const int count = std::max(threads, 1);
  threads_.reserve(static_cast<size_t>(count));
  StartThreads(count, [&](int) {
    threads_.emplace_back([this, priority] {
      if (priority == ThreadPriority::kLow) LowerPriority();
      Work();
    });
  });
  VARVE_CHECK(!threads_.empty());
}

ThreadPool::~ThreadPool() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::Schedule(std::function<void()> task) {
  absl::MutexLock lock(&mutex_);
  tasks_.push_back(std::move(task));
}

void ThreadPool::Work() {
  const auto has_news = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return stopping_ || !tasks_.empty(); };
  while (true) {
    std::function<void()> task;
    {
      absl::MutexLock lock(&mutex_, absl::Condition(&has_news));
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

void ParallelFor(int workers, size_t count, size_t grain,
                 const std::function<void(int worker, size_t first, size_t last)>& body) {
  grain = std::max<size_t>(grain, 1);
  const size_t pieces = count / grain + (count % grain != 0 ? 1 : 0);
  std::atomic<size_t> next_piece{0};
  const auto work = [&](int worker) {
    for (size_t piece = next_piece++; piece < pieces; piece = next_piece++) {
      const size_t first = piece * grain;
      body(worker, first, first + std::min(grain, count - first));
    }
  };

  const auto others = static_cast<int>(std::min<size_t>(static_cast<size_t>(std::max(workers, 1)), pieces)) - 1;
  std::vector<std::thread> threads;
  if (others > 0) {
    threads.reserve(static_cast<size_t>(others));
    StartThreads(others, [&](int i) { threads.emplace_back(work, i + 1); });
  }
  work(0);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace varve
