// Some nodes' vectors side by side as f32, moved to an origin near them: what a matrix product compares
// (simd/pairwise_l2.h). Thread-compatible; keeps its memory for the next.
#ifndef VARVE_INDEX_HNSW_LOCAL_VECTORS_H_
#define VARVE_INDEX_HNSW_LOCAL_VECTORS_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "base/page_allocator.h"
#include "index/hnsw/build_vectors.h"

namespace varve::hnsw {

class LocalVectors {
 public:
  // `origin` has as many components as the vectors; null for the mean of the nodes.
  void Load(const BuildVectors& vectors, absl::Span<const uint32_t> nodes, const float* origin);

  const float* rows() const { return rows_.data(); }    // row-major
  const float* norms() const { return norms_.data(); }  // squared, from the origin
  const float* origin() const { return origin_.data(); }

 private:
  LargeVector<float> rows_;
  std::vector<float> norms_;
  std::vector<float> origin_;
};

}  // namespace varve::hnsw

#endif  // VARVE_INDEX_HNSW_LOCAL_VECTORS_H_
