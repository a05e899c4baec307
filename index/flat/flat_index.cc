#include "index/flat/flat_index.h"

#include "base/status.h"
#include "index/dense_traits.h"
#include "index/exact_scan.h"
#include "index/stored_vectors.h"

namespace varve {
namespace {

struct FlatScratch final : SearchContext::Scratch {
  ExactScanScratch scan;
};

class FlatSearcher final : public FieldIndexSearcher {
 public:
  explicit FlatSearcher(StoredVectors vectors) : vectors_(vectors) {}

  absl::Status Search(absl::Span<const FieldQuery> queries, const SearchParams& params, const SlotFilter& filter,
                      SearchContext* context, absl::Span<TopK> best) const override {
    FlatScratch* scratch = context->GetScratch<FlatScratch>(IndexType::kFlat);
    return ExactScan(vectors_, queries, params.radius, filter, &scratch->scan, context, best);
  }

 private:
  const StoredVectors vectors_;
};

}  // namespace

const IndexTraits& FlatIndexFactory::traits() const {
  static const IndexTraits traits = {
      .type = IndexType::kFlat,
      .name = "flat",
      .metrics = kDenseMetrics,
      .elements = kDenseElements,
      .compressions = kNoCompression,
      .sparse = false,
      .can_merge = true,
      .params = {},
  };
  return traits;
}

FieldIndexFactory::Estimate FlatIndexFactory::EstimateBytes(uint64_t /*count*/, const VectorShape& /*shape*/,
                                                            const ParamMap& /*params*/, int /*threads*/) const {
  return {.section_bytes = 0, .build_bytes = 0};
}

absl::Status FlatIndexFactory::Build(const SlotSource& /*slots*/, const ParamMap& /*params*/,
                                     const BuildContext& /*context*/, SectionSink* /*sink*/) const {
  return absl::OkStatus();
}

absl::Status FlatIndexFactory::Merge(const SlotSource& slots, absl::Span<const MergeInput> inputs,
                                     const ParamMap& /*params*/, const BuildContext& /*context*/,
                                     SectionSink* /*sink*/) const {
  return CheckMergeInputs(slots, inputs);
}

absl::StatusOr<std::unique_ptr<FieldIndexSearcher>> FlatIndexFactory::Open(const SectionSource& sections,
                                                                           const VectorShape& shape,
                                                                           uint32_t slot_count,
                                                                           const ParamMap& /*params*/) const {
  ASSIGN_OR_RETURN(const StoredVectors vectors, StoredVectors::Open(sections, shape, slot_count));
  return std::make_unique<FlatSearcher>(vectors);
}

void FlatIndexFactory::Verify(const SectionSource& sections, const VectorShape& shape, uint32_t slot_count,
                              const ParamMap& /*params*/, bool /*deep*/, std::vector<IndexDamage>* damage) const {
  const absl::StatusOr<StoredVectors> vectors = StoredVectors::Open(sections, shape, slot_count);
  if (!vectors.ok()) damage->push_back({SectionKind::kVectors, 0, std::string(vectors.status().message())});
}

std::string FlatIndexFactory::Dump(const SectionSource& /*sections*/, const VectorShape& shape, uint32_t slot_count,
                                   const ParamMap& /*params*/) const {
  return R"({"type":"flat","slots":)" + std::to_string(slot_count) + R"(,"vector_bytes":)" +
         std::to_string(shape.bytes()) + "}";
}

}  // namespace varve
