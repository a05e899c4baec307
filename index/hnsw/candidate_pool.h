// The best candidates of a search, sorted: an array of one integer each, so that an insertion is a search and a move.
// Up to some hundred candidates this beats two heaps, for the next one to expand is found by a cursor.
//
// A key is the order-preserving bits of the distance, then the node, then whether it has been expanded. That flag must
// be the lowest bit: above the node, setting it would reorder equal distances, and the array would no longer be sorted.
// Thread-compatible.
#ifndef VARVE_INDEX_HNSW_CANDIDATE_POOL_H_
#define VARVE_INDEX_HNSW_CANDIDATE_POOL_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "base/check.h"

namespace varve::hnsw {

// Unsigned integers in the order of their floats; minus zero equals zero. NaN, which sorts anywhere, is the caller's.
inline uint32_t OrderedBits(float distance) {
  const uint32_t bits = std::bit_cast<uint32_t>(distance + 0.0f);
  return bits ^ (static_cast<uint32_t>(static_cast<int32_t>(bits) >> 31) | 0x80000000u);
}
inline float FromOrderedBits(uint32_t ordered) {
  return std::bit_cast<float>((ordered & 0x80000000u) != 0 ? ordered ^ 0x80000000u : ~ordered);
}

class CandidatePool {
 public:
  // Empties the pool, which then keeps the best `capacity` >= 1 candidates.
  void Reset(size_t capacity) {
    VARVE_DCHECK(capacity > 0);
    capacity_ = capacity;
    if (keys_.size() < capacity + 1) keys_.resize(capacity + 1);
    size_ = 0;
    next_ = 0;
    bound_ = std::numeric_limits<float>::infinity();
  }

  size_t size() const { return size_; }
  float distance(size_t i) const { return FromOrderedBits(static_cast<uint32_t>(keys_[i] >> 32)); }
  uint32_t node(size_t i) const { return static_cast<uint32_t>(keys_[i]) >> 1; }

  // Only what is nearer than this is kept: the last candidate's distance once the pool is full, infinity before.
  float bound() const { return bound_; }

  // Adds a candidate that is not expanded. Requires: distance < bound() (so it is no NaN), and node below 2^31 is not
  // in the pool.
  void Insert(float distance, uint32_t node) {
    const uint64_t key = uint64_t{OrderedBits(distance)} << 32 | uint64_t{node} << 1;
    uint64_t* keys = keys_.data();
    const size_t at = static_cast<size_t>(std::lower_bound(keys, keys + size_, key) - keys);
    std::memmove(keys + at + 1, keys + at, (size_ - at) * sizeof(uint64_t));
    keys[at] = key;
    size_ = std::min(size_ + 1, capacity_);  // one place beyond takes what falls off
    next_ = std::min(next_, at);
    if (size_ == capacity_) bound_ = this->distance(capacity_ - 1);
  }

  // True if a candidate is left to expand; then next_node() is the nearest such.
  bool HasNext() {
    while (next_ < size_ && (keys_[next_] & kExpanded) != 0) ++next_;
    return next_ < size_;
  }
  uint32_t next_node() const { return node(next_); }
  // Marks the nearest such expanded and returns its node. Requires: HasNext() has just been true.
  uint32_t Pop() {
    keys_[next_] |= kExpanded;
    return node(next_++);
  }

  // Lets every candidate be expanded (again).
  void Reopen() {
    for (size_t i = 0; i < size_; ++i) keys_[i] &= ~kExpanded;
    next_ = 0;
  }

 private:
  static constexpr uint64_t kExpanded = 1;

  std::vector<uint64_t> keys_;
  size_t capacity_ = 0;
  size_t size_ = 0;
  size_t next_ = 0;  // no candidate before it waits for expansion
  float bound_ = std::numeric_limits<float>::infinity();
};

}  // namespace varve::hnsw

#endif  // VARVE_INDEX_HNSW_CANDIDATE_POOL_H_
