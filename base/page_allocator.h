// Memory for large arrays: it goes back to the system the moment it is freed. The standard allocator keeps what it is
// given back between pieces that still live (glibc even learns to serve megabytes from there), which after some flushes
// and builds came to a third of a small memory budget (bench/ingest --memory=64). Thread-safe.
#ifndef VARVE_BASE_PAGE_ALLOCATOR_H_
#define VARVE_BASE_PAGE_ALLOCATOR_H_

#include <cstddef>
#include <new>
#include <vector>

namespace varve {

inline constexpr size_t kPageBytes = 4096;

// `bytes` of memory that starts on a page; null if there is none. Smaller pieces than kFewestPageBytes come from the
// standard allocator.
inline constexpr size_t kFewestPageBytes = size_t{128} << 10;
void* AllocatePages(size_t bytes);
// Requires: `memory` is of AllocatePages(bytes), or null.
void FreePages(void* memory, size_t bytes);

// For containers of trivial elements that grow large.
template <class T>
struct PageAllocator {
  using value_type = T;

  PageAllocator() = default;
  template <class Other>
  PageAllocator(const PageAllocator<Other>&) {}  // NOLINT(google-explicit-constructor): what an allocator needs

  T* allocate(size_t count) {
    if (count > static_cast<size_t>(-1) / sizeof(T)) throw std::bad_array_new_length();
    void* memory = AllocatePages(count * sizeof(T));
    if (memory == nullptr) throw std::bad_alloc();
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, size_t count) { FreePages(memory, count * sizeof(T)); }

  friend bool operator==(const PageAllocator&, const PageAllocator&) { return true; }
};

template <class T>
using LargeVector = std::vector<T, PageAllocator<T>>;

}  // namespace varve

#endif  // VARVE_BASE_PAGE_ALLOCATOR_H_
