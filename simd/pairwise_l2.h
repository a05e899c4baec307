// Squared Euclidean distances between all pairs of two sets of f32 vectors, as a matrix product: for builds that
// compare every vector of a group with every other one. |a - b|^2 = |a|^2 + |b|^2 - 2 ab, so that the error is that of
// the norms: vectors whose distances are small beside their norms are moved to a common origin first. Thread-safe.
#ifndef VARVE_SIMD_PAIRWISE_L2_H_
#define VARVE_SIMD_PAIRWISE_L2_H_

#include <cstddef>

namespace varve {

// Columns are computed so many at a time, as the active instruction set has it; at most kMaxPairwiseColumns.
inline constexpr size_t kMaxPairwiseColumns = 48;
size_t PairwiseColumns();

// The length of a row of the result for `count` vectors: count rounded up to a multiple of PairwiseColumns().
size_t PairwiseStride(size_t count);

// Lays out `count` row-major vectors as PairwiseL2 reads its second argument: PairwiseStride(count) * dim floats, the
// last columns zeros.
void PackColumns(const float* rows, size_t count, size_t dim, float* columns);

// Writes distances[i * stride + j] for the row-major vectors `rows` and the packed ones `columns`, with stride
// PairwiseStride(column_count). `row_norms` and `column_norms` are squared norms; the latter has `stride` entries, of
// which those behind column_count set the distances there. All distances are finite and none is negative: what
// overflows or is undefined is the largest float.
void PairwiseL2(const float* rows, const float* row_norms, size_t row_count, const float* columns,
                const float* column_norms, size_t column_count, size_t dim, float* distances);

}  // namespace varve

#endif  // VARVE_SIMD_PAIRWISE_L2_H_
