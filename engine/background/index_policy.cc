#include "engine/background/index_policy.h"

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

}  // namespace

absl::StatusOr<IndexChoice> ChooseIndex(const FieldSpec& field, uint64_t vectors) {
  IndexChoice choice;
  IndexType type = field.index.type;
  if (type != IndexType::kAuto) {
    choice.why = "pinned by the schema";
  } else {
    const bool graph = vectors >= kGraphThreshold;
    type = graph ? IndexType::kHnsw : IndexType::kFlat;
    choice.why = std::to_string(vectors) + (graph ? " vectors, at or above " : " vectors, below ") +
                 std::to_string(kGraphThreshold) + (graph ? ": graph" : ": exact scan");
  }
  ASSIGN_OR_RETURN(choice.factory, FindIndexFactory(type));
  const IndexTraits& traits = choice.factory->traits();
  ASSIGN_OR_RETURN(choice.params, ResolveParams(traits, KnownParams(traits, field.index.params)));
  return choice;
}

}  // namespace varve
