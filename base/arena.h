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
      // A large piece gets a block of its own, beside the one that small pieces are cut from.
      if (bytes + alignment > kBlockBytes / 4) return TakeBlock(bytes);
      NewBlock();
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
  std::byte* TakeBlock(size_t size) {
    blocks_.push_back(AllocateAligned(size));
    if (blocks_.back() == nullptr) throw std::bad_alloc();
    bytes_ += size;
    return blocks_.back().get();
  }

  void NewBlock() {
    // A large arena takes large blocks, which the system gets back at its end.
    left_ = std::clamp(bytes_ / 16 / kBlockBytes * kBlockBytes, kBlockBytes, kLargestBlockBytes);
    next_ = reinterpret_cast<char*>(TakeBlock(left_));
  }

  std::vector<AlignedBytes> blocks_;
  char* next_ = nullptr;
  size_t left_ = 0;
  size_t bytes_ = 0;
};

}  // namespace varve

#endif  // VARVE_BASE_ARENA_H_
