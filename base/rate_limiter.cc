#include "varve/rate_limiter.h"

#include <algorithm>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "varve/clock.h"

namespace varve {
namespace {

constexpr double kBurstMicros = 100'000;

}  // namespace

struct RateLimiter::State {
  absl::Mutex mutex;
  Clock* clock = nullptr;
  uint64_t rate ABSL_GUARDED_BY(mutex) = 0;
  double free_at_us ABSL_GUARDED_BY(mutex) = 0;  // when all that was booked will have been written
};

RateLimiter::RateLimiter(uint64_t bytes_per_second, Clock* clock) : state_(std::make_unique<State>()) {
  state_->clock = clock != nullptr ? clock : Clock::Default();
  SetRate(bytes_per_second);
}

RateLimiter::~RateLimiter() = default;

int64_t RateLimiter::Book(uint64_t bytes) {
  const auto now = static_cast<double>(state_->clock->MonotonicMicros());
  absl::MutexLock lock(&state_->mutex);
  if (state_->rate == 0) return 0;
  const double begin = std::max(state_->free_at_us, now - kBurstMicros);
  state_->free_at_us = begin + static_cast<double>(bytes) * 1e6 / static_cast<double>(state_->rate);
  return begin > now ? static_cast<int64_t>(begin - now) : 0;
}

void RateLimiter::SetRate(uint64_t bytes_per_second) {
  absl::MutexLock lock(&state_->mutex);
  state_->rate = bytes_per_second;
}

uint64_t RateLimiter::rate() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->rate;
}

}  // namespace varve
