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

// Takes the type, with as many threads as the memory allows.
absl::StatusOr<IndexChoice> Take(const FieldSpec& field, IndexType type, const IndexCircumstances& circumstances,
                                 std::string why) {
  IndexChoice choice;
  choice.why = std::move(why);
  ASSIGN_OR_RETURN(choice.factory, FindIndexFactory(type));
  const IndexTraits& traits = choice.factory->traits();
  ASSIGN_OR_RETURN(choice.params, ResolveParams(traits, KnownParams(traits, field.index.params)));
  const VectorShape shape{field.dimension, field.metric, field.element};
  for (choice.threads = std::max(circumstances.threads, 1);; choice.threads /= 2) {
    choice.build_bytes =
        choice.factory->EstimateBytes(circumstances.vectors, shape, choice.params, choice.threads).build_bytes;
    if (choice.build_bytes <= circumstances.memory_bytes || choice.threads == 1) return choice;
  }
}

}  // namespace

uint64_t GraphThreshold(const FieldSpec& field) {
  constexpr uint64_t kScannedBytes = 2 << 20;
  constexpr uint64_t kLeast = 1024;
  constexpr uint64_t kMost = 4096;
  return std::clamp<uint64_t>(kScannedBytes / field.vector_bytes(), kLeast, kMost);
}

absl::StatusOr<IndexChoice> ChooseIndex(const FieldSpec& field, const IndexCircumstances& circumstances) {
  const uint64_t vectors = circumstances.vectors;
  if (field.index.type != IndexType::kAuto) return Take(field, field.index.type, circumstances, "pinned by the schema");
  const std::string count = std::to_string(vectors) + " vectors";
  const uint64_t threshold = GraphThreshold(field);
  if (vectors < threshold) {
    return Take(field, IndexType::kFlat, circumstances,
                count + ", below " + std::to_string(threshold) + ": exact scan");
  }
  ASSIGN_OR_RETURN(IndexChoice graph, Take(field, IndexType::kHnsw, circumstances,
                                           count + ", at or above " + std::to_string(threshold) + ": graph"));
  if (graph.build_bytes <= circumstances.memory_bytes) return graph;
  return Take(field, IndexType::kFlat, circumstances,
              "a graph of " + count + " takes " + std::to_string(graph.build_bytes) +
                  " bytes to build, the memory budget has " + std::to_string(circumstances.memory_bytes) +
                  ": exact scan");
}

uint64_t MaxRowsFor(const Schema& schema, size_t memory_bytes) {
  // Estimates are linear in the rows but for rounding, above what a build needs for any.
  constexpr uint64_t kFew = 1 << 14;
  constexpr uint64_t kMany = 1 << 20;
  // Graphs over fewer rows would be too many to search.
  constexpr uint64_t kFewestInGraphs = 1 << 15;
  constexpr uint64_t kMostScanned = 1 << 16;
  constexpr uint64_t kFewestScanned = 1 << 10;
  uint64_t most = kMaxRowsPerSegment;
  for (const FieldSpec& field : schema.fields) {  // built one after the other
    const absl::StatusOr<IndexChoice> few = ChooseIndex(field, {.vectors = kFew});
    const absl::StatusOr<IndexChoice> many = ChooseIndex(field, {.vectors = kMany});
    if (!few.ok() || !many.ok()) continue;
    const double per_row =
        kRowBuildBytes +
        (static_cast<double>(many->build_bytes) - static_cast<double>(few->build_bytes)) / (kMany - kFew);
    const double fixed = static_cast<double>(few->build_bytes) - (per_row - kRowBuildBytes) * kFew;
    const double rows = std::max(static_cast<double>(memory_bytes) - std::max(fixed, 0.0), 0.0) / per_row;
    uint64_t of_field = rows < static_cast<double>(most) ? static_cast<uint64_t>(rows) : most;
    if (of_field < kFewestInGraphs) {
      const uint64_t scanned = std::clamp<uint64_t>(memory_bytes / kRowBuildBytes, kFewestScanned, kMostScanned);
      of_field = std::max(of_field, field.index.type == IndexType::kAuto ? scanned : kFewestScanned);
    }
    most = std::min(most, of_field);
  }
  return most;
}

}  // namespace varve
