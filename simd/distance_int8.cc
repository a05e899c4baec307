// Distances of i8 and u8 vectors, exact: products and squares are taken in 16 bits and summed in 32.
//
// A 32-bit lane of a sum takes at most dim / 4 terms (four lanes in the shortest vector, and kStreams sums), each at
// most 255 * 255, hence stays below 2^31 for every dimension up to kMaxDimension. Only the total may not, so that long
// vectors are totalled in 64 bits.
// The order matters.
// clang-format off
#include "simd/distance_kernels.h"
#include "simd/highway_config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/distance_int8.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "simd/row_tile-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace varve {
namespace HWY_NAMESPACE {

// The baseline target, of which Highway has two, depending on the compiler: one has few conversions, the other is slow.
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

// Plain C++, one element at a time; also right for 65,535 components, a quarter of which a sum takes.
template <bool kSigned>
struct ByteRows {
  using Stored = uint8_t;
  using Result = float;
  using Sum = int32_t;
  static constexpr size_t kStep = 1;

  static size_t Units(size_t dim) { return dim; }
  static size_t StoredCount(size_t dim) { return dim; }
  static int32_t Load(const uint8_t* from) { return kSigned ? static_cast<int8_t>(*from) : *from; }
  static int32_t LoadPart(const uint8_t* from, size_t /*count*/) { return Load(from); }
  static Sum Zero() { return 0; }
  static int64_t Total(const Sum (&sums)[kStreams]) { return int64_t{sums[0]} + sums[1] + sums[2] + sums[3]; }
  static float Finish(const Sum (&sums)[kStreams], size_t /*dim*/) { return static_cast<float>(Total(sums)); }
  static float Remainder(const uint8_t*, const uint8_t*, size_t) { return 0.0f; }
};

template <bool kSigned>
struct ByteL2 : ByteRows<kSigned> {
  static int32_t Add(int32_t sum, int32_t a, int32_t b) { return sum + (a - b) * (a - b); }
};

template <bool kSigned>
struct ByteL1 : ByteRows<kSigned> {
  static int32_t Add(int32_t sum, int32_t a, int32_t b) { return sum + (a > b ? a - b : b - a); }
};

template <bool kSigned>
struct ByteProduct : ByteRows<kSigned> {
  static int32_t Add(int32_t sum, int32_t a, int32_t b) { return sum + a * b; }
  static float Finish(const int32_t (&sums)[kStreams], size_t /*dim*/) {
    return -static_cast<float>(ByteRows<kSigned>::Total(sums));
  }
};

#else

using U8Tag = hn::ScalableTag<uint8_t>;
using I16Tag = hn::ScalableTag<int16_t>;
using U16Tag = hn::ScalableTag<uint16_t>;
using I32Tag = hn::ScalableTag<int32_t>;
using U64Tag = hn::ScalableTag<uint64_t>;
using U8Vector = hn::Vec<U8Tag>;
using I16Vector = hn::Vec<I16Tag>;
using I32Vector = hn::Vec<I32Tag>;
using U64Vector = hn::Vec<U64Tag>;

// A total of at most this many components fits 31 bits: 32,768 * 255 * 255 < 2^31.
inline constexpr size_t kMaxNarrowDimension = 32'768;

// sum + products of the pairs of 16-bit lanes of a and b.
HWY_INLINE I32Vector AddProducts(I32Vector sum, I16Vector a, I16Vector b) {
  // Two sums, of which x86 leaves the second untouched.
  I32Vector other = hn::Zero(I32Tag());
  const I32Vector first = hn::ReorderWidenMulAccumulate(I32Tag(), a, b, sum, other);
  return hn::Add(first, other);
}

// Loads whole vectors of bytes. `kFlip` turns i8 into u8 by adding 128, which leaves differences as they are.
template <bool kFlip>
HWY_INLINE U8Vector LoadBytes(const uint8_t* from) {
  const U8Vector bytes = hn::LoadU(U8Tag(), from);
  return kFlip ? hn::Xor(bytes, hn::Set(U8Tag(), 0x80)) : bytes;
}

template <bool kFlip>
HWY_INLINE U8Vector LoadFirstBytes(const uint8_t* from, size_t count) {
  const U8Vector bytes = LoadFirst(U8Tag(), from, count);
  return kFlip ? hn::Xor(bytes, hn::Set(U8Tag(), 0x80)) : bytes;
}

HWY_INLINE int64_t TotalOf(const I32Vector (&sums)[kStreams], size_t dim) {
  if (dim <= kMaxNarrowDimension) {
    const I32Vector total = hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]));
    return hn::GetLane(hn::SumOfLanes(I32Tag(), total));
  }
  int64_t total = 0;
  for (const I32Vector& sum : sums) {
    HWY_ALIGN int32_t lanes[hn::MaxLanes(I32Tag())];
    hn::Store(sum, I32Tag(), lanes);
    for (const int32_t lane : lanes) total += lane;
  }
  return total;
}

// What the integer metrics have in common: one step is a whole vector of bytes.
template <bool kFlip>
struct ByteRows {
  using Stored = uint8_t;
  using Result = float;
  static constexpr size_t kStep = hn::MaxLanes(U8Tag());

  static size_t Units(size_t dim) { return dim; }
  static size_t StoredCount(size_t dim) { return dim; }
  static HWY_INLINE U8Vector Load(const uint8_t* from) { return LoadBytes<kFlip>(from); }
  static HWY_INLINE U8Vector LoadPart(const uint8_t* from, size_t count) { return LoadFirstBytes<kFlip>(from, count); }
  static float Remainder(const uint8_t*, const uint8_t*, size_t) { return 0.0f; }
};

// |a - b| of unsigned bytes.
HWY_INLINE U8Vector Distance(U8Vector a, U8Vector b) { return hn::Or(hn::SaturatedSub(a, b), hn::SaturatedSub(b, a)); }

template <bool kFlip>
struct ByteL2 : ByteRows<kFlip> {
  using Sum = I32Vector;
  static HWY_INLINE Sum Zero() { return hn::Zero(I32Tag()); }
  static HWY_INLINE Sum Add(Sum sum, U8Vector a, U8Vector b) {
    const U8Vector difference = Distance(a, b);
    const U8Vector zero = hn::Zero(U8Tag());
    // The order of lanes does not matter to a sum, hence interleaving with zeros instead of a widening conversion.
    const I16Vector low = hn::BitCast(I16Tag(), hn::InterleaveLower(U8Tag(), difference, zero));
    const I16Vector high = hn::BitCast(I16Tag(), hn::InterleaveUpper(U8Tag(), difference, zero));
    return AddProducts(AddProducts(sum, low, low), high, high);
  }
  static HWY_INLINE float Finish(const Sum (&sums)[kStreams], size_t dim) {
    return static_cast<float>(TotalOf(sums, dim));
  }
};

template <bool kFlip>
struct ByteL1 : ByteRows<kFlip> {
  using Sum = U64Vector;
  static HWY_INLINE Sum Zero() { return hn::Zero(U64Tag()); }
  static HWY_INLINE Sum Add(Sum sum, U8Vector a, U8Vector b) { return hn::Add(sum, hn::SumsOf8(Distance(a, b))); }
  static HWY_INLINE float Finish(const Sum (&sums)[kStreams], size_t /*dim*/) {
    const Sum total = hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]));
    return static_cast<float>(hn::GetLane(hn::SumOfLanes(U64Tag(), total)));
  }
};

// Even and odd bytes as 16-bit lanes, zero- or sign-extended.
template <bool kSigned>
HWY_INLINE I16Vector EvenBytes(U8Vector bytes) {
  const I16Vector lanes = hn::BitCast(I16Tag(), bytes);
  if constexpr (kSigned) return hn::ShiftRight<8>(hn::ShiftLeft<8>(lanes));
  return hn::And(lanes, hn::Set(I16Tag(), 0x00FF));
}
template <bool kSigned>
HWY_INLINE I16Vector OddBytes(U8Vector bytes) {
  if constexpr (kSigned) return hn::ShiftRight<8>(hn::BitCast(I16Tag(), bytes));
  return hn::BitCast(I16Tag(), hn::ShiftRight<8>(hn::BitCast(U16Tag(), bytes)));
}

template <bool kSigned>
struct ByteProduct : ByteRows</*kFlip=*/false> {
  using Sum = I32Vector;
  static HWY_INLINE Sum Zero() { return hn::Zero(I32Tag()); }
  static HWY_INLINE Sum Add(Sum sum, U8Vector a, U8Vector b) {
    return AddProducts(AddProducts(sum, EvenBytes<kSigned>(a), EvenBytes<kSigned>(b)), OddBytes<kSigned>(a),
                       OddBytes<kSigned>(b));
  }
  static HWY_INLINE float Finish(const Sum (&sums)[kStreams], size_t dim) {
    return -static_cast<float>(TotalOf(sums, dim));
  }
};

#endif  // HWY_TARGET

template <bool kSigned>
DistanceKernels ByteKernelsOf(Metric metric) {
  switch (metric) {
    case Metric::kL2:
      return KernelsOf<ByteL2<kSigned>>();
    case Metric::kInnerProduct:
    case Metric::kCosine:
      return KernelsOf<ByteProduct<kSigned>>();
    case Metric::kL1:
      return KernelsOf<ByteL1<kSigned>>();
    case Metric::kHamming:
      break;
  }
  return {};
}

DistanceKernels ChooseI8(Metric metric) { return ByteKernelsOf</*kSigned=*/true>(metric); }
DistanceKernels ChooseU8(Metric metric) { return ByteKernelsOf</*kSigned=*/false>(metric); }

}  // namespace HWY_NAMESPACE
}  // namespace varve
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace varve {

HWY_EXPORT(ChooseI8);
HWY_EXPORT(ChooseU8);

DistanceKernels I8Kernels(Metric metric) { return HWY_DYNAMIC_DISPATCH(ChooseI8)(metric); }
DistanceKernels U8Kernels(Metric metric) { return HWY_DYNAMIC_DISPATCH(ChooseU8)(metric); }

}  // namespace varve
#endif  // HWY_ONCE
