// Memory that starts on a page, as a mapped file does.
#ifndef VARVE_BASE_ALIGNED_BYTES_H_
#define VARVE_BASE_ALIGNED_BYTES_H_

#include <cstddef>
#include <memory>

#include "base/page_allocator.h"

namespace varve {

struct AlignedDelete {
  size_t size = 0;
  void operator()(std::byte* bytes) const { FreePages(bytes, size); }
};
using AlignedBytes = std::unique_ptr<std::byte[], AlignedDelete>;

// `size` bytes that are not initialised; null if there is no memory, or nothing was asked for.
inline AlignedBytes AllocateAligned(size_t size) {
  if (size == 0) return nullptr;
  return AlignedBytes(static_cast<std::byte*>(AllocatePages(size)), AlignedDelete{size});
}

}  // namespace varve

#endif  // VARVE_BASE_ALIGNED_BYTES_H_
