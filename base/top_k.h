// The k best of a stream of (distance, id), with the one tie rule of Varve: equal distances are ordered by id, and ids
// of rows are in key order. NaN is farther than everything.
//
// Thread-compatible.
#ifndef VARVE_BASE_TOP_K_H_
#define VARVE_BASE_TOP_K_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace varve {

struct Neighbor {
  float distance;
  uint32_t id;

  friend bool operator<(const Neighbor& a, const Neighbor& b) {
    return a.distance < b.distance || (a.distance == b.distance && a.id < b.id);
  }
  friend bool operator==(const Neighbor&, const Neighbor&) = default;
};

class TopK {
 public:
  explicit TopK(size_t k = 0) { Reset(k); }

  void Reset(size_t k) {
    k_ = k;
    heap_.clear();
    bound_ = {std::numeric_limits<float>::infinity(), 0xFFFFFFFF};
  }

  // Keeps the candidate if it is among the k best so far. O(log k) when it is, O(1) when it is not.
  void Offer(float distance, uint32_t id) {
    Neighbor candidate{std::isnan(distance) ? std::numeric_limits<float>::infinity() : distance, id};
    if (!(candidate < bound_)) return;
    Insert(candidate);
  }

  // Nothing at or beyond this distance (and, at it, this id) is kept any more; infinity until k are held.
  float bound() const { return bound_.distance; }
  bool full() const { return heap_.size() == k_; }
  size_t size() const { return heap_.size(); }
  size_t k() const { return k_; }

  // Best first. Empties the object.
  std::vector<Neighbor> TakeSorted() {
    std::sort_heap(heap_.begin(), heap_.end());
    std::vector<Neighbor> sorted = std::move(heap_);
    Reset(k_);
    return sorted;
  }

 private:
  void Insert(Neighbor candidate) {
    if (k_ == 0) return;
    if (heap_.size() == k_) {
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.back() = candidate;
    } else {
      heap_.push_back(candidate);
    }
    std::push_heap(heap_.begin(), heap_.end());
    if (heap_.size() == k_) bound_ = heap_.front();
  }

  size_t k_ = 0;
  Neighbor bound_{};
  std::vector<Neighbor> heap_;  // max-heap
};

}  // namespace varve

#endif  // VARVE_BASE_TOP_K_H_
