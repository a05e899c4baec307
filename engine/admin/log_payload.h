// What a log record's payload holds, checked against a schema: shared by verify and dump.
#ifndef VARVE_ENGINE_ADMIN_LOG_PAYLOAD_H_
#define VARVE_ENGINE_ADMIN_LOG_PAYLOAD_H_

#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "log.pb.h"
#include "wal/log_reader.h"

namespace varve {

using LogPayload = std::variant<pb::LogRow, pb::LogControl>;

// Errors: DataLoss (without file or offset: the caller knows them) if the payload is no message of the record's type,
// holds a key or namespace beyond the limits, or, with `schema`, vectors that are not of its fields. Unimplemented for
// a control entry of a later build.
absl::StatusOr<LogPayload> DecodeLogPayload(const LogRecord& record, const pb::Schema* schema);

// "insert", "delete", "update", "control".
std::string_view LogEntryTypeName(LogEntryType type);

}  // namespace varve

#endif  // VARVE_ENGINE_ADMIN_LOG_PAYLOAD_H_
