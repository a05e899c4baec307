#include "engine/write/batch_validator.h"

#include <limits>

#include "base/bytes.h"
#include "base/json.h"
#include "base/status.h"
#include "engine/write/vector_codec.h"
#include "wal/log_format.h"

namespace varve {
namespace {

// A ttl beyond this would overflow milliseconds since 1970; it is 290,000 years.
constexpr int64_t kMaxTtlSeconds = std::numeric_limits<int64_t>::max() / 1'000'000;

// What a memtable keeps of a row beside its bytes, or more.
constexpr size_t kRowOverheadBytes = 256;

bool MakesRow(WriteBatch::Kind kind) {
  return kind == WriteBatch::Kind::kPut || kind == WriteBatch::Kind::kInsert || kind == WriteBatch::Kind::kUpdate;
}

// What a memtable keeps for the vectors of a row, present or not.
size_t VectorRoom(const Schema& schema) {
  size_t bytes = 0;
  for (const FieldSpec& field : schema.fields) bytes += AlignUp(field.vector_bytes(), 64) + sizeof(float);
  return bytes;
}

absl::Status PrepareVectors(const Schema& schema, const std::vector<NamedVector>& given, PreparedOperation* prepared) {
  prepared->vectors.resize(schema.fields.size());
  for (const NamedVector& vector : given) {
    const FieldSpec* field = vector.field.empty() ? schema.DefaultDenseField() : schema.FindField(vector.field);
    if (field == nullptr) {
      return InvalidArgument(vector.field.empty() ? std::string("the collection has no dense field")
                                                  : "unknown field " + Quoted(vector.field));
    }
    std::string& target = prepared->vectors[static_cast<size_t>(field - schema.fields.data())];
    if (!target.empty()) return InvalidArgument("field \"" + field->name + "\" is given twice");
    ASSIGN_OR_RETURN(target, EncodeVector(*field, vector.value));
  }
  return absl::OkStatus();
}

absl::Status PrepareTtl(const std::optional<int64_t>& ttl_seconds, PreparedOperation* prepared) {
  if (ttl_seconds.has_value() && (*ttl_seconds < 0 || *ttl_seconds > kMaxTtlSeconds)) {
    return InvalidArgument("ttl_seconds is " + std::to_string(*ttl_seconds) + ", expected 0 to " +
                           std::to_string(kMaxTtlSeconds));
  }
  prepared->ttl_seconds = ttl_seconds;
  return absl::OkStatus();
}

absl::StatusOr<std::string> PrepareMetadata(const std::string& metadata) {
  if (metadata.empty()) return std::string();
  return CompactJsonObject(metadata);
}

absl::Status PrepareRecord(const Schema& schema, const RecordInput& record, PreparedOperation* prepared) {
  RETURN_IF_ERROR(PrepareVectors(schema, record.vectors, prepared));
  ASSIGN_OR_RETURN(prepared->metadata, PrepareMetadata(record.metadata));
  prepared->payload = record.payload;
  return PrepareTtl(record.ttl_seconds, prepared);
}

absl::Status PrepareUpdate(const Schema& schema, const RecordUpdate& update, PreparedOperation* prepared) {
  RETURN_IF_ERROR(PrepareVectors(schema, update.vectors, prepared));
  if (update.metadata.has_value() && update.patch.has_value()) {
    return InvalidArgument("metadata and patch are given together");
  }
  if (update.ttl_seconds.has_value() && update.clear_ttl) {
    return InvalidArgument("ttl_seconds and clear_ttl are given together");
  }
  if (update.metadata.has_value()) {
    ASSIGN_OR_RETURN(prepared->metadata, PrepareMetadata(*update.metadata));
  }
  if (update.patch.has_value()) {
    ASSIGN_OR_RETURN(prepared->patch, CompactJsonObject(*update.patch));
  }
  prepared->payload = update.payload;
  prepared->clear_ttl = update.clear_ttl;
  return PrepareTtl(update.ttl_seconds, prepared);
}

absl::StatusOr<PreparedOperation> PrepareOperation(const Schema& schema, const WriteBatch::Operation& operation) {
  PreparedOperation prepared;
  prepared.kind = operation.kind;
  prepared.ns = operation.ns();
  prepared.key = operation.key();
  prepared.if_sequence = operation.if_sequence;
  RETURN_IF_ERROR(ValidateNamespace(prepared.ns));
  if (operation.kind == WriteBatch::Kind::kDeleteNamespace) return prepared;
  RETURN_IF_ERROR(ValidateKey(prepared.key));
  switch (operation.kind) {
    case WriteBatch::Kind::kPut:
    case WriteBatch::Kind::kInsert:
      RETURN_IF_ERROR(PrepareRecord(schema, operation.record, &prepared));
      break;
    case WriteBatch::Kind::kUpdate:
      RETURN_IF_ERROR(PrepareUpdate(schema, operation.update, &prepared));
      break;
    case WriteBatch::Kind::kDelete:
    case WriteBatch::Kind::kDeleteNamespace:
      break;
  }
  size_t bytes = prepared.ns.size() + prepared.key.size();
  for (const std::string& vector : prepared.vectors) bytes += vector.size();
  if (prepared.metadata.has_value()) bytes += prepared.metadata->size();
  if (prepared.payload.has_value()) bytes += prepared.payload->size();
  // Leaves room for the message around the fields.
  if (bytes > kMaxLogPayloadBytes - 4096) {
    return InvalidArgument("record has " + std::to_string(bytes) + " bytes, the limit is 64 MiB");
  }
  return prepared;
}

}  // namespace

absl::Status ValidateNamespace(std::string_view ns) {
  if (ns.size() <= kMaxNamespaceBytes) return absl::OkStatus();
  return InvalidArgument("namespace has " + std::to_string(ns.size()) + " bytes, the limit is " +
                         std::to_string(kMaxNamespaceBytes));
}

absl::Status ValidateKey(std::string_view key) {
  if (key.empty()) return InvalidArgument("key is empty");
  if (key.size() <= kMaxKeyBytes) return absl::OkStatus();
  return InvalidArgument("key has " + std::to_string(key.size()) + " bytes, the limit is " +
                         std::to_string(kMaxKeyBytes));
}

absl::StatusOr<PreparedBatch> PrepareBatch(const Schema& schema, const WriteBatch& batch) {
  PreparedBatch prepared;
  prepared.operations.reserve(batch.size());
  for (size_t i = 0; i < batch.size(); ++i) {
    const WriteBatch::Operation& operation = batch.operations()[i];
    if (operation.kind == WriteBatch::Kind::kDeleteNamespace && batch.size() != 1) {
      return InvalidArgument("operation " + std::to_string(i) + ": DeleteNamespace must be alone in its batch");
    }
    absl::StatusOr<PreparedOperation> one = PrepareOperation(schema, operation);
    if (!one.ok()) {
      return Annotate(one.status(), "operation " + std::to_string(i) + ", key " + Quoted(operation.key()));
    }
    prepared.bytes += one->ns.size() + one->key.size() + kRowOverheadBytes;
    if (MakesRow(one->kind)) {
      // An update makes a whole row, whatever it gives; and a row has room for every vector.
      ++prepared.rows;
      prepared.bytes += VectorRoom(schema);
    }
    if (one->metadata.has_value()) prepared.bytes += one->metadata->size();
    if (one->payload.has_value()) prepared.bytes += one->payload->size();
    prepared.operations.push_back(*std::move(one));
  }
  return prepared;
}

}  // namespace varve
