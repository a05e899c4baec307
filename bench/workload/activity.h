// Whether a collection flushes or merges, and since when it does not.
#ifndef VARVE_BENCH_WORKLOAD_ACTIVITY_H_
#define VARVE_BENCH_WORKLOAD_ACTIVITY_H_

#include <atomic>
#include <cstdint>

#include "varve/clock.h"
#include "varve/event_listener.h"

namespace varve::churn {

// Thread-safe.
class Activity final : public EventListener {
 public:
  void OnFlushBegin(const FlushInfo&) override { Begin(); }
  void OnFlushEnd(const FlushInfo&) override { End(); }
  void OnMergeBegin(const MergeInfo&) override { Begin(); }
  void OnMergeEnd(const MergeInfo&) override { End(); }
  void OnCorruption(const CorruptionInfo&) override { ++failures_; }
  void OnBackgroundError(const BackgroundErrorInfo&) override { ++failures_; }

  // For how long nothing has run; 0 while something runs.
  double idle_seconds() const {
    if (running_.load() > 0) return 0;
    return static_cast<double>(Clock::Default()->MonotonicMicros() - last_us_.load()) / 1e6;
  }
  uint64_t failures() const { return failures_.load(); }

 private:
  void Begin() {
    ++running_;
    last_us_ = Clock::Default()->MonotonicMicros();
  }
  void End() {
    last_us_ = Clock::Default()->MonotonicMicros();
    --running_;
  }

  std::atomic<int> running_{0};
  std::atomic<int64_t> last_us_{Clock::Default()->MonotonicMicros()};
  std::atomic<uint64_t> failures_{0};
};

}  // namespace varve::churn

#endif  // VARVE_BENCH_WORKLOAD_ACTIVITY_H_
