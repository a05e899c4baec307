#include "engine/background/index_policy.h"

#include <algorithm>

#include "base/status.h"
#include "index/index_registry.h"

namespace varve {
namespace {

// The params of the schema that the chosen type knows: under kAuto they may be meant for another type.
ParamMap KnownParams(const IndexTraits& traits, const ParamMap& given) {
  ParamMap known;
  for (const auto& [name, value] : given) {
    for (const ParamSpec& spec : traits.params) {
      if (spec.name == name) known[name] = value;
    }
  }
  return known;
}

absl::StatusOr<IndexChoice> Take(const FieldSpec& field, IndexType type, uint64_t vectors, std::string why) {
  IndexChoice choice;
  choice.why = std::move(why);
  ASSIGN_OR_RETURN(choice.factory, FindIndexFactory(type));
  const IndexTraits& traits = choice.factory->traits();
  ASSIGN_OR_RETURN(choice.params, ResolveParams(traits, KnownParams(traits, field.index.params)));
  const VectorShape shape{field.dimension, field.metric, field.element};
  choice.build_bytes = choice.factory->EstimateBytes(vectors, shape, choice.params).build_bytes;
  return choice;
}

}  // namespace

absl::StatusOr<IndexChoice> ChooseIndex(const FieldSpec& field, const IndexCircumstances& circumstances) {
  const uint64_t vectors = circumstances.vectors;
  if (field.index.type != IndexType::kAuto) return Take(field, field.index.type, vectors, "pinned by the schema");
  const uint64_t threshold = circumstances.stays ? kGraphThreshold : kFragmentGraphThreshold;
  const std::string of = circumstances.stays ? " vectors" : " vectors in a fragment";
  if (vectors < threshold) {
    return Take(field, IndexType::kFlat, vectors,
                std::to_string(vectors) + of + ", below " + std::to_string(threshold) + ": exact scan");
  }
  ASSIGN_OR_RETURN(IndexChoice graph,
                   Take(field, IndexType::kHnsw, vectors,
                        std::to_string(vectors) + of + ", at or above " + std::to_string(threshold) + ": graph"));
  if (graph.build_bytes <= circumstances.memory_bytes) return graph;
  return Take(field, IndexType::kFlat, vectors,
              "a graph of " + std::to_string(vectors) + " vectors takes " + std::to_string(graph.build_bytes) +
                  " bytes to build, the memory budget has " + std::to_string(circumstances.memory_bytes) +
                  ": exact scan");
}

uint64_t MaxRowsFor(const Schema& schema, size_t memory_bytes) {
  // Estimates are linear in the rows but for rounding.
  constexpr uint64_t kSample = 1 << 20;
  uint64_t sample_bytes = kSample * kRowBuildBytes;
  for (const FieldSpec& field : schema.fields) {
    const absl::StatusOr<IndexChoice> choice = ChooseIndex(field, {.vectors = kSample});
    // Fields are built one after the other.
    if (choice.ok()) sample_bytes = std::max(sample_bytes, kSample * kRowBuildBytes + choice->build_bytes);
  }
  const double rows = static_cast<double>(memory_bytes) / static_cast<double>(sample_bytes) * kSample;
  return rows >= static_cast<double>(kMaxRowsPerSegment) ? kMaxRowsPerSegment : static_cast<uint64_t>(rows);
}

}  // namespace varve
