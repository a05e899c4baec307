// What a run found wrong: how often, and the first few in words. Thread-safe.
#ifndef VARVE_BENCH_WORKLOAD_FINDINGS_H_
#define VARVE_BENCH_WORKLOAD_FINDINGS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace varve::churn {

class Findings {
 public:
  void Add(std::string what) {
    count_.fetch_add(1);
    absl::MutexLock lock(&mutex_);
    if (first_.size() < kKept) first_.push_back(std::move(what));
  }
  uint64_t count() const { return count_.load(); }
  std::vector<std::string> first() const {
    absl::MutexLock lock(&mutex_);
    return first_;
  }

 private:
  static constexpr size_t kKept = 20;
  std::atomic<uint64_t> count_{0};
  mutable absl::Mutex mutex_;
  std::vector<std::string> first_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace varve::churn

#endif  // VARVE_BENCH_WORKLOAD_FINDINGS_H_
