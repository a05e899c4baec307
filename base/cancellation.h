// A wish to stop that long jobs look at now and then. Thread-safe.
#ifndef VARVE_BASE_CANCELLATION_H_
#define VARVE_BASE_CANCELLATION_H_

#include <atomic>

namespace varve {

class Cancellation {
 public:
  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> cancelled_{false};
};

}  // namespace varve

#endif  // VARVE_BASE_CANCELLATION_H_
