#include "index/hnsw/hnsw_index.h"

#include <algorithm>

#include "base/status.h"
#include "index/dense_traits.h"
#include "index/hnsw/graph_builder.h"
#include "index/hnsw/graph_dump.h"
#include "index/hnsw/graph_reuse.h"
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

uint32_t EfConstruction(const ParamMap& params) {
  return BuildParam(params, "ef_construction", hnsw::kDefaultEfConstruction);
}

absl::Status CheckSlots(const SlotSource& slots) {
  if (slots.vectors.size() > hnsw::kMaxSlots) {
    return ResourceExhausted("an HNSW index holds at most " + std::to_string(hnsw::kMaxSlots) +
                             " vectors: " + std::to_string(slots.vectors.size()) + " given");
  }
  if (GetDistanceFunction(slots.shape.metric, slots.shape.element) == nullptr) {
    return InvalidArgument("metric " + std::string(MetricName(slots.shape.metric)) + " does not compare vectors of " +
                           std::string(ElementTypeName(slots.shape.element)));
  }
  return absl::OkStatus();
}

// Of all vectors, those that a graph must have to be taken over: the others are inserted at the full price. With a
// fifth a merge takes 0.88 of the time of building anew, with a tenth 0.96, and repair comes on top of that
// (bench/hnsw_merge; docs/design/0008-reuse-of-graphs.md).
constexpr double kLeastReusedPart = 0.2;

bool IsEnough(uint64_t kept, uint64_t slots) {
  return kept > 0 && static_cast<double>(kept) >= kLeastReusedPart * static_cast<double>(slots);
}

// The param as a segment has it, which may be any number, or 0.
double StoredParam(const ParamMap& params, std::string_view name) {
  const auto found = params.find(name);
  return found != params.end() ? found->second : 0;
}

// The input whose graph is taken over; null if none is worth it.
const MergeInput* ChooseBase(absl::Span<const MergeInput> inputs, uint32_t m, uint32_t ef_construction,
                             uint32_t slots) {
  const MergeInput* best = nullptr;
  uint64_t most = 0;
  for (const MergeInput& input : inputs) {
    if (input.type != IndexType::kHnsw || StoredParam(input.params, "m") != m ||
        !(StoredParam(input.params, "ef_construction") >= ef_construction)) {
      continue;
    }
    const auto kept = static_cast<uint64_t>(
        std::count_if(input.new_slots.begin(), input.new_slots.end(), [](SlotId slot) { return slot != kNoSlot; }));
    if (kept <= most) continue;
    most = kept;
    best = &input;
  }
  return IsEnough(most, slots) ? best : nullptr;
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
      .can_merge = true,
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
  RETURN_IF_ERROR(CheckSlots(slots));
  const uint32_t m = BuildParam(params, "m", hnsw::kDefaultM);
  hnsw::GraphBuilder builder(slots, hnsw::MakeInsertionOrder(slots.count(), m, context.seed), m, EfConstruction(params),
                             context);
  RETURN_IF_ERROR(builder.Build());
  return hnsw::WriteGraph(builder.TakeGraph(), m, sink);
}

absl::Status HnswIndexFactory::Merge(const SlotSource& slots, absl::Span<const MergeInput> inputs,
                                     const ParamMap& params, const BuildContext& context, SectionSink* sink) const {
  RETURN_IF_ERROR(CheckSlots(slots));
  RETURN_IF_ERROR(CheckMergeInputs(slots, inputs));
  const uint32_t m = BuildParam(params, "m", hnsw::kDefaultM);
  const MergeInput* const base = ChooseBase(inputs, m, EfConstruction(params), slots.count());
  if (base == nullptr) return Build(slots, params, context, sink);
  ASSIGN_OR_RETURN(const hnsw::GraphView graph, hnsw::GraphView::Open(*base->sections, base->slot_count, base->params));
  ASSIGN_OR_RETURN(hnsw::GraphReuse reuse, hnsw::GraphReuse::Open(graph, base->new_slots, slots.count()));
  if (!IsEnough(reuse.kept_count(), slots.count())) return Build(slots, params, context, sink);
  hnsw::GraphBuilder builder(slots, reuse.MakeOrder(context.seed), m, EfConstruction(params), context);
  RETURN_IF_ERROR(reuse.Build(context, &builder));
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
