// FLAT: no structure at all. Every search compares the query with all accepted vectors, so that answers are exact; best
// for small segments, and the measure of all other types.
//
// Format: nothing beside the field's kVectors (and kInverseNorms for cosine), which its segment holds anyway.
#ifndef VARVE_INDEX_FLAT_FLAT_INDEX_H_
#define VARVE_INDEX_FLAT_FLAT_INDEX_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "index/field_index.h"

namespace varve {

// Thread-safe.
class FlatIndexFactory final : public FieldIndexFactory {
 public:
  const IndexTraits& traits() const override;
  Estimate EstimateBytes(uint64_t count, const VectorShape& shape, const ParamMap& params, int threads) const override;
  absl::Status Build(const SlotSource& slots, const ParamMap& params, const BuildContext& context,
                     SectionSink* sink) const override;
  // There is nothing to reuse, and nothing to do: as Build.
  absl::Status Merge(const SlotSource& slots, absl::Span<const MergeInput> inputs, const ParamMap& params,
                     const BuildContext& context, SectionSink* sink) const override;
  absl::StatusOr<std::unique_ptr<FieldIndexSearcher>> Open(const SectionSource& sections, const VectorShape& shape,
                                                           uint32_t slot_count, const ParamMap& params) const override;
  void Verify(const SectionSource& sections, const VectorShape& shape, uint32_t slot_count, const ParamMap& params,
              bool deep, std::vector<IndexDamage>* damage) const override;
  std::string Dump(const SectionSource& sections, const VectorShape& shape, uint32_t slot_count,
                   const ParamMap& params) const override;
};

}  // namespace varve

#endif  // VARVE_INDEX_FLAT_FLAT_INDEX_H_
