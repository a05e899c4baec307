// A record as one JSON object: what `get` and `scan` print. Given back as a put operation it makes the same record
// again (times and sequence aside).
#ifndef VARVE_CLI_RECORD_JSON_H_
#define VARVE_CLI_RECORD_JSON_H_

#include <string_view>

#include "base/json_writer.h"
#include "varve/record.h"
#include "varve/schema.h"

namespace varve::cli {

// Writes the member `name`, or `name`_base64 if the bytes are not UTF-8.
void WriteBytes(std::string_view name, std::string_view bytes, JsonWriter* writer);

// Members: key, namespace (or their _base64 forms), vector (of the schema's first dense field), vectors (of the others,
// by field), metadata, payload_base64, expires_at (milliseconds since 1970), created_at and updated_at (microseconds),
// and sequence. What a record does not have is left out. Requires: record.metadata is JSON, or empty.
void WriteRecord(const Record& record, const Schema& schema, JsonWriter* writer);

// Only what names the record.
void WriteKey(const Record& record, JsonWriter* writer);

}  // namespace varve::cli

#endif  // VARVE_CLI_RECORD_JSON_H_
