#include "engine/background/build_resources.h"

#include <algorithm>
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

absl::StatusOr<MemoryLease> MemoryLease::Wait(MemoryBudget* budget, size_t bytes, const Cancellation* cancellation) {
  bytes = std::min(bytes, budget->share(MemoryBudget::Use::kBuilds));
  while (!budget->TryTake(MemoryBudget::Use::kBuilds, bytes)) {
    if (IsCancelled(cancellation)) return Cancelled("waiting for memory to build with");
    absl::SleepFor(absl::Microseconds(kSliceMicros));
  }
  return MemoryLease(budget, bytes);
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
