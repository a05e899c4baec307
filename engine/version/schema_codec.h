// Schema between its public form and its stored message.
#ifndef VARVE_ENGINE_VERSION_SCHEMA_CODEC_H_
#define VARVE_ENGINE_VERSION_SCHEMA_CODEC_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "schema.pb.h"
#include "varve/schema.h"

namespace varve {

// A schema as given to Create: checked in full, field ids given out (1, 2, ...).
// Errors: InvalidArgument naming the field (empty or duplicate name, dimension 0 or over the limit, metric and element
// type that do not go together, unknown or bad index params); Unimplemented, by name, for field kinds, index types and
// compressions that this build does not have.
absl::StatusOr<Schema> ValidateSchema(Schema schema);

pb::Schema EncodeSchema(const Schema& schema);
// Errors: DataLoss naming `file` for values that no writer produces; Unimplemented for types this build does not have.
absl::StatusOr<Schema> DecodeSchema(const pb::Schema& message, std::string_view file);

}  // namespace varve

#endif  // VARVE_ENGINE_VERSION_SCHEMA_CODEC_H_
