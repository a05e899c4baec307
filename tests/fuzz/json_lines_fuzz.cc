// Lines of operations and of search requests, and schemas: what is accepted as a put, printed as a record, reads as the
// same put again; an accepted schema is printed and read as the same.
#include <cstdio>
#include <string>

#include "base/json.h"
#include "base/json_writer.h"
#include "cli/json_lines.h"
#include "cli/record_json.h"
#include "cli/schema_json.h"
#include "cli/search_requests.h"
#include "engine/version/schema_codec.h"
#include "tests/fuzz/fuzz_target.h"

namespace varve::fuzz {
namespace {

Schema TwoFields() {
  Schema schema = Schema::SingleVector(2, Metric::kL2);
  schema.fields.push_back(schema.fields.front());
  schema.fields.back().name = "other";
  return schema;
}

bool SameFloats(const VectorValue& a, const VectorValue& b) { return a.floats() == b.floats(); }

// Of a put whose vectors are those of TwoFields.
void CheckPrinted(const RecordInput& put) {
  Record record;
  record.ns = put.ns;
  record.key = put.key;
  record.payload = put.payload;
  record.sequence = 1;
  if (!put.metadata.empty()) {
    const absl::StatusOr<std::string> compact = CompactJsonObject(put.metadata);
    if (!compact.ok()) return;
    record.metadata = *compact;
  }
  for (const NamedVector& vector : put.vectors) {
    const std::string name = vector.field.empty() ? "vector" : vector.field;
    if (name != "vector" && name != "other") return;
    for (const auto& [field, floats] : record.vectors) {
      if (field == name) return;  // the store refuses it
    }
    record.vectors.emplace_back(name, vector.value.floats());
  }
  JsonWriter writer;
  cli::WriteRecord(record, TwoFields(), &writer);
  const absl::StatusOr<cli::LineOperation> again = cli::ParseOperation(writer.text());
  FUZZ_CHECK_OK(again);
  FUZZ_CHECK(again->kind == cli::LineOperation::Kind::kWrite && again->write.kind == WriteBatch::Kind::kPut);
  const RecordInput& read = again->write.record;
  FUZZ_CHECK(read.ns == put.ns && read.key == put.key && read.payload == put.payload);
  FUZZ_CHECK(CompactJsonObject(read.metadata.empty() ? "{}" : read.metadata).value_or("") ==
                 (record.metadata.empty() ? "{}" : record.metadata) ||
             read.metadata == record.metadata);
  FUZZ_CHECK(read.vectors.size() == put.vectors.size());
  for (const NamedVector& vector : read.vectors) {
    const std::string name = vector.field.empty() ? "vector" : vector.field;
    for (const NamedVector& given : put.vectors) {
      if ((given.field.empty() ? "vector" : given.field) == name) FUZZ_CHECK(SameFloats(given.value, vector.value));
    }
  }
}

void CheckSchema(std::string_view line) {
  const absl::StatusOr<Schema> schema = cli::ParseSchema(line);
  if (!schema.ok()) return;
  JsonWriter writer;
  cli::WriteSchema(*schema, &writer);
  const absl::StatusOr<Schema> again = cli::ParseSchema(writer.text());
  FUZZ_CHECK_OK(again);
  JsonWriter second;
  cli::WriteSchema(*again, &second);
  FUZZ_CHECK(second.text() == writer.text());
  const absl::StatusOr<Schema> valid = ValidateSchema(*schema);
  if (valid.ok()) FUZZ_CHECK_OK(DecodeSchema(EncodeSchema(*valid), "schema"));
}

void RunJsonLines(std::string_view input) {
  std::string bytes(input);
  if (bytes.empty()) return;
  const cli::FilePointer stream(fmemopen(bytes.data(), bytes.size(), "r"));
  FUZZ_CHECK(stream != nullptr);
  cli::LineReader reader(stream.get(), "input");
  WriteBatch batch;
  std::string line;
  for (absl::StatusOr<bool> more = reader.Next(&line);; more = reader.Next(&line)) {
    FUZZ_CHECK_OK(more);
    if (!*more) break;
    (void)cli::ParseRequest(line, {});
    CheckSchema(line);
    absl::StatusOr<cli::LineOperation> operation = cli::ParseOperation(line);
    if (!operation.ok()) continue;
    FUZZ_CHECK(cli::AckLine(*operation).find('\n') == std::string::npos);
    if (operation->kind != cli::LineOperation::Kind::kWrite) continue;
    if (operation->write.kind == WriteBatch::Kind::kPut) CheckPrinted(operation->write.record);
    cli::AddToBatch(std::move(operation->write), &batch);
  }
}

std::vector<std::string> JsonLinesSeeds() {
  return {R"({"op":"put","key":"a","namespace":"n","vector":[1,2.5],"metadata":{"year":2020},)"
          R"("payload_base64":"AAEC","ttl_seconds":60})"
          "\n"
          R"({"op":"insert","key_base64":"/w==","vectors":{"other":[1e-3,-0]},"if_sequence":0})"
          "\n\n"
          R"({"op":"update","key":"a","patch":{"year":null},"ttl_seconds":null})"
          "\r\n"
          R"({"op":"delete","key":"a","namespace_base64":"bg=="})",
          R"({"op":"delete_where","filter":"year >= 2020 AND NOT lang = 'en'","namespace":""})"
          "\n"
          R"({"op":"delete_where","filter":{"year":{"$gt":1}}})"
          "\n"
          R"({"op":"delete_namespace","namespace":"n"})"
          "\n"
          R"({"op":"flush"})"
          "\n"
          R"({"op":"checkpoint"})",
          R"({"key":"a","namespace":"","vector":[1,2],"metadata":{},"expires_at":1700000000000,)"
          R"("created_at":1,"updated_at":2,"sequence":3})",
          R"({"id":7,"vector":[1,2],"k":3,"namespace":"n","filter":{"a":1},"params":{"ef":40},)"
          R"("exact":true,"score_threshold":0.5})",
          R"({"fields":[{"name":"v","kind":"dense","dimension":4,"metric":"cosine","element":"f16",)"
          R"("index":"hnsw","compression":"none","params":{"m":8}}],"sync":"every:10"})"};
}

}  // namespace

FuzzTarget JsonLinesTarget() {
  FuzzTarget target{.name = "json_lines", .run = RunJsonLines, .seeds = JsonLinesSeeds};
  target.words = {"\"op\":",
                  "\"key\":",
                  "\"key_base64\":",
                  "\"vector\":[",
                  "\"vectors\":{",
                  "\"metadata\":{",
                  "\"patch\":{",
                  "\"payload_base64\":",
                  "\"ttl_seconds\":",
                  "\"if_sequence\":",
                  "\"sequence\":",
                  "\"expires_at\":",
                  "\"filter\":",
                  "\"fields\":[",
                  "\"params\":{",
                  "1e39",
                  "-0.0",
                  "null",
                  "\"put\""};
  return target;
}

}  // namespace varve::fuzz
