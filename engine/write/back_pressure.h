// When writers are slowed and when they wait, and for how long they have been. The leader of a group asks before it
// commits: waiting holds up the writers behind it too.
#ifndef VARVE_ENGINE_WRITE_BACK_PRESSURE_H_
#define VARVE_ENGINE_WRITE_BACK_PRESSURE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "varve/stats.h"

namespace varve {

// What the writers' speed is judged by.
struct WriteLoad {
  size_t frozen_memtables = 0;
  size_t max_frozen_memtables = 2;
  double memtable_fill = 0;  // 0 to 1, of the memtable that takes the writes
  size_t segments = 0;
  size_t max_segments = 32;
  bool merges_run = false;  // else waiting for them would be for ever
};

struct WriteDelay {
  StallReason reason = StallReason::kNone;
  int64_t microseconds = 0;  // to sleep before the group is committed
  bool wait = false;         // until the load is less
};

// A group is slowed by up to a millisecond while the second half of the last memtable fills that is not waiting for its
// flush; and, from twice the segments that are wanted, by up to ten; from four times it waits. A pure function.
WriteDelay DelayFor(const WriteLoad& load);

// What writers have lost, by reason. Thread-safe.
class StallClock {
 public:
  void Begin(StallReason reason) { current_.store(reason, std::memory_order_relaxed); }
  void End(StallReason reason, int64_t microseconds) {
    current_.store(StallReason::kNone, std::memory_order_relaxed);
    micros_[static_cast<size_t>(reason)].fetch_add(static_cast<uint64_t>(microseconds), std::memory_order_relaxed);
  }
  StallReason current() const { return current_.load(std::memory_order_relaxed); }
  uint64_t micros(StallReason reason) const {
    return micros_[static_cast<size_t>(reason)].load(std::memory_order_relaxed);
  }
  uint64_t total_micros() const {
    uint64_t total = 0;
    for (const auto& micros : micros_) total += micros.load(std::memory_order_relaxed);
    return total;
  }

 private:
  std::atomic<StallReason> current_{StallReason::kNone};
  std::array<std::atomic<uint64_t>, kStallReasons> micros_{};
};

}  // namespace varve

#endif  // VARVE_ENGINE_WRITE_BACK_PRESSURE_H_
