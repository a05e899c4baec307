// HNSW: a layered proximity graph over full vectors. Format: hnsw_format.h.
#ifndef VARVE_INDEX_HNSW_HNSW_INDEX_H_
#define VARVE_INDEX_HNSW_HNSW_INDEX_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "index/field_index.h"

namespace varve {

// Params: m, ef_construction (build), ef (search). Thread-safe.
class HnswIndexFactory final : public FieldIndexFactory {
 public:
  const IndexTraits& traits() const override;
  Estimate EstimateBytes(uint64_t count, const VectorShape& shape, const ParamMap& params, int threads) const override;
  // The result does not depend on context.threads. Errors: also ResourceExhausted beyond 2^31 - 1 slots, and
  // InvalidArgument for a metric that does not compare the element type.
  absl::Status Build(const SlotSource& slots, const ParamMap& params, const BuildContext& context,
                     SectionSink* sink) const override;
  // Takes over the graph of the input that keeps the most vectors, if they are enough of all.
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

#endif  // VARVE_INDEX_HNSW_HNSW_INDEX_H_
