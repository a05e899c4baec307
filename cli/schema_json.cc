#include "cli/schema_json.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/status.h"
#include "cli/json_members.h"
#include "cli/json_value.h"

namespace varve::cli {
namespace {

// Takes a member whose value is a name of an enumeration; leaves `target` as it is if the member is not there.
template <typename T>
absl::Status TakeEnum(JsonMembers* members, std::string_view name, std::optional<T> (*parse)(std::string_view),
                      T* target) {
  const JsonValue* value = members->Take(name);
  if (value == nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string text, ToString(*value, Quoted(name)));
  const std::optional<T> parsed = parse(text);
  if (!parsed) return InvalidArgument("unknown " + std::string(name) + " " + Quoted(text));
  *target = *parsed;
  return absl::OkStatus();
}

absl::StatusOr<ParamMap> ParseParams(const JsonValue& value) {
  const JsonValue::Object* members = value.object();
  if (members == nullptr) return InvalidArgument("\"params\" is not a JSON object");
  ParamMap params;
  for (const auto& [name, number] : *members) {
    ASSIGN_OR_RETURN(params[name], ToDouble(number, "parameter " + Quoted(name)));
  }
  return params;
}

absl::StatusOr<FieldSpec> ParseField(const JsonValue& value) {
  ASSIGN_OR_RETURN(JsonMembers members, JsonMembers::Of(value, "the field"));
  FieldSpec field;
  const JsonValue* name = members.Take("name");
  if (name == nullptr) return InvalidArgument("\"name\" is missing");
  ASSIGN_OR_RETURN(field.name, ToString(*name, "\"name\""));
  RETURN_IF_ERROR(TakeEnum(&members, "kind", &ParseFieldKind, &field.kind));
  if (field.kind != FieldKind::kDense) {
    return Unimplemented("fields of kind " + std::string(FieldKindName(field.kind)) + " are not built in this version");
  }
  const JsonValue* dimension = members.Take("dimension");
  if (dimension == nullptr) return InvalidArgument("\"dimension\" is missing");
  ASSIGN_OR_RETURN(const uint64_t components, ToUint64(*dimension, "\"dimension\""));
  if (components < 1 || components > kMaxDimension) {
    return InvalidArgument("\"dimension\" is " + std::to_string(components) + ": expected 1 to " +
                           std::to_string(kMaxDimension));
  }
  field.dimension = static_cast<uint32_t>(components);
  RETURN_IF_ERROR(TakeEnum(&members, "metric", &ParseMetric, &field.metric));
  RETURN_IF_ERROR(TakeEnum(&members, "element", &ParseElementType, &field.element));
  RETURN_IF_ERROR(TakeEnum(&members, "index", &ParseIndexType, &field.index.type));
  RETURN_IF_ERROR(TakeEnum(&members, "compression", &ParseCompressionType, &field.index.compression));
  if (const JsonValue* params = members.Take("params")) {
    ASSIGN_OR_RETURN(field.index.params, ParseParams(*params));
  }
  members.Take("id");  // as WriteSchema shows it; a new collection numbers its own fields
  RETURN_IF_ERROR(members.RefuseRest());
  return field;
}

std::string LowerCase(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

}  // namespace

absl::StatusOr<Schema> ParseSchema(std::string_view text) {
  ASSIGN_OR_RETURN(const JsonValue value, ParseJson(text));
  ASSIGN_OR_RETURN(JsonMembers members, JsonMembers::Of(value, "the schema"));
  const JsonValue* fields = members.Take("fields");
  if (fields == nullptr || fields->array() == nullptr) return InvalidArgument("\"fields\" is not an array");
  Schema schema;
  for (const JsonValue& item : *fields->array()) {
    absl::StatusOr<FieldSpec> field = ParseField(item);
    if (!field.ok()) return Annotate(field.status(), "field " + std::to_string(schema.fields.size() + 1));
    schema.fields.push_back(*std::move(field));
  }
  const JsonValue* metadata = members.Take("metadata");
  if (metadata != nullptr && (metadata->array() == nullptr || !metadata->array()->empty())) {
    return Unimplemented("typed metadata columns are not built in this version");
  }
  RETURN_IF_ERROR(TakeEnum(&members, "sync", &ParseSyncMode, &schema.sync));
  RETURN_IF_ERROR(members.RefuseRest());
  return schema;
}

void WriteSchema(const Schema& schema, JsonWriter* writer) {
  writer->BeginObject().Key("fields").BeginArray();
  for (const FieldSpec& field : schema.fields) {
    writer->BeginObject();
    writer->Key("id").Uint(field.id);
    writer->Key("name").String(field.name);
    writer->Key("kind").String(LowerCase(FieldKindName(field.kind)));
    writer->Key("dimension").Uint(field.dimension);
    writer->Key("metric").String(LowerCase(MetricName(field.metric)));
    writer->Key("element").String(LowerCase(ElementTypeName(field.element)));
    writer->Key("index").String(LowerCase(IndexTypeName(field.index.type)));
    writer->Key("compression").String(LowerCase(CompressionTypeName(field.index.compression)));
    writer->Key("params").BeginObject();
    for (const auto& [name, number] : field.index.params) writer->Key(name).Double(number);
    writer->EndObject().EndObject();
  }
  writer->EndArray();
  writer->Key("sync").String(SyncModeName(schema.sync));
  writer->EndObject();
}

}  // namespace varve::cli
