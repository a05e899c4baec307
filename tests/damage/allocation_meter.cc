#include "tests/damage/allocation_meter.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<int64_t> allocated{0};  // bytes
std::atomic<int64_t> most{0};
std::atomic<int64_t> level_at_begin{0};

void Add(int64_t bytes) {
  const int64_t now = allocated.fetch_add(bytes) + bytes;
  int64_t seen = most.load();
  while (now > seen && !most.compare_exchange_weak(seen, now)) {
  }
}

void* Allocate(std::size_t size, std::size_t alignment) {
  // aligned_alloc asks for a multiple; a size near the end of the range has none.
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  if (rounded < size) return nullptr;
  void* memory = alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__
                     ? std::malloc(std::max<std::size_t>(size, 1))
                     : std::aligned_alloc(alignment, std::max(rounded, alignment));
  if (memory != nullptr) Add(static_cast<int64_t>(malloc_usable_size(memory)));
  return memory;
}

void* AllocateOrThrow(std::size_t size, std::size_t alignment) {
  void* memory = Allocate(size, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void Free(void* memory) {
  if (memory != nullptr) Add(-static_cast<int64_t>(malloc_usable_size(memory)));
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return AllocateOrThrow(size, 1); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return Allocate(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return AllocateOrThrow(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return Allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { Free(memory); }
void operator delete(void* memory, std::size_t) noexcept { Free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { Free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { Free(memory); }

namespace varve::testing {

void AllocationMeter::Begin() {
  level_at_begin = allocated.load();
  most = allocated.load();
}

uint64_t AllocationMeter::Peak() { return static_cast<uint64_t>(std::max<int64_t>(0, most - level_at_begin)); }

}  // namespace varve::testing
