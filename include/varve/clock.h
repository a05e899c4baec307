// Time, injected so that a run can be repeated.
#ifndef VARVE_CLOCK_H_
#define VARVE_CLOCK_H_

#include <cstdint>

namespace varve {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // The system's wall clock. Never destroyed.
  static Clock* Default();
  // Microseconds since 1970-01-01 UTC; may jump.
  virtual int64_t WallMicros() = 0;
  // Microseconds since some fixed point; never goes back.
  virtual int64_t MonotonicMicros() = 0;
};

}  // namespace varve

#endif  // VARVE_CLOCK_H_
