// Memory that is freed as one: small pieces are cut from blocks, and live until the arena dies. Thread-compatible; what
// was handed out may be read by other threads.
#ifndef VARVE_BASE_ARENA_H_
#define VARVE_BASE_ARENA_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <string_view>
#include <vector>

#include "base/aligned_bytes.h"
#include "base/bytes.h"

namespace varve {

class Arena {
 public:
  static constexpr size_t kBlockBytes = 64 << 10;
  static constexpr size_t kLargestBlockBytes = 1 << 20;

  // `alignment` is a power of two of at most 64.
  void* Allocate(size_t bytes, size_t alignment) {
    size_t start = AlignUp(reinterpret_cast<uintptr_t>(next_), alignment) - reinterpret_cast<uintptr_t>(next_);
    if (next_ == nullptr || start + bytes > left_) {
      NewBlock(bytes + alignment);
      start = AlignUp(reinterpret_cast<uintptr_t>(next_), alignment) - reinterpret_cast<uintptr_t>(next_);
    }
    void* piece = next_ + start;
    next_ += start + bytes;
    left_ -= start + bytes;
    return piece;
  }

  std::string_view Copy(std::string_view bytes) {
    if (bytes.empty()) return {};
    char* copy = static_cast<char*>(Allocate(bytes.size(), 1));
    std::memcpy(copy, bytes.data(), bytes.size());
    return {copy, bytes.size()};
  }

  // Bytes taken from the system.
  size_t bytes() const { return bytes_; }

 private:
  void NewBlock(size_t at_least) {
    // A large piece gets a block of its own size, so that little of a block is wasted.
    // A large arena takes large blocks, which the system gets back at its end.
    const size_t usual = std::clamp(bytes_ / 16 / kBlockBytes * kBlockBytes, kBlockBytes, kLargestBlockBytes);
    const size_t size = at_least > usual / 4 ? at_least : usual;
    blocks_.push_back(AllocateAligned(size));
    if (blocks_.back() == nullptr) throw std::bad_alloc();
    next_ = reinterpret_cast<char*>(blocks_.back().get());
    left_ = size;
    bytes_ += size;
  }

  std::vector<AlignedBytes> blocks_;
  char* next_ = nullptr;
  size_t left_ = 0;
  size_t bytes_ = 0;
};

}  // namespace varve

#endif  // VARVE_BASE_ARENA_H_
