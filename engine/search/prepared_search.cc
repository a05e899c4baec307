#include "engine/search/prepared_search.h"

#include <cmath>

#include "base/status.h"
#include "engine/write/batch_validator.h"
#include "engine/write/vector_codec.h"
#include "index/dense_distance.h"
#include "index/index_registry.h"

namespace varve {
namespace {

// A parameter counts if some index type of this build knows it: the segments of a collection may be of several types.
absl::Status CheckParams(const ParamMap& params) {
  for (const auto& [name, value] : params) {
    const ParamSpec* known = nullptr;
    for (const FieldIndexFactory* factory : AllIndexFactories()) {
      for (const ParamSpec& spec : factory->traits().params) {
        if (spec.of_search && spec.name == name) known = &spec;
      }
    }
    if (known == nullptr) return InvalidArgument("unknown search parameter " + Quoted(name));
    if (!(value >= known->min && value <= known->max) || (known->integral && value != std::floor(value))) {
      return InvalidArgument("search parameter " + Quoted(name) + " is " + std::to_string(value) + ", expected " +
                             (known->integral ? "an integer of " : "") + std::to_string(known->min) + " to " +
                             std::to_string(known->max));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PreparedSearch> PrepareSearch(const Schema& schema, const SearchRequest& request) {
  PreparedSearch prepared;
  prepared.field = request.field.empty() ? schema.DefaultDenseField() : schema.FindField(request.field);
  if (prepared.field == nullptr) return InvalidArgument("unknown field " + Quoted(request.field));
  prepared.field_position = static_cast<size_t>(prepared.field - schema.fields.data());
  if (request.k == 0) return InvalidArgument("k is 0, expected at least 1");
  if (request.ns.has_value()) RETURN_IF_ERROR(ValidateNamespace(*request.ns));
  if (request.filter.has_value() && request.filter->kind() != Filter::Kind::kTrue) {
    ASSIGN_OR_RETURN(prepared.filter, FilterProgram::Make(*request.filter));
  }
  RETURN_IF_ERROR(CheckParams(request.params));
  ASSIGN_OR_RETURN(prepared.vector, EncodeVector(*prepared.field, request.vector));
  if (prepared.field->metric == Metric::kCosine) {
    prepared.inverse_norm = InverseNorm(prepared.vector.data(), prepared.field->element, prepared.field->dimension);
  }
  prepared.k = request.k;
  prepared.params = &request.params;
  prepared.exact = request.exact;
  prepared.ns = request.ns.has_value() ? &*request.ns : nullptr;
  return prepared;
}

float ScoreOf(Metric metric, float distance) { return metric == Metric::kCosine ? 1.0f - distance : -distance; }

}  // namespace varve
