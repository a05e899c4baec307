// The smallest few of many distances. Thread-safe.
#ifndef VARVE_SIMD_SMALLEST_H_
#define VARVE_SIMD_SMALLEST_H_

#include <bit>
#include <cstddef>
#include <cstdint>

namespace varve {

// A value and its place as one integer, in the order of the values, then of the places.
inline uint64_t PlacedValue(float value, uint32_t place) {
  return uint64_t{std::bit_cast<uint32_t>(value)} << 32 | place;
}
inline float ValueOf(uint64_t placed) { return std::bit_cast<float>(static_cast<uint32_t>(placed >> 32)); }
inline uint32_t PlaceOf(uint64_t placed) { return static_cast<uint32_t>(placed); }

// Writes the `wanted` smallest of values[0 .. count - 1] (all, if there are no more) with their places, ascending, and
// returns how many they are. `placed` has room for `count`. Requires: no value is negative or NaN, count < 2^32.
size_t SmallestValues(const float* values, size_t count, size_t wanted, uint64_t* placed);

}  // namespace varve

#endif  // VARVE_SIMD_SMALLEST_H_
