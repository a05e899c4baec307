// Kernel classes (row_tile-inl.h) of the elements that are compared as f32: sums in f32, norms in f64. Included once
// per instruction set. A family defines an Element class: Stored, Load(d, p) and LoadPart(d, p, count), which give f32
// lanes.
#include <cstddef>

#include "hwy/highway.h"
#include "simd/row_tile-inl.h"

#if defined(VARVE_SIMD_FLOAT_KERNELS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef VARVE_SIMD_FLOAT_KERNELS_INL_H_
#undef VARVE_SIMD_FLOAT_KERNELS_INL_H_
#else
#define VARVE_SIMD_FLOAT_KERNELS_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace varve {
namespace HWY_NAMESPACE {

using F32Tag = hn::ScalableTag<float>;
using F32Vector = hn::Vec<F32Tag>;
using F64Tag = hn::ScalableTag<double>;
using F64Vector = hn::Vec<F64Tag>;

// What the metrics have in common; Op adds one step to a sum and turns the total into the distance.
template <class Element, class Op>
struct FloatKernel {
  using Stored = typename Element::Stored;
  using Sum = F32Vector;
  using Result = float;
  static constexpr size_t kStep = hn::MaxLanes(F32Tag());

  static size_t Units(size_t dim) { return dim; }
  static size_t StoredCount(size_t dim) { return dim; }
  static HWY_INLINE F32Vector Load(const Stored* from) { return Element::Load(F32Tag(), from); }
  static HWY_INLINE F32Vector LoadPart(const Stored* from, size_t count) {
    return Element::LoadPart(F32Tag(), from, count);
  }
  static HWY_INLINE Sum Zero() { return hn::Zero(F32Tag()); }
  static HWY_INLINE Sum Add(Sum sum, F32Vector a, F32Vector b) { return Op::Add(sum, a, b); }
  static HWY_INLINE float Finish(const Sum (&sums)[kStreams], size_t /*dim*/) {
    const Sum total = hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]));
    return Op::Finish(hn::GetLane(hn::SumOfLanes(F32Tag(), total)));
  }
  static float Remainder(const Stored*, const Stored*, size_t) { return 0.0f; }
};

struct SquaredDifference {
  static HWY_INLINE F32Vector Add(F32Vector sum, F32Vector a, F32Vector b) {
    const F32Vector difference = hn::Sub(a, b);
    return hn::MulAdd(difference, difference, sum);
  }
  static float Finish(float total) { return total; }
};

struct NegatedProduct {
  static HWY_INLINE F32Vector Add(F32Vector sum, F32Vector a, F32Vector b) { return hn::MulAdd(a, b, sum); }
  static float Finish(float total) { return -total; }
};

struct AbsoluteDifference {
  static HWY_INLINE F32Vector Add(F32Vector sum, F32Vector a, F32Vector b) {
    return hn::Add(sum, hn::Abs(hn::Sub(a, b)));
  }
  static float Finish(float total) { return total; }
};

template <class Element>
DistanceKernels FloatKernelsOf(Metric metric) {
  switch (metric) {
    case Metric::kL2:
      return KernelsOf<FloatKernel<Element, SquaredDifference>>();
    case Metric::kInnerProduct:
    case Metric::kCosine:
      return KernelsOf<FloatKernel<Element, NegatedProduct>>();
    case Metric::kL1:
      return KernelsOf<FloatKernel<Element, AbsoluteDifference>>();
    case Metric::kHamming:
      break;
  }
  return {};
}

// Sums the squares of one vector in f64; Tile compares the vector with itself.
template <class Element>
struct SquaredNormKernel {
  using Stored = typename Element::Stored;
  using Sum = F64Vector;
  using Result = double;
  static constexpr size_t kStep = hn::MaxLanes(F64Tag());
  using HalfTag = hn::Rebind<float, F64Tag>;

  static size_t Units(size_t dim) { return dim; }
  static HWY_INLINE F64Vector Load(const Stored* from) {
    return hn::PromoteTo(F64Tag(), Element::Load(HalfTag(), from));
  }
  static HWY_INLINE F64Vector LoadPart(const Stored* from, size_t count) {
    return hn::PromoteTo(F64Tag(), Element::LoadPart(HalfTag(), from, count));
  }
  static HWY_INLINE Sum Zero() { return hn::Zero(F64Tag()); }
  static HWY_INLINE Sum Add(Sum sum, F64Vector a, F64Vector b) { return hn::MulAdd(a, b, sum); }
  static HWY_INLINE double Finish(const Sum (&sums)[kStreams], size_t /*dim*/) {
    const Sum total = hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]));
    return hn::GetLane(hn::SumOfLanes(F64Tag(), total));
  }
  static double Remainder(const Stored*, const Stored*, size_t) { return 0; }
};

template <class Element>
double SquaredNorm(const void* vector, size_t dim) {
  return PairDistance<SquaredNormKernel<Element>>(vector, vector, dim);
}

}  // namespace HWY_NAMESPACE
}  // namespace varve
HWY_AFTER_NAMESPACE();

#endif  // VARVE_SIMD_FLOAT_KERNELS_INL_H_
