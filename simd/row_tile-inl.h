// The one loop behind all distance kernels: a tile of queries against a tile of vectors. Included once per instruction
// set (Highway's foreach_target), hence the unusual guard.
//
// A family supplies a Kernel class:
//   Stored               the element as it lies in memory (for bits: a byte)
//   Sum, Result          a vector of partial sums; the type of a finished distance
//   kStep                elements that one Load takes
//   Units(dim)           stored elements of a vector of `dim` components that the loop handles
//   Load(p), LoadPart(p, count), Zero(), Add(sum, a, b)   one step; LoadPart gives zeros beyond `count`
//   Finish(sums)         the distance from kStreams partial sums
//   Remainder(a, b, dim) what Units leaves over
// Each pair keeps kStreams sums, element i going to sum (i / kStep) % kStreams whatever the tile's shape: pair, batch
// and matrix functions give the same bits, and four chains of additions hide the latency of one.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "simd/distance_kernels.h"

#if defined(VARVE_SIMD_ROW_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef VARVE_SIMD_ROW_TILE_INL_H_
#undef VARVE_SIMD_ROW_TILE_INL_H_
#else
#define VARVE_SIMD_ROW_TILE_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace varve {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

inline constexpr size_t kStreams = 4;
// Vectors that a batch function compares at once. AVX-512 has 32 registers, enough for 4 x kStreams sums; the
// others 16.
inline constexpr size_t kBatchVectors = HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL ? 4 : 2;
inline constexpr size_t kCacheLineBytes = 64;

// The first `count` < Lanes(d) elements at `from`, then zeros. Reads nothing beyond them.
template <class D>
HWY_INLINE hn::Vec<D> LoadFirst(D d, const hn::TFromD<D>* from, size_t count) {
  using T = hn::TFromD<D>;
  // Masked loads touch only lanes of the mask: of four bytes on AVX2, of any size on AVX-512.
  constexpr bool kAvx512 = HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL;
  if constexpr (kAvx512 || (HWY_TARGET == HWY_AVX2 && sizeof(T) == 4)) {
    return hn::MaskedLoad(hn::FirstN(d, count), d, from);
  } else {
    HWY_ALIGN T lanes[hn::MaxLanes(D())] = {};
    std::memcpy(lanes, from, count * sizeof(T));
    return hn::Load(d, lanes);
  }
}

// Adds `count` elements (a whole step if kWhole) at `offset` of each query and vector to sums number kStream.
template <class Kernel, size_t kQueries, size_t kVectors, bool kWhole>
HWY_INLINE void AddStep(const typename Kernel::Stored* const* queries, const typename Kernel::Stored* const* vectors,
                        size_t offset, size_t count, size_t stream,
                        typename Kernel::Sum (&sums)[kQueries][kVectors][kStreams]) {
  using Vector = decltype(Kernel::Load(nullptr));
  Vector query[kQueries];
  HWY_UNROLL(4)
  for (size_t q = 0; q < kQueries; ++q) {
    query[q] = kWhole ? Kernel::Load(queries[q] + offset) : Kernel::LoadPart(queries[q] + offset, count);
  }
  HWY_UNROLL(4)
  for (size_t v = 0; v < kVectors; ++v) {
    const Vector vector = kWhole ? Kernel::Load(vectors[v] + offset) : Kernel::LoadPart(vectors[v] + offset, count);
    HWY_UNROLL(4)
    for (size_t q = 0; q < kQueries; ++q) {
      sums[q][v][stream] = Kernel::Add(sums[q][v][stream], query[q], vector);
    }
  }
}

// Fetches the cache lines of the next tile's vectors that lie where the present tile is being read.
template <class Kernel, size_t kVectors>
HWY_INLINE void PrefetchNext(const typename Kernel::Stored* const* next, size_t offset) {
  constexpr size_t kBytes = kStreams * Kernel::kStep * sizeof(typename Kernel::Stored);
  HWY_UNROLL(4)
  for (size_t v = 0; v < kVectors; ++v) {
    const char* from = reinterpret_cast<const char*>(next[v] + offset);
    HWY_UNROLL(8)
    for (size_t byte = 0; byte < kBytes; byte += kCacheLineBytes) hwy::Prefetch(from + byte);
  }
}

// Writes kQueries x kVectors distances, row-major with rows `stride` apart. kPrefetch: `next` are kVectors vectors that
// will be read after these; else it is not looked at.
template <class Kernel, size_t kQueries, size_t kVectors, bool kPrefetch>
HWY_INLINE void Tile(const typename Kernel::Stored* const* queries, const typename Kernel::Stored* const* vectors,
                     const typename Kernel::Stored* const* next, size_t dim, size_t stride,
                     typename Kernel::Result* distances) {
  typename Kernel::Sum sums[kQueries][kVectors][kStreams];
  HWY_UNROLL(4)
  for (size_t q = 0; q < kQueries; ++q) {
    HWY_UNROLL(4)
    for (size_t v = 0; v < kVectors; ++v) {
      HWY_UNROLL(4)
      for (size_t s = 0; s < kStreams; ++s) sums[q][v][s] = Kernel::Zero();
    }
  }
  const size_t units = Kernel::Units(dim);
  size_t i = 0;
  for (; i + kStreams * Kernel::kStep <= units; i += kStreams * Kernel::kStep) {
    if constexpr (kPrefetch) PrefetchNext<Kernel, kVectors>(next, i);
    HWY_UNROLL(4)
    for (size_t s = 0; s < kStreams; ++s) {
      AddStep<Kernel, kQueries, kVectors, true>(queries, vectors, i + s * Kernel::kStep, Kernel::kStep, s, sums);
    }
  }
  if constexpr (kPrefetch) {
    if (i < units) PrefetchNext<Kernel, kVectors>(next, i);
  }
  HWY_UNROLL(4)
  for (size_t s = 0; s < kStreams; ++s) {
    if (i + Kernel::kStep <= units) {
      AddStep<Kernel, kQueries, kVectors, true>(queries, vectors, i, Kernel::kStep, s, sums);
    } else if (i < units) {
      AddStep<Kernel, kQueries, kVectors, false>(queries, vectors, i, units - i, s, sums);
    }
    i += Kernel::kStep;
  }
  HWY_UNROLL(4)
  for (size_t q = 0; q < kQueries; ++q) {
    HWY_UNROLL(4)
    for (size_t v = 0; v < kVectors; ++v) {
      distances[q * stride + v] = Kernel::Finish(sums[q][v], dim) + Kernel::Remainder(queries[q], vectors[v], dim);
    }
  }
}

template <class Kernel>
typename Kernel::Result PairDistance(const void* a, const void* b, size_t dim) {
  using Stored = typename Kernel::Stored;
  const Stored* query = static_cast<const Stored*>(a);
  const Stored* vector = static_cast<const Stored*>(b);
  typename Kernel::Result distance;
  Tile<Kernel, 1, 1, false>(&query, &vector, nullptr, dim, 1, &distance);
  return distance;
}

template <class Kernel>
void BatchDistance(const void* query_bytes, const void* const* addresses, size_t count, size_t dim, float* distances) {
  using Stored = typename Kernel::Stored;
  const Stored* query = static_cast<const Stored*>(query_bytes);
  const Stored* vectors[kBatchVectors];
  const Stored* next[kBatchVectors];
  for (size_t v = 0; v < count; v += kBatchVectors) {
    if (count - v == 1) {
      distances[v] = PairDistance<Kernel>(query, addresses[v], dim);
      return;
    }
    // The last vector stands for those that the last tile lacks, and for the tile after it.
    for (size_t j = 0; j < kBatchVectors; ++j) {
      vectors[j] = static_cast<const Stored*>(addresses[HWY_MIN(v + j, count - 1)]);
      next[j] = static_cast<const Stored*>(addresses[HWY_MIN(v + kBatchVectors + j, count - 1)]);
    }
    float tile[kBatchVectors];
    Tile<Kernel, 1, kBatchVectors, true>(&query, vectors, next, dim, kBatchVectors, tile);
    for (size_t j = 0; j < HWY_MIN(kBatchVectors, count - v); ++j) distances[v + j] = tile[j];
  }
}

// Two queries by two vectors at a time: 2 x 2 x kStreams sums fill half of AVX-512's registers, and each load serves
// two pairs. Queries run in the inner loop, so that the two vectors stay in the first-level cache.
template <class Kernel>
void MatrixDistance(const void* query_bytes, size_t query_count, const void* vector_bytes, size_t count, size_t dim,
                    float* distances) {
  using Stored = typename Kernel::Stored;
  const size_t row = Kernel::StoredCount(dim);
  const Stored* queries = static_cast<const Stored*>(query_bytes);
  const Stored* vectors = static_cast<const Stored*>(vector_bytes);
  for (size_t v = 0; v < count; v += 2) {
    // At an odd end the last one counts twice.
    const size_t v1 = HWY_MIN(v + 1, count - 1);
    const Stored* vector_pair[2] = {vectors + v * row, vectors + v1 * row};
    for (size_t q = 0; q < query_count; q += 2) {
      const size_t q1 = HWY_MIN(q + 1, query_count - 1);
      const Stored* query_pair[2] = {queries + q * row, queries + q1 * row};
      float tile[4];
      Tile<Kernel, 2, 2, false>(query_pair, vector_pair, nullptr, dim, 2, tile);
      distances[q * count + v] = tile[0];
      distances[q * count + v1] = tile[v1 - v];
      distances[q1 * count + v] = tile[(q1 - q) * 2];
      distances[q1 * count + v1] = tile[(q1 - q) * 2 + (v1 - v)];
    }
  }
}

template <class Kernel>
DistanceKernels KernelsOf() {
  return {&PairDistance<Kernel>, &BatchDistance<Kernel>, &MatrixDistance<Kernel>};
}

}  // namespace HWY_NAMESPACE
}  // namespace varve
HWY_AFTER_NAMESPACE();

#endif  // VARVE_SIMD_ROW_TILE_INL_H_
