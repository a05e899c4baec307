// The order matters.
// clang-format off
#include "simd/pairwise_l2.h"
#include "simd/highway_config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/pairwise_l2.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// clang-format on

#include <algorithm>
#include <limits>

HWY_BEFORE_NAMESPACE();
namespace varve {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using PairwiseTag = hn::ScalableTag<float>;
using PairwiseVector = hn::Vec<PairwiseTag>;

// A tile of sums fills most of the registers, 32 with AVX-512 and else 16; what is left holds a step's columns.
constexpr bool kManyRegisters = HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL;
constexpr size_t kTileRows = kManyRegisters ? 8 : 4;
constexpr size_t kTileVectors = 3;
constexpr size_t kLanes = hn::MaxLanes(PairwiseTag());
constexpr size_t kTileColumns = kTileVectors * kLanes;
static_assert(kTileColumns <= kMaxPairwiseColumns);

size_t TileColumns() { return kTileColumns; }

// One tile: kTileRows rows, given by address, against kTileColumns packed columns.
HWY_INLINE void PairwiseTile(const float* const* rows, const float* norms, const float* columns,
                             const float* column_norms, size_t dim, float* const* out) {
  const PairwiseTag d;
  PairwiseVector sums[kTileRows][kTileVectors];
  HWY_UNROLL(8)
  for (size_t r = 0; r < kTileRows; ++r) {
    HWY_UNROLL(3)
    for (size_t v = 0; v < kTileVectors; ++v) sums[r][v] = hn::Zero(d);
  }
  for (size_t i = 0; i < dim; ++i) {
    PairwiseVector column[kTileVectors];
    HWY_UNROLL(3)
    for (size_t v = 0; v < kTileVectors; ++v) column[v] = hn::LoadU(d, columns + i * kTileColumns + v * kLanes);
    HWY_UNROLL(8)
    for (size_t r = 0; r < kTileRows; ++r) {
      const PairwiseVector value = hn::Set(d, rows[r][i]);
      HWY_UNROLL(3)
      for (size_t v = 0; v < kTileVectors; ++v) sums[r][v] = hn::MulAdd(value, column[v], sums[r][v]);
    }
  }
  const PairwiseVector minus_two = hn::Set(d, -2.0f);
  const PairwiseVector largest = hn::Set(d, std::numeric_limits<float>::max());
  HWY_UNROLL(8)
  for (size_t r = 0; r < kTileRows; ++r) {
    const PairwiseVector norm = hn::Set(d, norms[r]);
    HWY_UNROLL(3)
    for (size_t v = 0; v < kTileVectors; ++v) {
      const PairwiseVector both = hn::Add(norm, hn::LoadU(d, column_norms + v * kLanes));
      const PairwiseVector distance = hn::MulAdd(minus_two, sums[r][v], both);
      // Comparisons with NaN are false.
      hn::StoreU(hn::IfThenElse(hn::Lt(distance, largest), hn::Max(distance, hn::Zero(d)), largest), d,
                 out[r] + v * kLanes);
    }
  }
}

void ComputePairwise(const float* rows, const float* row_norms, size_t row_count, const float* columns,
                     const float* column_norms, size_t stride, size_t dim, float* distances) {
  if (row_count == 0) return;
  for (size_t c = 0; c < stride; c += kTileColumns) {
    for (size_t r = 0; r < row_count; r += kTileRows) {
      const float* tile_rows[kTileRows];
      float* out[kTileRows];
      float norms[kTileRows];
      for (size_t i = 0; i < kTileRows; ++i) {
        // The last row stands for those that the last tile lacks.
        const size_t row = HWY_MIN(r + i, row_count - 1);
        tile_rows[i] = rows + row * dim;
        norms[i] = row_norms[row];
        out[i] = distances + row * stride + c;
      }
      PairwiseTile(tile_rows, norms, columns + c * dim, column_norms + c, dim, out);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace varve
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace varve {

HWY_EXPORT(TileColumns);
HWY_EXPORT(ComputePairwise);

size_t PairwiseColumns() { return HWY_DYNAMIC_DISPATCH(TileColumns)(); }

size_t PairwiseStride(size_t count) {
  const size_t columns = PairwiseColumns();
  return (count + columns - 1) / columns * columns;
}

void PackColumns(const float* rows, size_t count, size_t dim, float* columns) {
  const size_t width = PairwiseColumns();
  for (size_t from = 0; from < count; from += width) {
    float* panel = columns + from * dim;
    const size_t present = std::min(width, count - from);
    for (size_t i = 0; i < dim; ++i) {
      for (size_t c = 0; c < present; ++c) panel[i * width + c] = rows[(from + c) * dim + i];
      std::fill(panel + i * width + present, panel + (i + 1) * width, 0.0f);
    }
  }
}

void PairwiseL2(const float* rows, const float* row_norms, size_t row_count, const float* columns,
                const float* column_norms, size_t column_count, size_t dim, float* distances) {
  HWY_DYNAMIC_DISPATCH(ComputePairwise)
  (rows, row_norms, row_count, columns, column_norms, PairwiseStride(column_count), dim, distances);
}

}  // namespace varve
#endif  // HWY_ONCE
