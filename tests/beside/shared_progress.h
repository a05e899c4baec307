// What the writing process and the reading one tell each other: a page of memory that both have.
#ifndef VARVE_TESTS_BESIDE_SHARED_PROGRESS_H_
#define VARVE_TESTS_BESIDE_SHARED_PROGRESS_H_

#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <new>

#include "base/check.h"

namespace varve::testing {

// Thread-safe, and so between processes: it holds nothing but lock-free atomics.
struct SharedProgress {
  std::atomic<uint64_t> acknowledged{0};  // batches
  std::atomic<uint64_t> backups{0};       // made and not yet looked at: the newest one's number
  std::atomic<bool> stop{false};
  std::atomic<bool> failed{false};

  // Before the fork.
  static SharedProgress* Make() {
    static_assert(std::atomic<uint64_t>::is_always_lock_free);
    void* page = ::mmap(nullptr, sizeof(SharedProgress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    VARVE_CHECK(page != MAP_FAILED);
    return new (page) SharedProgress;
  }
};

}  // namespace varve::testing

#endif  // VARVE_TESTS_BESIDE_SHARED_PROGRESS_H_
