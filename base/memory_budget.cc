#include "varve/memory_budget.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/check.h"

namespace varve {

// Calls to holders are made under the lock: it is what Remove waits for.
struct MemoryBudget::Holders {
  absl::Mutex mutex;
  std::vector<Holder*> list ABSL_GUARDED_BY(mutex);
};

MemoryBudget::MemoryBudget(size_t limit_bytes)
    : limit_(limit_bytes == 0 ? std::numeric_limits<size_t>::max() : limit_bytes),
      holders_(std::make_unique<Holders>()) {}

MemoryBudget::~MemoryBudget() = default;

size_t MemoryBudget::share(Use use) const {
  if (limit_ == std::numeric_limits<size_t>::max()) return limit_;
  return use == Use::kMemtables ? limit_ / 8 * 3 + limit_ % 8 * 3 / 8 : limit_ / 2;
}

size_t MemoryBudget::used(Use use) const { return used_[static_cast<size_t>(use)].load(std::memory_order_relaxed); }

bool MemoryBudget::TryTake(Use use, size_t bytes) {
  std::atomic<size_t>& used = used_[static_cast<size_t>(use)];
  const size_t limit = share(use);
  size_t now = used.load(std::memory_order_relaxed);
  do {
    if (now > limit || bytes > limit - now) return false;
  } while (!used.compare_exchange_weak(now, now + bytes, std::memory_order_relaxed));
  return true;
}

void MemoryBudget::Take(Use use, size_t bytes) {
  used_[static_cast<size_t>(use)].fetch_add(bytes, std::memory_order_relaxed);
}

void MemoryBudget::Give(Use use, size_t bytes) {
  const size_t before = used_[static_cast<size_t>(use)].fetch_sub(bytes, std::memory_order_relaxed);
  VARVE_CHECK(before >= bytes);
}

void MemoryBudget::AddHolder(Holder* holder) {
  absl::MutexLock lock(&holders_->mutex);
  holders_->list.push_back(holder);
}

void MemoryBudget::RemoveHolder(Holder* holder) {
  absl::MutexLock lock(&holders_->mutex);
  std::erase(holders_->list, holder);
}

bool MemoryBudget::AskLargest(const Holder* but) {
  absl::MutexLock lock(&holders_->mutex);
  Holder* largest = nullptr;
  // All that is too little comes to a quarter of the share at most.
  size_t most = share(Use::kMemtables) / 4 / std::max<size_t>(holders_->list.size(), 1);
  for (Holder* holder : holders_->list) {
    const size_t bytes = holder == but ? 0 : holder->MemtableBytes();
    if (bytes > most) {
      most = bytes;
      largest = holder;
    }
  }
  if (largest != nullptr) largest->RequestFlush();
  return largest != nullptr;
}

}  // namespace varve
