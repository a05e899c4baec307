// dump: logs.
#include <memory>
#include <string_view>
#include <variant>

#include "base/status.h"
#include "engine/admin/dump_parts.h"
#include "engine/admin/log_payload.h"
#include "wal/log_reader.h"

namespace varve {
namespace {

void AddHeader(const LogHeader& header, JsonWriter* json) {
  json->Key("header").BeginObject();
  json->Member("number", header.number);
  json->Member("first_sequence", header.first_sequence);
  json->Member("collection_uuid", header.collection.ToHex());
  json->Member("pad_to", header.pad_to);
  if (header.previous.number != 0) {
    json->Key("previous").BeginObject();
    json->Member("number", header.previous.number);
    json->Member("length", header.previous.length);
    json->Member("final_crc", Crc32cToHex(header.previous.final_crc));
    json->Member("last_sequence", header.previous.last_sequence);
    json->EndObject();
  }
  json->EndObject();
}

void AddFlags(uint8_t flags, JsonWriter* json) {
  json->Key("flags").BeginArray();
  if ((flags & kFirstOfBatch) != 0) json->String("first_of_batch");
  if ((flags & kLastOfBatch) != 0) json->String("last_of_batch");
  if ((flags & kLz4Payload) != 0) json->String("lz4");
  if ((flags & kLastOfSyncGroup) != 0) json->String("last_of_sync_group");
  json->EndArray();
}

void AddRow(const pb::LogRow& row, JsonWriter* json) {
  json->BytesMember("namespace", row.ns()).BytesMember("key", row.key());
  json->Key("vectors").BeginArray();
  for (const pb::LogVector& vector : row.vectors()) {
    json->BeginObject().Member("field_id", vector.field_id()).Member("bytes", vector.data().size()).EndObject();
  }
  json->EndArray();
  json->Member("metadata_bytes", row.metadata().size()).Member("stored_payload_bytes", row.payload().size());
  if (row.has_expires_at()) json->Key("expires_at").Int(row.expires_at());
  json->Key("created_at").Int(row.created_at());
  json->Key("updated_at").Int(row.updated_at());
}

absl::Status AddRecord(const LogRecord& record, JsonWriter* json) {
  json->BeginObject();
  json->Member("offset", record.offset).Member("end", record.end);
  json->Member("type", LogEntryTypeName(record.type));
  AddFlags(record.flags, json);
  json->Member("sequence", record.sequence).Member("synced_up_to", record.synced_up_to);
  json->Member("payload_bytes", record.payload.size());
  const absl::StatusOr<LogPayload> payload = DecodeLogPayload(record, nullptr);
  if (!payload.ok()) {
    json->Member("damage", std::string(payload.status().message()));
  } else if (const auto* row = std::get_if<pb::LogRow>(&*payload); row != nullptr) {
    AddRow(*row, json);
  } else {
    RETURN_IF_ERROR(AddMessage("control", std::get<pb::LogControl>(*payload), json));
  }
  json->EndObject();
  return absl::OkStatus();
}

}  // namespace

absl::Status AddLog(FileSystem* fs, const std::string& path, JsonWriter* json) {
  ASSIGN_OR_RETURN(const std::unique_ptr<LogReader> reader, LogReader::Open(fs, path));
  AddHeader(reader->header(), json);
  json->Key("records").BeginArray();
  LogReader::Outcome outcome = LogReader::Outcome::kRecord;
  while (true) {
    LogRecord record;
    ASSIGN_OR_RETURN(outcome, reader->Read(&record));
    if (outcome != LogReader::Outcome::kRecord) break;
    RETURN_IF_ERROR(AddRecord(record, json));
  }
  json->EndArray();
  json->Key("end").BeginObject().Member("offset", reader->offset());
  if (outcome == LogReader::Outcome::kInvalid) json->Member("invalid", std::string(reader->invalid_reason()));
  json->EndObject();
  return absl::OkStatus();
}

}  // namespace varve
