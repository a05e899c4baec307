// Which nodes a search has seen: one bit each. Emptied by clearing what was set, so that a search costs nothing for the
// nodes that it does not meet; kept between searches, so that none allocates. Thread-compatible.
#ifndef VARVE_INDEX_HNSW_VISITED_SET_H_
#define VARVE_INDEX_HNSW_VISITED_SET_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace varve::hnsw {

class VisitedSet {
 public:
  // Makes room for nodes 0 .. bound - 1, and empties the set.
  void Reset(uint32_t bound) {
    const size_t words = (size_t{bound} + 63) / 64;
    if (words > words_.size()) {
      words_.assign(words, 0);
      log_.resize(std::max<size_t>(words / kWordsPerEntry, kMinLog));
    } else if (logged_ == log_.size()) {
      std::fill(words_.begin(), words_.end(), 0);
    } else {
      for (size_t i = 0; i < logged_; ++i) words_[log_[i] >> 6] = 0;
    }
    logged_ = 0;
  }

  // False if the node was there. Requires: node < bound.
  bool Insert(uint32_t node) {
    uint64_t& word = words_[node >> 6];
    const uint64_t bit = uint64_t{1} << (node & 63);
    if ((word & bit) != 0) return false;
    word |= bit;
    if (logged_ < log_.size()) log_[logged_++] = node;
    return true;
  }

  void Prefetch(uint32_t node) const { __builtin_prefetch(&words_[node >> 6], /*rw=*/1); }

 private:
  // Clearing a word by name costs about as much as clearing eight in a row.
  static constexpr size_t kWordsPerEntry = 8;
  static constexpr size_t kMinLog = 64;

  std::vector<uint64_t> words_;
  std::vector<uint32_t> log_;  // the first nodes set; when it is full, everything is cleared
  size_t logged_ = 0;
};

}  // namespace varve::hnsw

#endif  // VARVE_INDEX_HNSW_VISITED_SET_H_
