// What a build may use of memory and disk: leases from the budget, and the pace of the rate limiter.
#ifndef VARVE_ENGINE_BACKGROUND_BUILD_RESOURCES_H_
#define VARVE_ENGINE_BACKGROUND_BUILD_RESOURCES_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/cancellation.h"
#include "varve/memory_budget.h"
#include "varve/rate_limiter.h"

namespace varve {

// Memory for a build, given back when the object is destroyed. Thread-compatible.
class MemoryLease {
 public:
  MemoryLease() = default;
  MemoryLease(MemoryLease&& other) noexcept : budget_(other.budget_), bytes_(other.bytes_) { other.budget_ = nullptr; }
  MemoryLease& operator=(MemoryLease&& other) noexcept;
  ~MemoryLease();

  // Takes `bytes` if they are free in the share of builds; more than the whole share counts as the whole.
  static std::optional<MemoryLease> Try(MemoryBudget* budget, size_t bytes);
  // The same, but waits for them for a while. Who holds them may never give them back: a bulk load that is left open,
  // maybe by the thread that waits. Errors: Cancelled; Unavailable.
  static absl::StatusOr<MemoryLease> Wait(MemoryBudget* budget, size_t bytes, absl::Duration patience,
                                          const Cancellation* cancellation);
  // Takes them at once, even beyond the share: for work that must not wait for other builds.
  static MemoryLease Take(MemoryBudget* budget, size_t bytes);

 private:
  MemoryLease(MemoryBudget* budget, size_t bytes) : budget_(budget), bytes_(bytes) {}
  MemoryBudget* budget_ = nullptr;
  size_t bytes_ = 0;
};

// Waits as the limiter says before `bytes` are written. A null limiter never waits. Errors: Cancelled.
absl::Status WaitToWrite(RateLimiter* limiter, uint64_t bytes, const Cancellation* cancellation);

}  // namespace varve

#endif  // VARVE_ENGINE_BACKGROUND_BUILD_RESOURCES_H_
