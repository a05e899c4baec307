// Hamming distances of packed bits. Bits beyond the dimension, in the last byte, do not count.
#include <bit>
#include <cstring>

// The order matters.
// clang-format off
#include "simd/distance_kernels.h"
#include "simd/highway_config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/distance_bits.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "simd/row_tile-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace varve {
namespace HWY_NAMESPACE {

// Whole bytes go through the loop, the bits of an incomplete last byte through Remainder.
struct BitRows {
  using Stored = uint8_t;
  using Result = float;

  static size_t Units(size_t dim) { return dim / 8; }
  static size_t StoredCount(size_t dim) { return (dim + 7) / 8; }
  static HWY_INLINE float Remainder(const uint8_t* a, const uint8_t* b, size_t dim) {
    const size_t bits = dim % 8;
    if (bits == 0) return 0.0f;
    const unsigned difference = static_cast<unsigned>(a[dim / 8] ^ b[dim / 8]) & ((1u << bits) - 1);
    return static_cast<float>(std::popcount(difference));
  }
};

// The baseline target, of which Highway has two, depending on the compiler: one has few conversions, the other is slow.
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

struct HammingKernel : BitRows {
  using Sum = uint64_t;
  static constexpr size_t kStep = sizeof(uint64_t);

  static uint64_t Load(const uint8_t* from) { return LoadPart(from, kStep); }
  static uint64_t LoadPart(const uint8_t* from, size_t count) {
    uint64_t word = 0;
    std::memcpy(&word, from, count);
    return word;
  }
  static Sum Zero() { return 0; }
  static Sum Add(Sum sum, uint64_t a, uint64_t b) { return sum + static_cast<uint64_t>(std::popcount(a ^ b)); }
  static float Finish(const Sum (&sums)[kStreams], size_t /*dim*/) {
    return static_cast<float>(sums[0] + sums[1] + sums[2] + sums[3]);
  }
};

#else

using BitsByteTag = hn::ScalableTag<uint8_t>;
using BitsWordTag = hn::ScalableTag<uint64_t>;
using BitsVector = hn::Vec<BitsWordTag>;

struct HammingKernel : BitRows {
  using Sum = BitsVector;
  static constexpr size_t kStep = hn::MaxLanes(BitsByteTag());

  static HWY_INLINE BitsVector Load(const uint8_t* from) {
    return hn::BitCast(BitsWordTag(), hn::LoadU(BitsByteTag(), from));
  }
  static HWY_INLINE BitsVector LoadPart(const uint8_t* from, size_t count) {
    return hn::BitCast(BitsWordTag(), LoadFirst(BitsByteTag(), from, count));
  }
  static HWY_INLINE Sum Zero() { return hn::Zero(BitsWordTag()); }
  static HWY_INLINE Sum Add(Sum sum, BitsVector a, BitsVector b) {
    return hn::Add(sum, hn::PopulationCount(hn::Xor(a, b)));
  }
  static HWY_INLINE float Finish(const Sum (&sums)[kStreams], size_t /*dim*/) {
    const Sum total = hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]));
    return static_cast<float>(hn::GetLane(hn::SumOfLanes(BitsWordTag(), total)));
  }
};

#endif  // HWY_TARGET

DistanceKernels ChooseBits(Metric metric) {
  return metric == Metric::kHamming ? KernelsOf<HammingKernel>() : DistanceKernels{};
}

}  // namespace HWY_NAMESPACE
}  // namespace varve
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace varve {

HWY_EXPORT(ChooseBits);

DistanceKernels BitsKernels(Metric metric) { return HWY_DYNAMIC_DISPATCH(ChooseBits)(metric); }

}  // namespace varve
#endif  // HWY_ONCE
