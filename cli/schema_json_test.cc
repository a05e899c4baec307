#include "cli/schema_json.h"

#include <string>

#include "tests/support/status_matchers.h"

namespace varve::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::varve::testing::StatusIs;

std::string ToText(const Schema& schema) {
  JsonWriter writer;
  WriteSchema(schema, &writer);
  return writer.Take();
}

TEST(SchemaJson, ReadsFieldsAndTheirDefaults) {
  ASSERT_OK_AND_ASSIGN(const Schema schema, ParseSchema(R"({"fields":[
      {"name":"a","dimension":3},
      {"name":"b","kind":"dense","dimension":16,"metric":"hamming","element":"bits","index":"HNSW","compression":"none",
       "params":{"m":8}}],
      "metadata":[],"sync":"every:10"})"));

  ASSERT_EQ(schema.fields.size(), 2);
  EXPECT_EQ(schema.fields[0].name, "a");
  EXPECT_EQ(schema.fields[0].dimension, 3);
  EXPECT_EQ(schema.fields[0].metric, Metric::kL2);
  EXPECT_EQ(schema.fields[0].element, ElementType::kF32);
  EXPECT_EQ(schema.fields[0].index.type, IndexType::kAuto);
  EXPECT_EQ(schema.fields[1].metric, Metric::kHamming);
  EXPECT_EQ(schema.fields[1].element, ElementType::kBits);
  EXPECT_EQ(schema.fields[1].index.type, IndexType::kHnsw);
  EXPECT_EQ(schema.fields[1].index.params, (ParamMap{{"m", 8}}));
  EXPECT_EQ(schema.sync, SyncMode::EveryN(10));
}

TEST(SchemaJson, ReadsWhatItWrites) {
  Schema schema = Schema::SingleVector(768, Metric::kInnerProduct, ElementType::kBF16);
  schema.fields.front().index = IndexSpec::HighRecall();
  schema.fields.front().index.type = IndexType::kIvfPq;
  schema.fields.front().index.compression = CompressionType::kProductQuantization;

  ASSERT_OK_AND_ASSIGN(const Schema again, ParseSchema(ToText(schema)));

  EXPECT_EQ(ToText(again), ToText(schema));
  EXPECT_THAT(ToText(schema), AllOf(HasSubstr(R"("index":"ivf_pq","compression":"product_quantization")"),
                                    HasSubstr(R"("metric":"ip","element":"bf16")")));
}

TEST(SchemaJson, NamesTheFieldThatIsWrong) {
  const auto refusal = [](const std::string& second_field) {
    const auto schema = ParseSchema(R"({"fields":[{"name":"a","dimension":3},)" + second_field + "]}");
    EXPECT_THAT(schema, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("field 2"))) << second_field;
    return std::string(schema.status().message());
  };

  EXPECT_THAT(refusal(R"({"dimension":3})"), HasSubstr("\"name\" is missing"));
  EXPECT_THAT(refusal(R"({"name":"b"})"), HasSubstr("\"dimension\" is missing"));
  EXPECT_THAT(refusal(R"({"name":"b","dimension":65536})"), HasSubstr("65536: expected 1 to 65535"));
  EXPECT_THAT(refusal(R"({"name":"b","dimension":3,"metric":"l3"})"), HasSubstr("unknown metric \"l3\""));
  EXPECT_THAT(refusal(R"({"name":"b","dimension":3,"indexes":"flat"})"), HasSubstr("unknown member \"indexes\""));
  EXPECT_THAT(refusal(R"({"name":"b","dimension":3,"params":{"m":"many"}})"), HasSubstr("\"m\" is not a number"));
  EXPECT_THAT(ParseSchema(R"({"field":[]})"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"fields\"")));
  EXPECT_THAT(ParseSchema("{"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("JSON")));
}

TEST(SchemaJson, NamesWhatIsNotBuilt) {
  for (const std::string kind : {"multi_vector", "sparse", "text"}) {
    EXPECT_THAT(ParseSchema(R"({"fields":[{"name":"a","kind":")" + kind + R"("}]})"),
                StatusIs(absl::StatusCode::kUnimplemented, HasSubstr(kind)));
  }
  EXPECT_THAT(ParseSchema(R"({"fields":[],"metadata":[{"path":"year","type":"integer"}]})"),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("metadata columns")));
}

}  // namespace
}  // namespace varve::cli
