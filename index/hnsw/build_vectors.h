// The vectors that a graph is built over, by node, and the distances between them. Thread-safe.
#ifndef VARVE_INDEX_HNSW_BUILD_VECTORS_H_
#define VARVE_INDEX_HNSW_BUILD_VECTORS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "index/field_index.h"
#include "simd/distance.h"

namespace varve::hnsw {

// Infinite and undefined distances become the largest finite one, so that such vectors are linked like far ones.
inline float Finite(float distance) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  return distance < kLargest ? distance : kLargest;
}

class BuildVectors {
 public:
  // Node n is slot slots_of_nodes[n].
  BuildVectors(const SlotSource& source, const std::vector<SlotId>& slots_of_nodes)
      : pair_(GetDistanceFunction(source.shape.metric, source.shape.element)),
        batch_(GetBatchDistanceFunction(source.shape.metric, source.shape.element)),
        element_(source.shape.element),
        dimension_(source.shape.dimension),
        bytes_(source.shape.bytes()) {
    vectors_.reserve(slots_of_nodes.size());
    for (const SlotId slot : slots_of_nodes) vectors_.push_back(source.vectors[slot]);
    if (source.shape.metric != Metric::kCosine) return;
    inverse_norms_.reserve(slots_of_nodes.size());
    for (const SlotId slot : slots_of_nodes) inverse_norms_.push_back(source.inverse_norms[slot]);
  }

  uint32_t count() const { return static_cast<uint32_t>(vectors_.size()); }

  float Distance(uint32_t a, uint32_t b) const {
    const float raw = pair_(vectors_[a], vectors_[b], dimension_);
    return Finite(inverse_norms_.empty() ? raw : 1.0f + raw * inverse_norms_[a] * inverse_norms_[b]);
  }

  void Distances(uint32_t node, const uint32_t* others, size_t count, float* distances) const {
    for (size_t i = 0; i < count; i += kPiece) {
      DistancesOfPiece(node, others + i, std::min(kPiece, count - i), distances + i);
    }
  }

  size_t dimension() const { return dimension_; }

  // The node's vector as f32, for kCosine divided by its norm: nearer by the metric is nearer by kL2 then. Requires:
  // kL2 or kCosine.
  void CopyForL2(uint32_t node, float* to) const;

  void Prefetch(uint32_t node) const {
    for (size_t byte = 0; byte < std::min<size_t>(bytes_, 256); byte += 64) __builtin_prefetch(vectors_[node] + byte);
  }

 private:
  static constexpr size_t kPiece = 64;

  void DistancesOfPiece(uint32_t node, const uint32_t* others, size_t count, float* distances) const {
    const void* addresses[kPiece] = {};
    for (size_t i = 0; i < count; ++i) addresses[i] = vectors_[others[i]];
    batch_(vectors_[node], addresses, count, dimension_, distances);
    for (size_t i = 0; i < count; ++i) {
      if (!inverse_norms_.empty()) {
        distances[i] = 1.0f + distances[i] * inverse_norms_[node] * inverse_norms_[others[i]];
      }
      distances[i] = Finite(distances[i]);
    }
  }

  DistanceFunction pair_;
  BatchDistanceFunction batch_;
  ElementType element_;
  size_t dimension_;
  size_t bytes_;
  std::vector<const std::byte*> vectors_;  // by node
  std::vector<float> inverse_norms_;       // by node, for cosine
};

}  // namespace varve::hnsw

#endif  // VARVE_INDEX_HNSW_BUILD_VECTORS_H_
