// How fast background work may write, so that searches and the log keep their share of the disk.
#ifndef VARVE_RATE_LIMITER_H_
#define VARVE_RATE_LIMITER_H_

#include <cstdint>
#include <memory>

namespace varve {

class Clock;

// A leaky bucket: each call books its bytes behind those booked before. Thread-safe; shared by any number of
// collections, which it must outlive.
class RateLimiter {
 public:
  // 0: without a limit. A null clock is the system's.
  explicit RateLimiter(uint64_t bytes_per_second, Clock* clock = nullptr);
  ~RateLimiter();
  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;

  // Books `bytes` and returns how many microseconds the caller is to wait before it writes them; 0: at once. A tenth of
  // a second's worth may be written in one go after a pause.
  int64_t Book(uint64_t bytes);

  // Holds for what is booked from now on.
  void SetRate(uint64_t bytes_per_second);
  uint64_t rate() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace varve

#endif  // VARVE_RATE_LIMITER_H_
