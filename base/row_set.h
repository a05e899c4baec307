// A set of row numbers below a fixed bound, as a bitmap of 64-bit words. Thread-compatible.
#ifndef VARVE_BASE_ROW_SET_H_
#define VARVE_BASE_ROW_SET_H_

#include <bit>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace varve {

class RowSet {
 public:
  RowSet() = default;
  // Empty; rows 0 .. bound - 1 may be added.
  explicit RowSet(uint32_t bound) : bound_(bound), words_((size_t{bound} + 63) / 64) {}

  void Add(uint32_t row) { words_[row >> 6] |= uint64_t{1} << (row & 63); }
  // Adds first .. last - 1.
  void AddRange(uint32_t first, uint32_t last);
  void Remove(uint32_t row) { words_[row >> 6] &= ~(uint64_t{1} << (row & 63)); }
  bool Contains(uint32_t row) const { return (words_[row >> 6] >> (row & 63)) & 1; }
  // Rows in the set; O(bound / 64).
  uint32_t Count() const;
  // Rows of the set in first .. last - 1.
  uint32_t CountRange(uint32_t first, uint32_t last) const;
  uint32_t bound() const { return bound_; }
  absl::Span<const uint64_t> words() const { return words_; }
  absl::Span<uint64_t> mutable_words() { return absl::MakeSpan(words_); }

  // Calls visit(row) for each row, ascending.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (size_t w = 0; w < words_.size(); ++w) {
      for (uint64_t word = words_[w]; word != 0; word &= word - 1) {
        visit(static_cast<uint32_t>(w * 64 + static_cast<size_t>(std::countr_zero(word))));
      }
    }
  }
  friend bool operator==(const RowSet&, const RowSet&) = default;

 private:
  uint32_t bound_ = 0;
  std::vector<uint64_t> words_;
};

}  // namespace varve

#endif  // VARVE_BASE_ROW_SET_H_
