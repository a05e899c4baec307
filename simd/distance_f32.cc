// Distances of f32 vectors.
// The order matters.
// clang-format off
#include "simd/distance_kernels.h"
#include "simd/highway_config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/distance_f32.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "simd/float_kernels-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace varve {
namespace HWY_NAMESPACE {

struct F32Element {
  using Stored = float;
  template <class D>
  static HWY_INLINE hn::Vec<D> Load(D d, const float* from) {
    return hn::LoadU(d, from);
  }
  template <class D>
  static HWY_INLINE hn::Vec<D> LoadPart(D d, const float* from, size_t count) {
    return LoadFirst(d, from, count);
  }
};

DistanceKernels ChooseF32(Metric metric) { return FloatKernelsOf<F32Element>(metric); }

SquaredNormFunction ChooseF32Norm() { return &SquaredNorm<F32Element>; }

}  // namespace HWY_NAMESPACE
}  // namespace varve
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace varve {

HWY_EXPORT(ChooseF32);
HWY_EXPORT(ChooseF32Norm);

DistanceKernels F32Kernels(Metric metric) { return HWY_DYNAMIC_DISPATCH(ChooseF32)(metric); }

SquaredNormFunction F32SquaredNorm() { return HWY_DYNAMIC_DISPATCH(ChooseF32Norm)(); }

}  // namespace varve
#endif  // HWY_ONCE
