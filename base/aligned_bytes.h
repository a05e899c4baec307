// Memory that starts on a page, as a mapped file does.
#ifndef VARVE_BASE_ALIGNED_BYTES_H_
#define VARVE_BASE_ALIGNED_BYTES_H_

#include <cstddef>
#include <memory>
#include <new>

namespace varve {

inline constexpr std::align_val_t kPageAlignment{4096};

struct AlignedDelete {
  void operator()(std::byte* bytes) const { ::operator delete(bytes, kPageAlignment); }
};
using AlignedBytes = std::unique_ptr<std::byte[], AlignedDelete>;

// `size` bytes that are not initialised; null if there is no memory, or nothing was asked for.
inline AlignedBytes AllocateAligned(size_t size) {
  if (size == 0) return nullptr;
  return AlignedBytes(static_cast<std::byte*>(::operator new(size, kPageAlignment, std::nothrow)));
}

}  // namespace varve

#endif  // VARVE_BASE_ALIGNED_BYTES_H_
