#include "cli/record_json.h"

#include <cstring>

#include "cli/base64.h"
#include "cli/json_lines.h"
#include "cli/json_value.h"
#include "tests/support/status_matchers.h"

namespace varve::cli {
namespace {

Schema TwoFields() {
  Schema schema = Schema::SingleVector(2, Metric::kL2);
  FieldSpec other = schema.fields.front();
  other.name = "other";
  schema.fields.push_back(other);
  return schema;
}

std::string ToJson(const Record& record) {
  JsonWriter writer;
  WriteRecord(record, TwoFields(), &writer);
  return writer.Take();
}

TEST(RecordJson, ShowsAllThatARecordHas) {
  Record record;
  record.ns = "n";
  record.key = "k";
  record.vectors = {{"vector", {0.1F, -2}}, {"other", {3, 4}}};
  record.metadata = R"({"year":2024})";
  record.payload = "\xFF";
  record.expires_at_ms = 5000;
  record.created_at_us = 6;
  record.updated_at_us = 7;
  record.sequence = 8;

  EXPECT_EQ(ToJson(record),
            R"({"key":"k","namespace":"n","vector":[0.1,-2],"vectors":{"other":[3,4]},"metadata":{"year":2024},)"
            R"("payload_base64":"/w==","expires_at":5000,"created_at":6,"updated_at":7,"sequence":8})");
}

TEST(RecordJson, LeavesOutWhatARecordDoesNotHave) {
  Record record;
  record.key = "k";
  record.sequence = 1;

  EXPECT_EQ(ToJson(record), R"({"key":"k","namespace":"","created_at":0,"updated_at":0,"sequence":1})");
}

TEST(RecordJson, ShowsBytesThatAreNotTextInBase64) {
  Record record;
  record.key = "\xFF";
  record.ns = "\xC0\xAF";
  JsonWriter writer;

  WriteKey(record, &writer);

  EXPECT_EQ(writer.text(), R"({"key_base64":"/w==","namespace_base64":"wK8="})");
}

TEST(RecordJson, GivesTheSameFloatsBack) {
  Record record;
  record.key = "k";
  for (uint32_t bits = 1; bits < 0x7F800000; bits += 7'654'321) {
    float value = 0;
    std::memcpy(&value, &bits, sizeof(value));
    record.vectors.resize(1);
    record.vectors.front().first = "vector";
    record.vectors.front().second.push_back(value);
  }

  ASSERT_OK_AND_ASSIGN(const JsonValue value, ParseJson(ToJson(record)));

  for (const auto& [name, member] : *value.object()) {
    if (name != "vector") continue;
    ASSERT_OK_AND_ASSIGN(const std::vector<float> floats, ToFloats(member, name));
    EXPECT_EQ(floats, record.vectors.front().second);
  }
}

TEST(Base64, RefusesOtherText) {
  ASSERT_OK_AND_ASSIGN(const std::string bytes, DecodeBase64(EncodeBase64(std::string("\0\xFF", 2)), "key"));

  EXPECT_EQ(bytes, std::string("\0\xFF", 2));
  EXPECT_FALSE(DecodeBase64("a", "key").ok());
  EXPECT_FALSE(DecodeBase64("ab!=", "key").ok());
}

}  // namespace
}  // namespace varve::cli
