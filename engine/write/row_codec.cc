#include "engine/write/row_codec.h"

#include <memory>

#include "base/status.h"
#include "engine/write/batch_validator.h"

namespace varve {

std::string EncodeLogRow(const Schema& schema, const NewRow& row) {
  pb::LogRow message;
  message.set_ns(row.ns.data(), row.ns.size());
  message.set_key(row.key.data(), row.key.size());
  for (size_t f = 0; f < row.vectors.size(); ++f) {
    if (row.vectors[f].empty()) continue;
    pb::LogVector* vector = message.add_vectors();
    vector->set_field_id(schema.fields[f].id);
    vector->set_data(row.vectors[f].data(), row.vectors[f].size());
  }
  message.set_metadata(row.metadata.data(), row.metadata.size());
  message.set_payload(row.payload.data(), row.payload.size());
  if (row.expires_at_ms != kNeverExpires) message.set_expires_at(row.expires_at_ms);
  message.set_created_at(row.created_at_us);
  message.set_updated_at(row.updated_at_us);
  return message.SerializeAsString();
}

std::string EncodeLogDelete(std::string_view ns, std::string_view key) {
  pb::LogRow message;
  message.set_ns(ns.data(), ns.size());
  message.set_key(key.data(), key.size());
  return message.SerializeAsString();
}

absl::StatusOr<std::unique_ptr<DecodedLogRow>> DecodeLogRow(const Schema& schema, std::string_view payload) {
  auto decoded = std::make_unique<DecodedLogRow>();
  pb::LogRow& message = decoded->message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return DataLoss("log record's payload is no row");
  }
  NewRow& row = decoded->row;
  row.ns = message.ns();
  row.key = message.key();
  if (!ValidateNamespace(row.ns).ok() || !ValidateKey(row.key).ok()) {
    return DataLoss("log record has a key or namespace over the limits");
  }
  row.vectors.resize(schema.fields.size());
  for (const pb::LogVector& vector : message.vectors()) {
    const FieldSpec* field = schema.FindField(vector.field_id());
    if (field == nullptr || vector.data().size() != field->vector_bytes()) {
      return DataLoss("log record has a vector that does not fit field " + std::to_string(vector.field_id()));
    }
    row.vectors[static_cast<size_t>(field - schema.fields.data())] = vector.data();
  }
  row.metadata = message.metadata();
  row.payload = message.payload();
  row.created_at_us = message.created_at();
  row.updated_at_us = message.updated_at();
  if (message.has_expires_at()) row.expires_at_ms = message.expires_at();
  return decoded;
}

}  // namespace varve
