#include "base/page_allocator.h"

#include <sys/mman.h>

#include <algorithm>

namespace varve {
namespace {

// The sanitizers watch what is around and behind a piece of the standard allocator alone.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMapsPages = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
constexpr bool kMapsPages = false;
#else
constexpr bool kMapsPages = true;
#endif
#else
constexpr bool kMapsPages = true;
#endif

bool IsMapped(size_t bytes) { return kMapsPages && bytes >= kFewestPageBytes; }

}  // namespace

void* AllocatePages(size_t bytes) {
  if (!IsMapped(bytes)) return ::operator new (std::max<size_t>(bytes, 1), std::align_val_t{kPageBytes}, std::nothrow);
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

void FreePages(void* memory, size_t bytes) {
  if (memory == nullptr) return;
  if (!IsMapped(bytes)) {
    ::operator delete (memory, std::align_val_t{kPageBytes});
  } else {
    ::munmap(memory, bytes);
  }
}

}  // namespace varve
