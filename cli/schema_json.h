// A schema as JSON: what `create --schema` reads, and `create` and `info` print. Pure functions.
#ifndef VARVE_CLI_SCHEMA_JSON_H_
#define VARVE_CLI_SCHEMA_JSON_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "base/json_writer.h"
#include "varve/schema.h"

namespace varve::cli {

// {"fields":[{"name","kind","dimension","metric","element","index","compression","params"}],"sync":MODE}; all but name
// and dimension of a field have defaults (dense, l2, f32, auto, none).
// Errors: InvalidArgument naming the member; Unimplemented for kinds and members that this version does not build.
absl::StatusOr<Schema> ParseSchema(std::string_view text);

// Names in lower case, so that ParseSchema reads it again.
void WriteSchema(const Schema& schema, JsonWriter* writer);

}  // namespace varve::cli

#endif  // VARVE_CLI_SCHEMA_JSON_H_
