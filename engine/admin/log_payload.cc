#include "engine/admin/log_payload.h"

#include <string>

#include "base/status.h"
#include "varve/types.h"

namespace varve {
namespace {

absl::Status CheckVectors(const pb::LogRow& row, const pb::Schema& schema) {
  for (const pb::LogVector& vector : row.vectors()) {
    const pb::Field* found = nullptr;
    for (const pb::Field& field : schema.fields()) {
      if (field.id() == vector.field_id()) found = &field;
    }
    if (found == nullptr) return DataLoss("a vector of field " + std::to_string(vector.field_id()) + ", which is none");
    const size_t bytes = VectorBytes(static_cast<ElementType>(found->element()), found->dimension());
    if (vector.data().size() != bytes) {
      return DataLoss("a vector of field " + std::to_string(vector.field_id()) + " has " +
                      std::to_string(vector.data().size()) + " bytes instead of " + std::to_string(bytes));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<LogPayload> DecodeRow(const LogRecord& record, const pb::Schema* schema) {
  pb::LogRow row;
  if (!row.ParseFromString(record.payload)) return DataLoss("the payload is no varve.LogRow");
  if (row.key().empty() || row.key().size() > kMaxKeyBytes || row.ns().size() > kMaxNamespaceBytes) {
    return DataLoss("a key of " + std::to_string(row.key().size()) + " bytes in a namespace of " +
                    std::to_string(row.ns().size()));
  }
  if (schema != nullptr) RETURN_IF_ERROR(CheckVectors(row, *schema));
  return row;
}

}  // namespace

absl::StatusOr<LogPayload> DecodeLogPayload(const LogRecord& record, const pb::Schema* schema) {
  if (record.type != LogEntryType::kControl) return DecodeRow(record, schema);
  pb::LogControl control;
  if (!control.ParseFromString(record.payload)) return DataLoss("the payload is no varve.LogControl");
  if (control.what_case() == pb::LogControl::WHAT_NOT_SET) {
    return Unimplemented("a control entry that this build does not know");
  }
  return control;
}

std::string_view LogEntryTypeName(LogEntryType type) {
  switch (type) {
    case LogEntryType::kInsert:
      return "insert";
    case LogEntryType::kDelete:
      return "delete";
    case LogEntryType::kUpdate:
      return "update";
    case LogEntryType::kControl:
      return "control";
  }
  return "unknown";
}

}  // namespace varve
