// Bounds on the distances of one query to rows of which one bit per dimension is known, 32 rows at a time by table
// look-ups in registers (Andre, Kermarrec, Le Scouarnec, "Cache Locality Is Not Enough: High-Performance Nearest
// Neighbor Search with Product Quantization Fast Scan", VLDB 2015). What the bits mean is compression's matter
// (rabitq_codes.h). Thread-safe.
#ifndef VARVE_SIMD_SIGN_SCAN_H_
#define VARVE_SIMD_SIGN_SCAN_H_

#include <cstddef>
#include <cstdint>

namespace varve {

inline constexpr size_t kSignBlockRows = 32;
// Of 16 bytes for each group of four bits; of a block's codes too.
inline constexpr size_t kSignTableBytes = 16;
// The number of tables is a multiple of this.
inline constexpr size_t kSignTableStep = 16;

// 32 rows. Byte b of group g holds the four bits of row b in its lower half, and those of row b + 16 in its upper half.
struct SignBlock {
  const uint8_t* codes;    // groups * 16
  const float* base;       // 32
  const float* scale;      // 32
  const float* deviation;  // 32
};

// What a query brings: entry n of table g stands for the bits n of group g.
struct SignQuery {
  const uint8_t* tables;  // groups * 16
  size_t groups = 0;
  float step = 0;    // what one unit of a table's entries is worth
  float offset = 0;  // added to their sum
  float base = 0;
  float deviation = 0;
};

// Bit r is set unless row r is certainly above `limit`:
//   block.base[r] + query.base - block.scale[r] * (query.step * entries + query.offset)
//     - block.deviation[r] * query.deviation > limit
// where `entries` sums the entries that the row's bits select. Of a NaN nothing is certain.
uint32_t SignRowsWithin(const SignBlock& block, const SignQuery& query, float limit);

}  // namespace varve

#endif  // VARVE_SIMD_SIGN_SCAN_H_
