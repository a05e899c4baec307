// A search request checked against the schema and brought into the form that parts are searched with.
#ifndef VARVE_ENGINE_SEARCH_PREPARED_SEARCH_H_
#define VARVE_ENGINE_SEARCH_PREPARED_SEARCH_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/search/filter_program.h"
#include "index/field_index.h"
#include "varve/schema.h"
#include "varve/search.h"

namespace varve {

// Views into the request, which outlives it.
struct PreparedSearch {
  const FieldSpec* field = nullptr;
  size_t field_position = 0;
  std::string vector;      // in the field's element type
  float inverse_norm = 1;  // for cosine
  size_t k = 0;
  const ParamMap* params = nullptr;
  bool exact = false;
  const std::string* ns = nullptr;        // null: all namespaces
  std::unique_ptr<FilterProgram> filter;  // null: every record

  FieldQuery query() const {
    FieldQuery query;
    query.dense = reinterpret_cast<const std::byte*>(vector.data());
    query.inverse_norm = inverse_norm;
    return query;
  }
};

// Errors: InvalidArgument: unknown field, wrong dimension, NaN, zero vector under cosine, k = 0, unknown parameter or
// one out of range, namespace over its limit, a filter with an error.
absl::StatusOr<PreparedSearch> PrepareSearch(const Schema& schema, const SearchRequest& request);

// The score of a distance: larger is better (search.h).
float ScoreOf(Metric metric, float distance);

}  // namespace varve

#endif  // VARVE_ENGINE_SEARCH_PREPARED_SEARCH_H_
