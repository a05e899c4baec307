#include "cli/record_json.h"

#include <algorithm>
#include <string>
#include <vector>

#include "cli/base64.h"

namespace varve::cli {
namespace {

void WriteFloats(const std::vector<float>& values, JsonWriter* writer) {
  writer->BeginArray();
  for (const float value : values) writer->Float(value);
  writer->EndArray();
}

void WriteVectors(const Record& record, const Schema& schema, JsonWriter* writer) {
  const FieldSpec* first = schema.DefaultDenseField();
  const auto is_first = [&](const auto& vector) { return first != nullptr && vector.first == first->name; };
  for (const auto& vector : record.vectors) {
    if (is_first(vector)) WriteFloats(vector.second, &writer->Key("vector"));
  }
  if (std::all_of(record.vectors.begin(), record.vectors.end(), is_first)) return;
  writer->Key("vectors").BeginObject();
  for (const auto& vector : record.vectors) {
    if (!is_first(vector)) WriteFloats(vector.second, &writer->Key(vector.first));
  }
  writer->EndObject();
}

}  // namespace

void WriteBytes(std::string_view name, std::string_view bytes, JsonWriter* writer) {
  if (IsUtf8(bytes)) {
    writer->Key(name).String(bytes);
  } else {
    writer->Key(std::string(name) + "_base64").String(EncodeBase64(bytes));
  }
}

void WriteRecord(const Record& record, const Schema& schema, JsonWriter* writer) {
  writer->BeginObject();
  WriteBytes("key", record.key, writer);
  WriteBytes("namespace", record.ns, writer);
  WriteVectors(record, schema, writer);
  if (!record.metadata.empty()) writer->Key("metadata").Raw(record.metadata);
  if (!record.payload.empty()) writer->Key("payload_base64").String(EncodeBase64(record.payload));
  if (record.expires_at_ms != kNeverExpires) writer->Key("expires_at").Int(record.expires_at_ms);
  writer->Key("created_at").Int(record.created_at_us);
  writer->Key("updated_at").Int(record.updated_at_us);
  writer->Key("sequence").Uint(record.sequence);
  writer->EndObject();
}

void WriteKey(const Record& record, JsonWriter* writer) {
  writer->BeginObject();
  WriteBytes("key", record.key, writer);
  WriteBytes("namespace", record.ns, writer);
  writer->EndObject();
}

}  // namespace varve::cli
