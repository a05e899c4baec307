#include "engine/background/build_resources.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status.h"

namespace varve {
namespace {

// How often a wait looks whether it is over or was cancelled.
constexpr int64_t kSliceMicros = 20'000;

bool IsCancelled(const Cancellation* cancellation) { return cancellation != nullptr && cancellation->cancelled(); }

}  // namespace

MemoryLease& MemoryLease::operator=(MemoryLease&& other) noexcept {
  std::swap(budget_, other.budget_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

MemoryLease::~MemoryLease() {
  if (budget_ != nullptr) budget_->Give(MemoryBudget::Use::kBuilds, bytes_);
}

std::optional<MemoryLease> MemoryLease::Try(MemoryBudget* budget, size_t bytes) {
  bytes = std::min(bytes, budget->share(MemoryBudget::Use::kBuilds));
  if (!budget->TryTake(MemoryBudget::Use::kBuilds, bytes)) return std::nullopt;
  return MemoryLease(budget, bytes);
}

absl::StatusOr<MemoryLease> MemoryLease::Wait(MemoryBudget* budget, size_t bytes, absl::Duration patience,
                                              const Cancellation* cancellation) {
  for (int64_t left_us = absl::ToInt64Microseconds(patience);; left_us -= kSliceMicros) {
    if (IsCancelled(cancellation)) return Cancelled("waiting for memory to build with");
    if (std::optional<MemoryLease> lease = Try(budget, bytes); lease.has_value()) return *std::move(lease);
    if (left_us <= 0) break;
    absl::SleepFor(absl::Microseconds(kSliceMicros));
  }
  return Unavailable(std::to_string(bytes) +
                     " bytes to build with are not free: other builds and open bulk loads hold " +
                     std::to_string(budget->used(MemoryBudget::Use::kBuilds)) + " of " +
                     std::to_string(budget->share(MemoryBudget::Use::kBuilds)));
}

MemoryLease MemoryLease::Take(MemoryBudget* budget, size_t bytes) {
  budget->Take(MemoryBudget::Use::kBuilds, bytes);
  return {budget, bytes};
}

absl::Status WaitToWrite(RateLimiter* limiter, uint64_t bytes, const Cancellation* cancellation) {
  if (limiter == nullptr) return absl::OkStatus();
  for (int64_t left_us = limiter->Book(bytes); left_us > 0; left_us -= kSliceMicros) {
    if (IsCancelled(cancellation)) return Cancelled("waiting to write");
    absl::SleepFor(absl::Microseconds(std::min(left_us, kSliceMicros)));
  }
  return absl::OkStatus();
}

}  // namespace varve
