// Memory that is freed as one: small pieces are cut from blocks, and live until the arena dies. Thread-compatible; what
// was handed out may be read by other threads.
#ifndef VARVE_BASE_ARENA_H_
#define VARVE_BASE_ARENA_H_

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace varve {

class Arena {
 public:
  static constexpr size_t kBlockBytes = 64 << 10;

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
    const size_t size = at_least > kBlockBytes / 4 ? at_least : kBlockBytes;
    blocks_.push_back(std::unique_ptr<char[]>(new char[size]));
    next_ = blocks_.back().get();
    left_ = size;
    bytes_ += size;
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  size_t left_ = 0;
  size_t bytes_ = 0;
};

}  // namespace varve

#endif  // VARVE_BASE_ARENA_H_
