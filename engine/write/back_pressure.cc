#include "engine/write/back_pressure.h"

#include <algorithm>

namespace varve {
namespace {

constexpr double kMemtableDelayMicros = 1'000;
constexpr double kSegmentsDelayMicros = 10'000;

}  // namespace

WriteDelay DelayFor(const WriteLoad& load) {
  WriteDelay delay;
  if (load.frozen_memtables >= load.max_frozen_memtables && load.memtable_fill > 0.5) {
    delay.reason = StallReason::kMemtables;
    delay.microseconds = static_cast<int64_t>(kMemtableDelayMicros * (std::min(load.memtable_fill, 1.0) - 0.5) * 2);
  }
  const size_t slow = load.max_segments;
  if (load.segments > slow) {
    const double excess = static_cast<double>(load.segments - slow) / static_cast<double>(slow);
    const auto micros = static_cast<int64_t>(kSegmentsDelayMicros * std::min(excess, 1.0));
    if (micros > delay.microseconds) delay = {StallReason::kSegments, micros, false};
    if (load.segments > 2 * slow && load.merges_run) delay = {StallReason::kSegments, 0, true};
  }
  return delay;
}

}  // namespace varve
