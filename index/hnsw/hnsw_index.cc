#include "index/hnsw/hnsw_index.h"

#include "base/status.h"
#include "index/dense_traits.h"
#include "index/hnsw/graph_builder.h"
#include "index/hnsw/graph_dump.h"
#include "index/hnsw/graph_verifier.h"
#include "index/hnsw/graph_writer.h"
#include "index/hnsw/hnsw_format.h"
#include "index/hnsw/hnsw_searcher.h"
#include "index/stored_vectors.h"

namespace varve {
namespace {

constexpr ParamSpec kParams[] = {
    {"m", hnsw::kDefaultM, hnsw::kMinM, hnsw::kMaxM, /*integral=*/true, /*of_search=*/false,
     "neighbours of a node on each level above the lowest, half of those on the lowest"},
    {"ef_construction", hnsw::kDefaultEfConstruction, 8, 10'000, /*integral=*/true, /*of_search=*/false,
     "candidates kept while a node's neighbours are searched"},
    {"ef", hnsw::kDefaultEf, 1, 1'000'000, /*integral=*/true, /*of_search=*/true,
     "candidates kept by a search, at least k: more cost time and raise recall"},
};

uint32_t BuildParam(const ParamMap& params, std::string_view name, uint32_t fallback) {
  const auto found = params.find(name);
  return found != params.end() ? static_cast<uint32_t>(found->second) : fallback;
}

}  // namespace

const IndexTraits& HnswIndexFactory::traits() const {
  static const IndexTraits traits = {
      .type = IndexType::kHnsw,
      .name = "hnsw",
      .metrics = kDenseMetrics,
      .elements = kDenseElements,
      .compressions = kNoCompression,
      .sparse = false,
      .can_merge = false,
      .params = kParams,
  };
  return traits;
}

FieldIndexFactory::Estimate HnswIndexFactory::EstimateBytes(uint64_t count, const VectorShape& /*shape*/,
                                                            const ParamMap& params) const {
  const uint32_t m = BuildParam(params, "m", hnsw::kDefaultM);
  return {.section_bytes = hnsw::EstimateSectionBytes(count, m),
          .build_bytes = hnsw::GraphBuilder::EstimateBytes(count, m)};
}

absl::Status HnswIndexFactory::Build(const SlotSource& slots, const ParamMap& params, const BuildContext& context,
                                     SectionSink* sink) const {
  if (slots.vectors.size() > hnsw::kMaxSlots) {
    return ResourceExhausted("an HNSW index holds at most " + std::to_string(hnsw::kMaxSlots) +
                             " vectors: " + std::to_string(slots.vectors.size()) + " given");
  }
  if (GetDistanceFunction(slots.shape.metric, slots.shape.element) == nullptr) {
    return InvalidArgument("metric " + std::string(MetricName(slots.shape.metric)) + " does not compare vectors of " +
                           std::string(ElementTypeName(slots.shape.element)));
  }
  const uint32_t m = BuildParam(params, "m", hnsw::kDefaultM);
  hnsw::GraphBuilder builder(slots, m, BuildParam(params, "ef_construction", hnsw::kDefaultEfConstruction), context);
  RETURN_IF_ERROR(builder.Build());
  return hnsw::WriteGraph(builder.TakeGraph(), m, sink);
}

absl::StatusOr<std::unique_ptr<FieldIndexSearcher>> HnswIndexFactory::Open(const SectionSource& sections,
                                                                           const VectorShape& shape,
                                                                           uint32_t slot_count,
                                                                           const ParamMap& params) const {
  ASSIGN_OR_RETURN(const StoredVectors vectors, StoredVectors::Open(sections, shape, slot_count));
  ASSIGN_OR_RETURN(const hnsw::GraphView graph, hnsw::GraphView::Open(sections, slot_count, params));
  return std::make_unique<hnsw::HnswSearcher>(graph, vectors, params);
}

void HnswIndexFactory::Verify(const SectionSource& sections, const VectorShape& shape, uint32_t slot_count,
                              const ParamMap& params, bool deep, std::vector<IndexDamage>* damage) const {
  const absl::StatusOr<StoredVectors> vectors = StoredVectors::Open(sections, shape, slot_count);
  if (!vectors.ok()) damage->push_back({SectionKind::kVectors, 0, std::string(vectors.status().message())});
  const absl::StatusOr<hnsw::GraphView> graph = hnsw::GraphView::Open(sections, slot_count, params);
  if (!graph.ok()) {
    damage->push_back({SectionKind::kGraphLevels, 0, std::string(graph.status().message())});
    return;
  }
  hnsw::VerifyGraph(*graph, deep, damage);
}

std::string HnswIndexFactory::Dump(const SectionSource& sections, const VectorShape& /*shape*/, uint32_t slot_count,
                                   const ParamMap& params) const {
  const absl::StatusOr<hnsw::GraphView> graph = hnsw::GraphView::Open(sections, slot_count, params);
  return hnsw::DumpGraph(graph);
}

}  // namespace varve
