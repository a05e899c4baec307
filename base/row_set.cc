#include "base/row_set.h"

#include "base/check.h"

namespace varve {
namespace {

// The bits of word `w` that stand for rows of first .. last - 1. Requires that the word has some.
uint64_t MaskOf(uint32_t w, uint32_t first, uint32_t last) {
  uint64_t mask = ~uint64_t{0};
  if (w == first >> 6) mask &= ~uint64_t{0} << (first & 63);
  if (w == (last - 1) >> 6) mask &= ~uint64_t{0} >> (63 - ((last - 1) & 63));
  return mask;
}

}  // namespace

void RowSet::AddRange(uint32_t first, uint32_t last) {
  VARVE_DCHECK(last <= bound_);
  if (first >= last) return;
  for (uint32_t w = first >> 6; w <= (last - 1) >> 6; ++w) words_[w] |= MaskOf(w, first, last);
}

uint32_t RowSet::Count() const {
  uint32_t count = 0;
  for (const uint64_t word : words_) count += static_cast<uint32_t>(std::popcount(word));
  return count;
}

uint32_t RowSet::CountRange(uint32_t first, uint32_t last) const {
  VARVE_DCHECK(last <= bound_);
  if (first >= last) return 0;
  uint32_t count = 0;
  for (uint32_t w = first >> 6; w <= (last - 1) >> 6; ++w) {
    count += static_cast<uint32_t>(std::popcount(words_[w] & MaskOf(w, first, last)));
  }
  return count;
}

}  // namespace varve
