#include "index/stored_vectors.h"

#include <string>

#include "base/status.h"

namespace varve {
namespace {

absl::StatusOr<SectionView> FindSized(const SectionSource& sections, SectionKind kind, uint64_t slot_count,
                                      uint64_t slot_bytes) {
  const SectionView view = sections.Find(kind);
  if (!view.present()) {
    if (slot_count == 0) return view;
    return DataLoss("section " + std::string(SectionKindName(kind)) + " is missing: expected one of " +
                    std::to_string(slot_count) + " slots");
  }
  uint64_t expected;
  if (!CheckedMul(slot_count, slot_bytes, &expected) || view.size() != expected) {
    return view.Damaged(0, "section has " + std::to_string(view.size()) + " bytes: expected " +
                               std::to_string(slot_count) + " slots of " + std::to_string(slot_bytes));
  }
  return view;
}

}  // namespace

absl::StatusOr<StoredVectors> StoredVectors::Open(const SectionSource& sections, const VectorShape& shape,
                                                  uint32_t slot_count) {
  if (GetDistanceFunction(shape.metric, shape.element) == nullptr) {
    return InvalidArgument("metric " + std::string(MetricName(shape.metric)) + " does not compare vectors of " +
                           std::string(ElementTypeName(shape.element)));
  }
  if (shape.dimension == 0 || shape.dimension > kMaxDimension) {
    return InvalidArgument("dimension " + std::to_string(shape.dimension) + ": expected 1 to " +
                           std::to_string(kMaxDimension));
  }
  StoredVectors stored;
  stored.shape_ = shape;
  stored.slot_count_ = slot_count;
  stored.vector_bytes_ = shape.bytes();
  ASSIGN_OR_RETURN(stored.vectors_, FindSized(sections, SectionKind::kVectors, slot_count, stored.vector_bytes_));
  if (stored.is_cosine()) {
    ASSIGN_OR_RETURN(stored.inverse_norms_, FindSized(sections, SectionKind::kInverseNorms, slot_count, sizeof(float)));
  }
  return stored;
}

absl::Status StoredVectors::Verify(SlotId first, uint32_t count) const {
  RETURN_IF_ERROR(vectors_.Verify(first * vector_bytes_, count * vector_bytes_));
  if (!is_cosine()) return absl::OkStatus();
  return inverse_norms_.Verify(first * sizeof(float), count * sizeof(float));
}

}  // namespace varve
