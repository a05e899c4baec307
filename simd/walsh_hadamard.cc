// The order matters.
// clang-format off
#include "simd/walsh_hadamard.h"
#include "simd/highway_config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/walsh_hadamard.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace varve {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

void Transform(float* values, size_t count) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  size_t half = 1;
  for (; half < lanes && half < count; half *= 2) {
    for (size_t first = 0; first < count; first += 2 * half) {
      for (size_t i = first; i < first + half; ++i) {
        const float a = values[i], b = values[i + half];
        values[i] = a + b;
        values[i + half] = a - b;
      }
    }
  }
  for (; half < count; half *= 2) {
    for (size_t first = 0; first < count; first += 2 * half) {
      for (size_t i = first; i < first + half; i += lanes) {
        const auto a = hn::LoadU(d, values + i);
        const auto b = hn::LoadU(d, values + i + half);
        hn::StoreU(hn::Add(a, b), d, values + i);
        hn::StoreU(hn::Sub(a, b), d, values + i + half);
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace varve
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace varve {

HWY_EXPORT(Transform);

void WalshHadamard(float* values, size_t count) { HWY_DYNAMIC_DISPATCH(Transform)(values, count); }

}  // namespace varve
#endif  // HWY_ONCE
