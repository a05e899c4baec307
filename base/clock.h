// Clocks for tests and for the engine.
#ifndef VARVE_BASE_CLOCK_H_
#define VARVE_BASE_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "varve/clock.h"

namespace varve {

// Stands still until it is told to move. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t wall_micros) : wall_micros_(wall_micros) {}
  int64_t WallMicros() override { return wall_micros_.load(); }
  int64_t MonotonicMicros() override { return monotonic_micros_.load(); }
  void Advance(int64_t micros) {
    wall_micros_ += micros;
    monotonic_micros_ += micros;
  }
  void SetWall(int64_t micros) { wall_micros_ = micros; }

 private:
  std::atomic<int64_t> wall_micros_;
  std::atomic<int64_t> monotonic_micros_{0};
};

}  // namespace varve

#endif  // VARVE_BASE_CLOCK_H_
