// Which calls of a FaultFileSystem fail.
#ifndef VARVE_BASE_DISK_FAULTS_H_
#define VARVE_BASE_DISK_FAULTS_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "base/random.h"
#include "varve/fault_file_system.h"

namespace varve {

// Thread-safe.
class DiskFaults {
 public:
  // What becomes of a call.
  struct Verdict {
    absl::Status status;    // an error: it fails with this
    bool injected = false;  // by a fault, not since the process is stopped
    bool pretend = false;   // it says OK and does nothing
    uint64_t bytes = 0;     // of a write: how many are written all the same
  };

  explicit DiskFaults(uint64_t seed) : random_(seed) {}

  void Add(DiskFault fault);
  void Clear();
  void SetRoom(int64_t bytes, bool partial);
  void StopAfter(int64_t changes) { left_ = changes; }
  void Revive() { left_ = kUnlimited; }
  void OnCall(std::function<void(DiskCall call, const std::string& path)> hook) { on_call_ = std::move(hook); }
  bool stopped() const { return left_ < 0; }
  uint64_t failures() const { return failures_.load(); }
  uint64_t calls(DiskCall call) const { return calls_[static_cast<size_t>(call)].load(); }

  // Counts the call and decides. `bytes`: of a write.
  Verdict Decide(DiskCall call, const std::string& path, uint64_t bytes = 0);

 private:
  struct Rule {
    DiskFault fault;
    uint64_t seen = 0;
  };
  static constexpr int64_t kUnlimited = int64_t{1} << 60;

  Verdict TakeRoom(const std::string& path, uint64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::array<std::atomic<uint64_t>, kDiskCalls> calls_{};
  std::atomic<uint64_t> failures_{0};
  std::atomic<int64_t> left_{kUnlimited};
  std::function<void(DiskCall call, const std::string& path)> on_call_;
  absl::Mutex mutex_;
  std::vector<Rule> rules_ ABSL_GUARDED_BY(mutex_);
  Random random_ ABSL_GUARDED_BY(mutex_);
  int64_t room_ ABSL_GUARDED_BY(mutex_) = kUnlimited;
  bool partial_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace varve

#endif  // VARVE_BASE_DISK_FAULTS_H_
