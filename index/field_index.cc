#include "index/field_index.h"

#include <cmath>

#include "base/status.h"

namespace varve {
namespace {

const ParamSpec* FindSpec(const IndexTraits& traits, std::string_view name) {
  for (const ParamSpec& spec : traits.params) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

std::string NumberText(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

absl::Status CheckValue(const IndexTraits& traits, const ParamSpec& spec, double value) {
  const std::string of = "index type " + std::string(traits.name) + ", param " + std::string(spec.name);
  if (!(value >= spec.min && value <= spec.max)) {
    return InvalidArgument("value out of range: " + of + " = " + NumberText(value) + ": expected " +
                           NumberText(spec.min) + " to " + NumberText(spec.max));
  }
  if (spec.integral && value != std::floor(value)) {
    return InvalidArgument("value is no integer: " + of + " = " + NumberText(value));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FieldIndexFactory::Merge(const SlotSource& /*slots*/, absl::Span<const MergeInput> /*inputs*/,
                                      const ParamMap& /*params*/, const BuildContext& /*context*/,
                                      SectionSink* /*sink*/) const {
  return Unimplemented("merging is not built: index type " + std::string(traits().name));
}

absl::Status CheckMergeInputs(const SlotSource& slots, absl::Span<const MergeInput> inputs) {
  std::vector<bool> taken(slots.count());
  for (const MergeInput& input : inputs) {
    if (input.new_slots.size() != input.slot_count) {
      return InvalidArgument("merge input of " + std::to_string(input.slot_count) + " slots has a map of " +
                             std::to_string(input.new_slots.size()));
    }
    for (const SlotId slot : input.new_slots) {
      if (slot == kNoSlot) continue;
      if (slot >= slots.count()) {
        return InvalidArgument("merge input leads to slot " + std::to_string(slot) + " of " +
                               std::to_string(slots.count()));
      }
      if (taken[slot]) return InvalidArgument("merge inputs lead to slot " + std::to_string(slot) + " twice");
      taken[slot] = true;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<ParamMap> ResolveParams(const IndexTraits& traits, const ParamMap& given) {
  ParamMap resolved;
  for (const auto& [name, value] : given) {
    const ParamSpec* spec = FindSpec(traits, name);
    if (spec == nullptr) {
      return InvalidArgument("unknown param: index type " + std::string(traits.name) + " has no " + Quoted(name));
    }
    RETURN_IF_ERROR(CheckValue(traits, *spec, value));
    resolved.emplace(name, value);
  }
  for (const ParamSpec& spec : traits.params) resolved.emplace(std::string(spec.name), spec.default_value);
  return resolved;
}

double SearchParam(const SearchParams& search, const ParamMap& stored, std::string_view name, double fallback) {
  if (search.params != nullptr) {
    if (const auto found = search.params->find(name); found != search.params->end()) return found->second;
  }
  const auto found = stored.find(name);
  return found != stored.end() ? found->second : fallback;
}

}  // namespace varve
