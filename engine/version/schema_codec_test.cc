#include "engine/version/schema_codec.h"

#include <limits>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::_;
using ::testing::HasSubstr;
using testing::StatusIs;

Schema OneField() {
  Schema schema;
  FieldSpec field;
  field.name = "vector";
  field.dimension = 8;
  schema.fields.push_back(field);
  return schema;
}

TEST(ValidateSchema, GivesFieldIdsInOrder) {
  Schema schema = OneField();
  schema.fields.push_back(schema.fields[0]);
  schema.fields[0].id = 17;
  schema.fields[1].name = "image";

  ASSERT_OK_AND_ASSIGN(const Schema checked, ValidateSchema(schema));

  EXPECT_EQ(checked.fields[0].id, 1u);
  EXPECT_EQ(checked.fields[1].id, 2u);
}

TEST(ValidateSchema, RefusesBadNames) {
  const std::string too_long(kMaxFieldNameBytes + 1, 'x');
  for (const std::string& name : {std::string(), too_long, std::string("a\nb"), std::string("a\xff"),
                                  std::string("\xc0\x80"), std::string("\xed\xa0\x80")}) {
    Schema schema = OneField();
    schema.fields[0].name = name;
    EXPECT_THAT(ValidateSchema(schema), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("name")));
  }
  Schema schema = OneField();
  schema.fields[0].name = std::string(kMaxFieldNameBytes, 'x');
  EXPECT_OK(ValidateSchema(schema));
  schema.fields[0].name = "Größe";
  EXPECT_OK(ValidateSchema(schema));
}

TEST(ValidateSchema, RefusesANameGivenTwice) {
  Schema schema = OneField();
  schema.fields.push_back(schema.fields[0]);
  EXPECT_THAT(ValidateSchema(schema), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"vector\"")));
}

TEST(ValidateSchema, RefusesNoFieldsAndTooManyFields) {
  EXPECT_THAT(ValidateSchema(Schema()), StatusIs(absl::StatusCode::kInvalidArgument, _));
  Schema schema = OneField();
  for (size_t i = 1; i < kMaxFields; ++i) {
    schema.fields.push_back(schema.fields[0]);
    schema.fields.back().name = "f" + std::to_string(i);
  }
  EXPECT_OK(ValidateSchema(schema));
  schema.fields.push_back(schema.fields[0]);
  schema.fields.back().name = "one more";
  EXPECT_THAT(ValidateSchema(schema), StatusIs(absl::StatusCode::kInvalidArgument, _));
}

TEST(ValidateSchema, RefusesDimensionsOutOfRange) {
  Schema schema = OneField();
  for (const uint32_t dimension : {0u, kMaxDimension + 1}) {
    schema.fields[0].dimension = dimension;
    EXPECT_THAT(ValidateSchema(schema), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("dimension")));
  }
  schema.fields[0].dimension = kMaxDimension;
  EXPECT_OK(ValidateSchema(schema));
}

TEST(ValidateSchema, RefusesMetricAndElementThatDoNotGoTogether) {
  Schema schema = OneField();
  schema.fields[0].metric = Metric::kHamming;
  EXPECT_THAT(ValidateSchema(schema), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("HAMMING")));
  schema.fields[0].element = ElementType::kBits;
  EXPECT_OK(ValidateSchema(schema));
  schema.fields[0].metric = Metric::kL2;
  EXPECT_THAT(ValidateSchema(schema), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("BITS")));
}

TEST(ValidateSchema, RefusesByNameWhatIsNotBuilt) {
  for (const FieldKind kind : {FieldKind::kMultiVector, FieldKind::kSparse, FieldKind::kText}) {
    Schema schema = OneField();
    schema.fields[0].kind = kind;
    EXPECT_THAT(ValidateSchema(schema), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("\"vector\"")));
  }
  Schema index = OneField();
  index.fields[0].index.type = IndexType::kScann;
  EXPECT_THAT(ValidateSchema(index), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("SCANN")));
  Schema compression = OneField();
  compression.fields[0].index.compression = CompressionType::kRabitq;
  EXPECT_THAT(ValidateSchema(compression), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("RABITQ")));
  compression.fields[0].index.type = IndexType::kFlat;
  EXPECT_THAT(ValidateSchema(compression), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("RABITQ")));
}

TEST(ValidateSchema, RefusesEnumeratorsOutOfRange) {
  Schema schema = OneField();
  schema.fields[0].kind = static_cast<FieldKind>(99);
  EXPECT_THAT(ValidateSchema(schema), StatusIs(absl::StatusCode::kInvalidArgument, _));
  schema = OneField();
  schema.fields[0].metric = static_cast<Metric>(0);
  EXPECT_THAT(ValidateSchema(schema), StatusIs(absl::StatusCode::kInvalidArgument, _));
  schema = OneField();
  schema.fields[0].element = static_cast<ElementType>(77);
  EXPECT_THAT(ValidateSchema(schema), StatusIs(absl::StatusCode::kInvalidArgument, _));
  schema = OneField();
  schema.fields[0].index.type = static_cast<IndexType>(200);
  EXPECT_THAT(ValidateSchema(schema), StatusIs(absl::StatusCode::kInvalidArgument, _));
  schema = OneField();
  schema.fields[0].index.compression = CompressionType::kUnspecified;
  EXPECT_THAT(ValidateSchema(schema), StatusIs(absl::StatusCode::kInvalidArgument, _));
  schema = OneField();
  schema.sync.kind = static_cast<SyncMode::Kind>(9);
  EXPECT_THAT(ValidateSchema(schema), StatusIs(absl::StatusCode::kInvalidArgument, _));
}

TEST(ValidateSchema, ChecksParamsOfAPinnedIndex) {
  Schema schema = OneField();
  schema.fields[0].index.type = IndexType::kHnsw;
  schema.fields[0].index.params = {{"m", 16}, {"ef_construction", 100}};
  EXPECT_OK(ValidateSchema(schema));
  schema.fields[0].index.params = {{"nlist", 16}};
  EXPECT_THAT(ValidateSchema(schema), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("nlist")));
  schema.fields[0].index.params = {{"m", 1e9}};
  EXPECT_THAT(ValidateSchema(schema), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("m")));
}

TEST(ValidateSchema, ChecksParamsOfAnAutomaticIndexAgainstAllTypes) {
  Schema schema = OneField();
  schema.fields[0].index.params = {{"m", 16}};
  EXPECT_OK(ValidateSchema(schema));
  schema.fields[0].index.params = {{"m", std::numeric_limits<double>::quiet_NaN()}};
  EXPECT_THAT(ValidateSchema(schema), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("m")));
  schema.fields[0].index.params = {{"efconstruction", 16}};
  EXPECT_THAT(ValidateSchema(schema), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("efconstruction")));
}

TEST(ValidateSchema, RefusesSyncModesThatNeverSync) {
  Schema schema = OneField();
  schema.sync = SyncMode::EveryN(0);
  EXPECT_THAT(ValidateSchema(schema), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("every")));
  schema.sync = SyncMode::Interval(0);
  EXPECT_THAT(ValidateSchema(schema), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("interval")));
}

TEST(SchemaCodec, RoundTrips) {
  Schema schema = OneField();
  schema.fields[0].metric = Metric::kCosine;
  schema.fields[0].element = ElementType::kI8;
  schema.fields[0].index.type = IndexType::kHnsw;
  schema.fields[0].index.params = {{"ef", 77}, {"m", 24}};
  schema.fields.push_back(OneField().fields[0]);
  schema.fields[1].name = "second";
  schema.sync = SyncMode::EveryN(12);
  ASSERT_OK_AND_ASSIGN(const Schema checked, ValidateSchema(schema));

  const pb::Schema message = EncodeSchema(checked);
  ASSERT_OK_AND_ASSIGN(const Schema decoded, DecodeSchema(message, "manifest.json"));

  EXPECT_EQ(message.next_field_id(), 3u);
  ASSERT_EQ(decoded.fields.size(), 2u);
  EXPECT_EQ(decoded.fields[0].id, 1u);
  EXPECT_EQ(decoded.fields[0].name, "vector");
  EXPECT_EQ(decoded.fields[0].dimension, 8u);
  EXPECT_EQ(decoded.fields[0].metric, Metric::kCosine);
  EXPECT_EQ(decoded.fields[0].element, ElementType::kI8);
  EXPECT_EQ(decoded.fields[0].index.type, IndexType::kHnsw);
  EXPECT_EQ(decoded.fields[0].index.params, schema.fields[0].index.params);
  EXPECT_EQ(decoded.fields[1].id, 2u);
  EXPECT_EQ(decoded.sync, SyncMode::EveryN(12));
}

class DecodeSchemaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(const Schema checked, ValidateSchema(OneField()));
    message_ = EncodeSchema(checked);
  }
  void ExpectCode(absl::StatusCode code) {
    EXPECT_THAT(DecodeSchema(message_, "some/file"), StatusIs(code, HasSubstr("some/file")));
  }
  pb::Schema message_;
};

TEST_F(DecodeSchemaTest, RefusesFieldIdsOutOfOrder) {
  message_.mutable_fields(0)->set_id(0);
  ExpectCode(absl::StatusCode::kDataLoss);
  message_.mutable_fields(0)->set_id(2);
  ExpectCode(absl::StatusCode::kDataLoss);
}

TEST_F(DecodeSchemaTest, RefusesAFieldIdGivenTwice) {
  *message_.add_fields() = message_.fields(0);
  message_.mutable_fields(1)->set_name("other");
  ExpectCode(absl::StatusCode::kDataLoss);
}

TEST_F(DecodeSchemaTest, ValuesThatNoWriterStoresAreDamage) {
  pb::Schema good = message_;
  message_.mutable_fields(0)->set_dimension(0);
  ExpectCode(absl::StatusCode::kDataLoss);
  message_ = good;
  message_.mutable_fields(0)->set_metric(pb::METRIC_UNSPECIFIED);
  ExpectCode(absl::StatusCode::kDataLoss);
  message_ = good;
  message_.clear_fields();
  ExpectCode(absl::StatusCode::kDataLoss);
  message_ = good;
  message_.mutable_sync()->set_kind(pb::SyncMode::EVERY_N);
  message_.mutable_sync()->set_n(0);
  ExpectCode(absl::StatusCode::kDataLoss);
  message_ = good;
  pb::Parameter* param = message_.mutable_fields(0)->add_params();
  param->set_name("m");
  param->set_value(16);
  *message_.mutable_fields(0)->add_params() = *param;
  ExpectCode(absl::StatusCode::kDataLoss);
}

TEST_F(DecodeSchemaTest, ValuesOfALaterBuildAreUnimplemented) {
  pb::Schema good = message_;
  message_.mutable_fields(0)->set_index(static_cast<pb::IndexType>(55));
  ExpectCode(absl::StatusCode::kUnimplemented);
  message_ = good;
  message_.mutable_fields(0)->set_kind(static_cast<pb::FieldKind>(55));
  ExpectCode(absl::StatusCode::kUnimplemented);
  message_ = good;
  message_.mutable_fields(0)->set_kind(pb::TEXT);
  ExpectCode(absl::StatusCode::kUnimplemented);
  message_ = good;
  message_.mutable_fields(0)->set_compression(pb::TURBOQUANT);
  ExpectCode(absl::StatusCode::kUnimplemented);
}

TEST_F(DecodeSchemaTest, WithoutASyncModeEveryOperationIsSynced) {
  message_.clear_sync();
  ASSERT_OK_AND_ASSIGN(const Schema decoded, DecodeSchema(message_, "some/file"));
  EXPECT_EQ(decoded.sync, SyncMode::PerOp());
}

}  // namespace
}  // namespace varve
