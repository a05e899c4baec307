// The vectors of one field in their sections (kVectors, for cosine kInverseNorms), by slot, and the distances of one
// query to them. Every type that compares full vectors reads them through this.
#ifndef VARVE_INDEX_STORED_VECTORS_H_
#define VARVE_INDEX_STORED_VECTORS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "index/field_index.h"
#include "segment/section.h"
#include "simd/distance.h"
#include "varve/types.h"

namespace varve {

// A view, valid while the sections are. Thread-safe.
class StoredVectors {
 public:
  StoredVectors() = default;

  // O(1): checks that the sections are there and have the size that shape and slot count ask for.
  // Errors: DataLoss; InvalidArgument if the metric cannot compare the element type.
  static absl::StatusOr<StoredVectors> Open(const SectionSource& sections, const VectorShape& shape,
                                            uint32_t slot_count);

  const VectorShape& shape() const { return shape_; }
  uint32_t slot_count() const { return slot_count_; }
  bool is_cosine() const { return shape_.metric == Metric::kCosine; }

  // Requires for all: slot < slot_count(). What they read has passed Verify.
  const std::byte* vector(SlotId slot) const { return vectors_.data() + slot * vector_bytes_; }
  float inverse_norm(SlotId slot) const {
    return LoadUnaligned<float>(inverse_norms_.data() + size_t{slot} * sizeof(float));
  }

  // Checks the blocks of `count` slots from `first` on. Requires: they are below slot_count().
  // Errors: DataLoss.
  absl::Status Verify(SlotId first, uint32_t count) const;
  // True if Verify(slot, 1) would return at once.
  bool IsVerified(SlotId slot) const {
    return vectors_.IsVerified(slot * vector_bytes_, vector_bytes_) &&
           (!is_cosine() || inverse_norms_.IsVerified(size_t{slot} * sizeof(float), sizeof(float)));
  }

  // Brings the start of a vector, and what belongs to it, near.
  void Prefetch(SlotId slot) const {
    const std::byte* start = vector(slot);
    for (size_t line = 0; line < kPrefetchBytes && line < vector_bytes_; line += 64) __builtin_prefetch(start + line);
    if (is_cosine()) __builtin_prefetch(inverse_norms_.data() + size_t{slot} * sizeof(float));
  }

 private:
  // Behind the first lines the processor's own prefetcher follows.
  static constexpr size_t kPrefetchBytes = 256;

  VectorShape shape_;
  uint32_t slot_count_ = 0;
  size_t vector_bytes_ = 0;
  SectionView vectors_;
  SectionView inverse_norms_;
};

// Distances of one query, which must outlive the object. A value; thread-compatible.
class QueryDistance {
 public:
  QueryDistance(const StoredVectors* vectors, const std::byte* query, float inverse_norm)
      : vectors_(vectors),
        function_(GetBatchDistanceFunction(vectors->shape().metric, vectors->shape().element)),
        query_(query),
        inverse_norm_(inverse_norm) {}

  // Writes the distances to `count` verified slots.
  void Compute(const SlotId* slots, size_t count, float* distances) const {
    for (size_t i = 0; i < count; i += kPiece) ComputePiece(slots + i, std::min(kPiece, count - i), distances + i);
  }

 private:
  static constexpr size_t kPiece = 64;

  void ComputePiece(const SlotId* slots, size_t count, float* distances) const {
    const void* addresses[kPiece] = {};
    for (size_t i = 0; i < count; ++i) addresses[i] = vectors_->vector(slots[i]);
    function_(query_, addresses, count, vectors_->shape().dimension, distances);
    if (!vectors_->is_cosine()) return;
    for (size_t i = 0; i < count; ++i) {
      distances[i] = 1.0f + distances[i] * inverse_norm_ * vectors_->inverse_norm(slots[i]);
    }
  }

  const StoredVectors* vectors_;
  BatchDistanceFunction function_;
  const std::byte* query_;
  float inverse_norm_;
};

}  // namespace varve

#endif  // VARVE_INDEX_STORED_VECTORS_H_
