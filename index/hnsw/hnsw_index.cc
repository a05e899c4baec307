#include "index/hnsw/hnsw_index.h"

#include <algorithm>
#include <optional>

#include "base/status.h"
#include "index/dense_traits.h"
#include "index/hnsw/graph_builder.h"
#include "index/hnsw/graph_dump.h"
#include "index/hnsw/graph_reuse.h"
#include "index/hnsw/graph_verifier.h"
#include "index/hnsw/graph_writer.h"
#include "index/hnsw/hnsw_format.h"
#include "index/hnsw/hnsw_searcher.h"
#include "index/hnsw/leaf_linker.h"
#include "index/hnsw/leaf_partition.h"
#include "index/stored_vectors.h"

namespace varve {
namespace {

constexpr double kByInsertion = -1;

constexpr ParamSpec kParams[] = {
    {"m", hnsw::kDefaultM, hnsw::kMinM, hnsw::kMaxM, /*integral=*/true, /*of_search=*/false,
     "neighbours of a node on each level above the lowest, half of those on the lowest"},
    {"ef_construction", hnsw::kDefaultEfConstruction, 8, 10'000, /*integral=*/true, /*of_search=*/false,
     "candidates kept while a node's neighbours are searched"},
    {"partitions", 0, kByInsertion, 100, /*integral=*/true, /*of_search=*/false,
     "divisions into groups of near vectors, linked within their groups; 0: by the number of vectors; -1: none, "
     "vectors "
     "are inserted one by one"},
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

// How the graph of these vectors is built: what leaves it is linked in, or nothing where it is built by insertion.
std::optional<hnsw::LeafSettings> Leaves(const VectorShape& shape, const ParamMap& params) {
  const auto found = params.find("partitions");
  const double partitions = found != params.end() ? found->second : 0;
  const bool by_l2 = shape.metric == Metric::kL2 || shape.metric == Metric::kCosine;
  if (!by_l2 || partitions == kByInsertion) return std::nullopt;
  return hnsw::LeafSettings::Make(static_cast<uint32_t>(partitions), BuildParam(params, "m", hnsw::kDefaultM),
                                  EfConstruction(params), shape.dimension);
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

// Of all vectors, those that a graph must have to be taken over: the others are inserted one by one. Where building
// anew is insertion too, a merge takes 0.88 of the time of it with a fifth, 0.96 with a tenth, and repair comes on top
// of that. Building by partitions costs about a quarter of insertion: with 0.9 of the vectors a merge takes 0.32 of it,
// with 0.8 0.56, but 0.44 and 0.69 where the graph lost a tenth or three tenths of its nodes; and the repaired rows
// cost .008 and .016 of recall at ef 10 beside new ones (bench/hnsw_merge; docs/design/0008-reuse-of-graphs.md).
constexpr double kLeastReusedPart = 0.2;
constexpr double kLeastReusedPartBesidePartitions = 0.85;
constexpr double kLeastKeptBesidePartitions = 0.95;  // of the graph's own nodes

// Whether `kept` of a graph's `nodes` are enough to take it over into one of `slots`.
bool IsEnough(uint64_t kept, uint64_t nodes, uint64_t slots, bool by_partitions) {
  const auto part = [&](uint64_t all) {
    return static_cast<double>(kept) / static_cast<double>(std::max<uint64_t>(all, 1));
  };
  if (kept == 0) return false;
  if (!by_partitions) return part(slots) >= kLeastReusedPart;
  return part(slots) >= kLeastReusedPartBesidePartitions && part(nodes) >= kLeastKeptBesidePartitions;
}

// The param as a segment has it, which may be any number, or 0.
double StoredParam(const ParamMap& params, std::string_view name) {
  const auto found = params.find(name);
  return found != params.end() ? found->second : 0;
}

// The input whose graph is taken over; null if none is worth it.
const MergeInput* ChooseBase(absl::Span<const MergeInput> inputs, uint32_t m, uint32_t ef_construction, uint32_t slots,
                             bool by_partitions) {
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
  return best != nullptr && IsEnough(most, best->new_slots.size(), slots, by_partitions) ? best : nullptr;
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

FieldIndexFactory::Estimate HnswIndexFactory::EstimateBytes(uint64_t count, const VectorShape& shape,
                                                            const ParamMap& params, int threads) const {
  const uint32_t m = BuildParam(params, "m", hnsw::kDefaultM);
  Estimate estimate = {.section_bytes = hnsw::EstimateSectionBytes(count, m),
                       .build_bytes = hnsw::GraphBuilder::EstimateBytes(count, m)};
  if (const std::optional<hnsw::LeafSettings> leaves = Leaves(shape, params)) {
    estimate.build_bytes += static_cast<uint64_t>(std::max(threads, 1)) * leaves->ScratchBytes(shape.dimension, count) +
                            count * hnsw::kPartitionBytesPerNode;
  }
  return estimate;
}

absl::Status HnswIndexFactory::Build(const SlotSource& slots, const ParamMap& params, const BuildContext& context,
                                     SectionSink* sink) const {
  RETURN_IF_ERROR(CheckSlots(slots));
  const uint32_t m = BuildParam(params, "m", hnsw::kDefaultM);
  hnsw::GraphBuilder builder(slots, hnsw::MakeInsertionOrder(slots.count(), m, context.seed), m, EfConstruction(params),
                             context);
  const std::optional<hnsw::LeafSettings> leaves = Leaves(slots.shape, params);
  RETURN_IF_ERROR(leaves.has_value() ? builder.BuildByPartitions(*leaves) : builder.Build());
  return hnsw::WriteGraph(builder.TakeGraph(), m, sink);
}

absl::Status HnswIndexFactory::Merge(const SlotSource& slots, absl::Span<const MergeInput> inputs,
                                     const ParamMap& params, const BuildContext& context, SectionSink* sink) const {
  RETURN_IF_ERROR(CheckSlots(slots));
  RETURN_IF_ERROR(CheckMergeInputs(slots, inputs));
  const uint32_t m = BuildParam(params, "m", hnsw::kDefaultM);
  const bool by_partitions = Leaves(slots.shape, params).has_value();
  const MergeInput* const base = ChooseBase(inputs, m, EfConstruction(params), slots.count(), by_partitions);
  if (base == nullptr) return Build(slots, params, context, sink);
  ASSIGN_OR_RETURN(const hnsw::GraphView graph, hnsw::GraphView::Open(*base->sections, base->slot_count, base->params));
  ASSIGN_OR_RETURN(hnsw::GraphReuse reuse, hnsw::GraphReuse::Open(graph, base->new_slots, slots.count()));
  if (!IsEnough(reuse.kept_count(), base->slot_count, slots.count(), by_partitions))
    return Build(slots, params, context, sink);
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
