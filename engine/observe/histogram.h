// Counters that many threads move and few read: relaxed atomics, so that a reader sees each number as it was at some
// recent moment, but not all of them at one moment.
#ifndef VARVE_ENGINE_OBSERVE_HISTOGRAM_H_
#define VARVE_ENGINE_OBSERVE_HISTOGRAM_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace varve {

// Only grows. Thread-safe.
class Counter {
 public:
  void Add(uint64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// What a histogram held when it was read. A value type.
struct HistogramReading {
  absl::Span<const int64_t> bounds;  // microseconds, inclusive, ascending
  std::vector<uint64_t> counts;      // by bound, and one for what lies above all of them; not cumulative
  uint64_t sum_micros = 0;
};

// Durations in fixed buckets. `bounds` outlives the histogram and has at most kMaxBounds members. Thread-safe;
// observing costs two relaxed additions.
class DurationHistogram {
 public:
  static constexpr size_t kMaxBounds = 19;

  explicit DurationHistogram(absl::Span<const int64_t> bounds) : bounds_(bounds) {}

  void Observe(int64_t micros) {
    micros = std::max<int64_t>(micros, 0);
    const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), micros) - bounds_.begin();
    counts_[static_cast<size_t>(bucket)].Add();
    sum_micros_.Add(static_cast<uint64_t>(micros));
  }

  // Adds to a reading of the same bounds, or fills an empty one.
  void AddTo(HistogramReading* reading) const {
    reading->bounds = bounds_;
    reading->counts.resize(bounds_.size() + 1);
    for (size_t i = 0; i < reading->counts.size(); ++i) reading->counts[i] += counts_[i].value();
    reading->sum_micros += sum_micros_.value();
  }
  HistogramReading Read() const {
    HistogramReading reading;
    AddTo(&reading);
    return reading;
  }

 private:
  const absl::Span<const int64_t> bounds_;
  std::array<Counter, kMaxBounds + 1> counts_;
  Counter sum_micros_;
};

}  // namespace varve

#endif  // VARVE_ENGINE_OBSERVE_HISTOGRAM_H_
