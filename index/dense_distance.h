// The distance of one prepared query to stored vectors of one field: the metric's kernel, and for cosine the scaling by
// inverse norms. A value; thread-compatible.
#ifndef VARVE_INDEX_DENSE_DISTANCE_H_
#define VARVE_INDEX_DENSE_DISTANCE_H_

#include <cmath>
#include <cstddef>

#include "simd/distance.h"
#include "varve/types.h"

namespace varve {

class DenseDistance {
 public:
  DenseDistance() = default;
  DenseDistance(Metric metric, ElementType element, uint32_t dimension)
      : function_(GetDistanceFunction(metric, element)), dimension_(dimension), cosine_(metric == Metric::kCosine) {}

  bool is_cosine() const { return cosine_; }

  // `inverse_norm_*` are read for cosine only.
  float operator()(const void* a, float inverse_norm_a, const void* b, float inverse_norm_b) const {
    const float raw = function_(a, b, dimension_);
    return cosine_ ? 1.0f + raw * inverse_norm_a * inverse_norm_b : raw;
  }

 private:
  DistanceFunction function_ = nullptr;
  size_t dimension_ = 0;
  bool cosine_ = false;
};

// 1 / norm; 0 for a vector without direction, whose cosine distance to anything is then 1.
inline float InverseNorm(const void* vector, ElementType element, size_t dim) {
  const float norm = VectorNorm(vector, element, dim);
  return norm > 0 && std::isfinite(norm) ? 1.0f / norm : 0.0f;
}

}  // namespace varve

#endif  // VARVE_INDEX_DENSE_DISTANCE_H_
