#include "index/hnsw/local_vectors.h"

#include <cmath>

#include "simd/distance.h"

namespace varve::hnsw {

void LocalVectors::Load(const BuildVectors& vectors, absl::Span<const uint32_t> nodes, const float* origin) {
  const size_t dim = vectors.dimension();
  rows_.resize(nodes.size() * dim);
  norms_.resize(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) vectors.CopyForL2(nodes[i], &rows_[i * dim]);
  if (origin != nullptr) {
    origin_.assign(origin, origin + dim);
  } else {
    std::vector<double> sums(dim, 0);
    for (size_t i = 0; i < nodes.size(); ++i) {
      for (size_t j = 0; j < dim; ++j) sums[j] += static_cast<double>(rows_[i * dim + j]);
    }
    origin_.resize(dim);
    for (size_t j = 0; j < dim; ++j) {
      const auto mean = static_cast<float>(sums[j] / static_cast<double>(nodes.size()));
      origin_[j] = std::isfinite(mean) ? mean : 0.0f;  // one bad vector must not make all of them bad
    }
  }
  const DistanceFunction negated_product = GetDistanceFunction(Metric::kInnerProduct, ElementType::kF32);
  for (size_t i = 0; i < nodes.size(); ++i) {
    float* row = &rows_[i * dim];
    for (size_t j = 0; j < dim; ++j) row[j] -= origin_[j];
    norms_[i] = -negated_product(row, row, dim);
  }
}

}  // namespace varve::hnsw
