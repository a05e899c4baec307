// Filters as the command line and JSON lines give them. Pure functions; thread-safe.
#ifndef VARVE_CLI_FILTER_ARGUMENT_H_
#define VARVE_CLI_FILTER_ARGUMENT_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "cli/json_value.h"
#include "varve/filter.h"

namespace varve::cli {

// The value of --filter: the SQL-like spelling, or the JSON one if it begins with a brace.
absl::StatusOr<Filter> ParseFilterArgument(std::string_view text);

// The member "filter": a string in the SQL-like spelling, or an object of JSON operators. Offsets in its errors are
// those in the string, or in the object without white space.
absl::StatusOr<Filter> ToFilter(const JsonValue& value);

}  // namespace varve::cli

#endif  // VARVE_CLI_FILTER_ARGUMENT_H_
