// Distances of f16 and bf16 vectors: each element becomes an f32 as it is loaded, which is exact.
// The order matters.
// clang-format off
#include "simd/distance_kernels.h"
#include "simd/highway_config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/distance_half.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "simd/float_kernels-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace varve {
namespace HWY_NAMESPACE {

// Half is hwy::float16_t or hwy::bfloat16_t; stored and loaded as the bits.
template <class Half>
struct HalfElement {
  using Stored = uint16_t;
  template <class D>
  static HWY_INLINE hn::Vec<D> Load(D d, const uint16_t* from) {
    return Widen(d, hn::LoadU(hn::Rebind<uint16_t, D>(), from));
  }
  template <class D>
  static HWY_INLINE hn::Vec<D> LoadPart(D d, const uint16_t* from, size_t count) {
    return Widen(d, LoadFirst(hn::Rebind<uint16_t, D>(), from, count));
  }
  template <class D>
  static HWY_INLINE hn::Vec<D> Widen(D d, hn::Vec<hn::Rebind<uint16_t, D>> bits) {
    return hn::PromoteTo(d, hn::BitCast(hn::Rebind<Half, D>(), bits));
  }
};
using F16Element = HalfElement<hwy::float16_t>;
using Bf16Element = HalfElement<hwy::bfloat16_t>;

DistanceKernels ChooseF16(Metric metric) { return FloatKernelsOf<F16Element>(metric); }
DistanceKernels ChooseBf16(Metric metric) { return FloatKernelsOf<Bf16Element>(metric); }

SquaredNormFunction ChooseF16Norm() { return &SquaredNorm<F16Element>; }
SquaredNormFunction ChooseBf16Norm() { return &SquaredNorm<Bf16Element>; }

}  // namespace HWY_NAMESPACE
}  // namespace varve
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace varve {

HWY_EXPORT(ChooseF16);
HWY_EXPORT(ChooseBf16);
HWY_EXPORT(ChooseF16Norm);
HWY_EXPORT(ChooseBf16Norm);

DistanceKernels F16Kernels(Metric metric) { return HWY_DYNAMIC_DISPATCH(ChooseF16)(metric); }
DistanceKernels Bf16Kernels(Metric metric) { return HWY_DYNAMIC_DISPATCH(ChooseBf16)(metric); }

SquaredNormFunction F16SquaredNorm() { return HWY_DYNAMIC_DISPATCH(ChooseF16Norm)(); }
SquaredNormFunction Bf16SquaredNorm() { return HWY_DYNAMIC_DISPATCH(ChooseBf16Norm)(); }

}  // namespace varve
#endif  // HWY_ONCE
