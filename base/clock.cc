#include "base/clock.h"

#include <chrono>

namespace varve {
namespace {

template <typename ChronoClock>
int64_t MicrosOf() {
  return std::chrono::duration_cast<std::chrono::microseconds>(ChronoClock::now().time_since_epoch()).count();
}

class SystemClock final : public Clock {
 public:
  int64_t WallMicros() override { return MicrosOf<std::chrono::system_clock>(); }
  int64_t MonotonicMicros() override { return MicrosOf<std::chrono::steady_clock>(); }
};

}  // namespace

Clock* Clock::Default() {
  static Clock* const clock = new SystemClock;
  return clock;
}

}  // namespace varve
