#include "cli/json_lines.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/status.h"
#include "cli/base64.h"
#include "cli/filter_argument.h"
#include "cli/json_members.h"
#include "cli/json_value.h"
#include "varve/clock.h"

namespace varve::cli {
namespace {

using Kind = WriteBatch::Kind;

absl::StatusOr<NamedVector> ParseVector(const JsonValue& value, std::string field, std::string_view name) {
  const JsonValue::Array* items = value.array();
  if (items != nullptr && !items->empty() && items->front().array() != nullptr) {
    return Unimplemented(std::string(name) +
                         " is an array of arrays: multi-vector fields are not built in this version");
  }
  ASSIGN_OR_RETURN(std::vector<float> floats, ToFloats(value, name));
  return NamedVector{std::move(field), std::move(floats)};
}

// "vector" and "vectors".
absl::StatusOr<std::vector<NamedVector>> TakeVectors(JsonMembers* members) {
  std::vector<NamedVector> vectors;
  if (const JsonValue* value = members->Take("vector")) {
    ASSIGN_OR_RETURN(NamedVector vector, ParseVector(*value, "", "\"vector\""));
    vectors.push_back(std::move(vector));
  }
  if (const JsonValue* value = members->Take("vectors")) {
    const JsonValue::Object* fields = value->object();
    if (fields == nullptr) return InvalidArgument("\"vectors\" is not a JSON object");
    for (const auto& [field, components] : *fields) {
      if (field.empty()) return InvalidArgument("\"vectors\" has a field without a name");
      ASSIGN_OR_RETURN(NamedVector vector, ParseVector(components, field, "vector " + Quoted(field)));
      vectors.push_back(std::move(vector));
    }
  }
  return vectors;
}

absl::StatusOr<std::optional<std::string>> TakeObjectText(JsonMembers* members, std::string_view name) {
  const JsonValue* value = members->Take(name);
  if (value == nullptr) return std::optional<std::string>();
  if (value->object() == nullptr) return InvalidArgument(Quoted(name) + " is not a JSON object");
  return value->ToText();
}

absl::StatusOr<std::optional<std::string>> TakePayload(JsonMembers* members) {
  const JsonValue* value = members->Take("payload_base64");
  if (value == nullptr) return std::optional<std::string>();
  ASSIGN_OR_RETURN(const std::string text, ToString(*value, "\"payload_base64\""));
  return DecodeBase64(text, "\"payload_base64\"");
}

// Put and insert.
absl::Status FillRecord(JsonMembers* members, RecordInput* record) {
  ASSIGN_OR_RETURN(record->vectors, TakeVectors(members));
  ASSIGN_OR_RETURN(std::optional<std::string> metadata, TakeObjectText(members, "metadata"));
  record->metadata = std::move(metadata).value_or("");
  ASSIGN_OR_RETURN(std::optional<std::string> payload, TakePayload(members));
  record->payload = std::move(payload).value_or("");
  if (const JsonValue* ttl = members->Take("ttl_seconds"); ttl != nullptr && !ttl->is_null()) {
    ASSIGN_OR_RETURN(record->ttl_seconds, ToInt64(*ttl, "\"ttl_seconds\""));
  }
  return absl::OkStatus();
}

absl::Status FillUpdate(JsonMembers* members, RecordUpdate* update) {
  ASSIGN_OR_RETURN(update->vectors, TakeVectors(members));
  ASSIGN_OR_RETURN(update->metadata, TakeObjectText(members, "metadata"));
  ASSIGN_OR_RETURN(update->patch, TakeObjectText(members, "patch"));
  ASSIGN_OR_RETURN(update->payload, TakePayload(members));
  if (const JsonValue* ttl = members->Take("ttl_seconds")) {
    update->clear_ttl = ttl->is_null();
    if (!update->clear_ttl) {
      ASSIGN_OR_RETURN(update->ttl_seconds, ToInt64(*ttl, "\"ttl_seconds\""));
    }
  }
  return absl::OkStatus();
}

// The text by which the caller named the record: what an acknowledgement repeats.
std::optional<std::string> KeyText(JsonMembers* members) {
  const JsonValue* given = members->Take("key");
  if (given == nullptr) given = members->Take("key_base64");
  if (given == nullptr || given->string() == nullptr) return std::nullopt;
  return *given->string();
}

absl::StatusOr<LineOperation> ParseWrite(Kind kind, JsonMembers* members) {
  LineOperation operation;
  operation.write.kind = kind;
  operation.key_text = KeyText(members);
  ASSIGN_OR_RETURN(std::optional<std::string> key, members->TakeBytes("key"));
  if (!key) return InvalidArgument("\"key\" is missing");
  ASSIGN_OR_RETURN(std::optional<std::string> ns, members->TakeBytes("namespace"));
  if (kind == Kind::kUpdate) {
    operation.write.update.key = *std::move(key);
    operation.write.update.ns = std::move(ns).value_or("");
  } else {
    operation.write.record.key = *std::move(key);
    operation.write.record.ns = std::move(ns).value_or("");
  }
  if (const JsonValue* sequence = members->Take("if_sequence")) {
    ASSIGN_OR_RETURN(operation.write.if_sequence, ToUint64(*sequence, "\"if_sequence\""));
  }
  if (kind != Kind::kDelete) RETURN_IF_ERROR(members->RefuseUnbuilt({"sparse", "text"}));
  if (kind == Kind::kUpdate) {
    RETURN_IF_ERROR(FillUpdate(members, &operation.write.update));
  } else if (kind != Kind::kDelete) {
    RETURN_IF_ERROR(FillRecord(members, &operation.write.record));
  }
  return operation;
}

absl::StatusOr<LineOperation> ParseNamed(const std::string& name, JsonMembers* members) {
  if (name == "put") return ParseWrite(Kind::kPut, members);
  if (name == "insert") return ParseWrite(Kind::kInsert, members);
  if (name == "update") return ParseWrite(Kind::kUpdate, members);
  if (name == "delete") return ParseWrite(Kind::kDelete, members);
  LineOperation operation;
  if (name == "delete_namespace") {
    operation.kind = LineOperation::Kind::kDeleteNamespace;
    ASSIGN_OR_RETURN(operation.ns, members->TakeBytes("namespace"));
    if (!operation.ns) return InvalidArgument("\"namespace\" is missing");
  } else if (name == "flush") {
    operation.kind = LineOperation::Kind::kFlush;
  } else if (name == "checkpoint") {
    operation.kind = LineOperation::Kind::kCheckpoint;
  } else if (name == "delete_where") {
    operation.kind = LineOperation::Kind::kDeleteWhere;
    const JsonValue* filter = members->Take("filter");
    if (filter == nullptr) return InvalidArgument("\"filter\" is missing");
    ASSIGN_OR_RETURN(operation.filter, ToFilter(*filter));
    ASSIGN_OR_RETURN(operation.ns, members->TakeBytes("namespace"));
  } else {
    return InvalidArgument("unknown operation " + Quoted(name));
  }
  return operation;
}

// A record as scan and export print it, to be put again: when and in which order it was written is not kept, when it
// expires is, to the second.
absl::StatusOr<LineOperation> ParsePrinted(JsonMembers* members) {
  for (const std::string_view name : {"sequence", "created_at", "updated_at"}) (void)members->Take(name);
  std::optional<int64_t> expires_at_ms;
  if (const JsonValue* expires = members->Take("expires_at")) {
    ASSIGN_OR_RETURN(expires_at_ms, ToInt64(*expires, "\"expires_at\""));
  }
  ASSIGN_OR_RETURN(LineOperation operation, ParseWrite(Kind::kPut, members));
  if (expires_at_ms.has_value()) {
    const int64_t now_ms = Clock::Default()->WallMicros() / 1000;
    // Rounded up; what has expired meanwhile expires again at once.
    const int64_t left_s = *expires_at_ms > now_ms ? (*expires_at_ms - now_ms - 1) / 1000 + 1 : 0;
    operation.write.record.ttl_seconds = left_s;
  }
  return operation;
}

}  // namespace

absl::StatusOr<FilePointer> OpenLines(const std::string& path) {
  FilePointer file(std::fopen(path.c_str(), "re"));
  if (file == nullptr) return ErrnoStatus(errno, "open", path);
  return file;
}

absl::StatusOr<bool> LineReader::Next(std::string* line) {
  line->clear();
  for (int c = getc_unlocked(stream_); c != EOF; c = getc_unlocked(stream_)) {
    if (c != '\n') {
      if (line->size() == kMaxLineBytes) {
        return InvalidArgument(name_ + ": line " + std::to_string(line_number_ + 1) + " is longer than " +
                               std::to_string(kMaxLineBytes) + " bytes");
      }
      line->push_back(static_cast<char>(c));
      continue;
    }
    ++line_number_;
    if (line->find_first_not_of(" \t\r") != std::string::npos) return true;
    line->clear();
  }
  if (std::ferror(stream_) != 0) return ErrnoStatus(errno, "read", name_);
  if (line->find_first_not_of(" \t\r") == std::string::npos) return false;
  ++line_number_;
  return true;
}

absl::StatusOr<LineOperation> ParseOperation(std::string_view line) {
  ASSIGN_OR_RETURN(const JsonValue value, ParseJson(line));
  ASSIGN_OR_RETURN(JsonMembers members, JsonMembers::Of(value, "the operation"));
  const JsonValue* op = members.Take("op");
  LineOperation operation;
  if (op != nullptr) {
    ASSIGN_OR_RETURN(const std::string name, ToString(*op, "\"op\""));
    ASSIGN_OR_RETURN(operation, ParseNamed(name, &members));
  } else if (members.Take("sequence") != nullptr) {
    ASSIGN_OR_RETURN(operation, ParsePrinted(&members));
  } else {
    return InvalidArgument("\"op\" is missing");
  }
  RETURN_IF_ERROR(members.RefuseRest());
  return operation;
}

void AddToBatch(WriteBatch::Operation operation, WriteBatch* batch) {
  switch (operation.kind) {
    case Kind::kPut:
      batch->Put(std::move(operation.record), operation.if_sequence);
      break;
    case Kind::kInsert:
      batch->Insert(std::move(operation.record), operation.if_sequence);
      break;
    case Kind::kUpdate:
      batch->Update(std::move(operation.update), operation.if_sequence);
      break;
    case Kind::kDelete:
      batch->Delete(std::move(operation.record.ns), std::move(operation.record.key), operation.if_sequence);
      break;
    case Kind::kDeleteNamespace:
      batch->DeleteNamespace(std::move(operation.record.ns));
      break;
  }
}

std::string AckLine(const LineOperation& operation) {
  if (!operation.key_text) return "ack";
  const std::string& key = *operation.key_text;
  const bool breaks_the_line = std::any_of(key.begin(), key.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
  if (!breaks_the_line) return "ack " + key;
  return "ack " + JsonWriter().String(key).Take();
}

}  // namespace varve::cli
