// The order matters.
// clang-format off
#include "simd/smallest.h"
#include "simd/highway_config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/smallest.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// clang-format on

#include <algorithm>
#include <limits>

HWY_BEFORE_NAMESPACE();
namespace varve {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using ValueTag = hn::ScalableTag<float>;
constexpr size_t kValueLanes = hn::MaxLanes(ValueTag());
constexpr size_t kMostMinima = 1024;

// A value that at least `wanted` values do not exceed, and few more: the values are divided into somewhat more groups
// than `wanted`, each has its minimum, and of these the one in place `wanted` is taken.
float UpperBound(const float* values, size_t count, size_t wanted) {
  const ValueTag d;
  const size_t vectors = count / kValueLanes;
  const size_t group = vectors * kValueLanes / (2 * wanted);
  if (group < 2 || 4 * wanted + kValueLanes > kMostMinima) return std::numeric_limits<float>::infinity();
  float minima[kMostMinima];
  size_t found = 0;
  for (size_t first = 0; first + group <= vectors; first += group) {
    auto least = hn::LoadU(d, values + first * kValueLanes);
    for (size_t v = 1; v < group; ++v) least = hn::Min(least, hn::LoadU(d, values + (first + v) * kValueLanes));
    hn::StoreU(least, d, minima + found);
    found += kValueLanes;
  }
  if (found < wanted) return std::numeric_limits<float>::infinity();
  std::nth_element(minima, minima + wanted - 1, minima + found);
  return minima[wanted - 1];
}

// Writes the values up to `bound` in the order of their places.
size_t Collect(const float* values, size_t count, float bound, uint64_t* placed) {
  const ValueTag d;
  const auto limit = hn::Set(d, bound);
  size_t found = 0;
  size_t i = 0;
  for (; i + kValueLanes <= count; i += kValueLanes) {
    const auto below = hn::Le(hn::LoadU(d, values + i), limit);
    if (hn::AllFalse(d, below)) continue;
    uint8_t bits[8] = {};
    hn::StoreMaskBits(d, below, bits);
    uint64_t left = 0;
    for (size_t byte = 0; byte < (kValueLanes + 7) / 8; ++byte) left |= uint64_t{bits[byte]} << (8 * byte);
    for (; left != 0; left &= left - 1) {
      const size_t place = i + static_cast<size_t>(std::countr_zero(left));
      placed[found++] = PlacedValue(values[place], static_cast<uint32_t>(place));
    }
  }
  for (; i < count; ++i) {
    if (values[i] <= bound) placed[found++] = PlacedValue(values[i], static_cast<uint32_t>(i));
  }
  return found;
}

size_t ChooseSmallest(const float* values, size_t count, size_t wanted, uint64_t* placed) {
  if (wanted == 0) return 0;
  const size_t found = Collect(values, count, UpperBound(values, count, wanted), placed);
  const size_t kept = std::min(found, wanted);
  std::partial_sort(placed, placed + kept, placed + found);
  return kept;
}

}  // namespace HWY_NAMESPACE
}  // namespace varve
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace varve {

HWY_EXPORT(ChooseSmallest);

size_t SmallestValues(const float* values, size_t count, size_t wanted, uint64_t* placed) {
  return HWY_DYNAMIC_DISPATCH(ChooseSmallest)(values, count, wanted, placed);
}

}  // namespace varve
#endif  // HWY_ONCE
