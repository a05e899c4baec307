#include "varve/schema.h"

#include "gtest/gtest.h"

namespace varve {
namespace {

TEST(Schema, SingleVectorHasOneDenseFieldNamedVector) {
  const Schema schema = Schema::SingleVector(784, Metric::kCosine, ElementType::kF16);

  ASSERT_EQ(schema.fields.size(), 1u);
  const FieldSpec& field = schema.fields[0];
  EXPECT_EQ(field.id, 0u);
  EXPECT_EQ(field.name, "vector");
  EXPECT_EQ(field.kind, FieldKind::kDense);
  EXPECT_EQ(field.dimension, 784u);
  EXPECT_EQ(field.metric, Metric::kCosine);
  EXPECT_EQ(field.vector_bytes(), 1568u);
  EXPECT_EQ(field.index.type, IndexType::kAuto);
  EXPECT_EQ(schema.DefaultDenseField(), &field);
}

TEST(Schema, FindsFieldsByNameAndById) {
  Schema schema;
  schema.fields.push_back({.id = 7, .name = "body", .kind = FieldKind::kText});
  schema.fields.push_back({.id = 9, .name = "image", .kind = FieldKind::kDense, .dimension = 8});
  schema.fields.push_back({.id = 3, .name = "sound", .kind = FieldKind::kDense, .dimension = 4});

  EXPECT_EQ(schema.FindField("sound"), &schema.fields[2]);
  EXPECT_EQ(schema.FindField(FieldId{7}), &schema.fields[0]);
  EXPECT_EQ(schema.FindField("Sound"), nullptr);
  EXPECT_EQ(schema.FindField(FieldId{1}), nullptr);
  EXPECT_EQ(schema.DefaultDenseField(), &schema.fields[1]);
}

TEST(Schema, HasNoDefaultDenseFieldWithoutADenseField) {
  Schema schema;
  schema.fields.push_back({.id = 1, .name = "body", .kind = FieldKind::kText});
  EXPECT_EQ(schema.DefaultDenseField(), nullptr);
}

TEST(IndexSpec, PresetsHaveTheirParameters) {
  EXPECT_EQ(IndexSpec::HighRecall().params, (ParamMap{{"m", 32}, {"ef_construction", 400}, {"ef", 200}}));
  EXPECT_EQ(IndexSpec::Fast().params, (ParamMap{{"m", 8}, {"ef_construction", 100}, {"ef", 40}}));
  EXPECT_EQ(IndexSpec::Fast().compression, CompressionType::kNone);
  EXPECT_TRUE(IndexSpec().params.empty());
}

TEST(SchemaNames, EveryNameIsReadBackAsItsValue) {
  for (uint8_t i = 1; i <= 5; ++i) EXPECT_EQ(ParseMetric(MetricName(Metric{i})), Metric{i});
  for (uint8_t i = 1; i <= 6; ++i) EXPECT_EQ(ParseElementType(ElementTypeName(ElementType{i})), ElementType{i});
  for (uint8_t i = 1; i <= 4; ++i) EXPECT_EQ(ParseFieldKind(FieldKindName(FieldKind{i})), FieldKind{i});
  for (uint8_t i = 0; i <= 7; ++i) EXPECT_EQ(ParseIndexType(IndexTypeName(IndexType{i})), IndexType{i});
  for (uint8_t i = 1; i <= 6; ++i) {
    EXPECT_EQ(ParseCompressionType(CompressionTypeName(CompressionType{i})), CompressionType{i});
  }
}

TEST(SchemaNames, AreThoseOfTheCommandLineAndOfInfo) {
  EXPECT_EQ(MetricName(Metric::kInnerProduct), "ip");
  EXPECT_EQ(ElementTypeName(ElementType::kBF16), "bf16");
  EXPECT_EQ(FieldKindName(FieldKind::kMultiVector), "multi_vector");
  EXPECT_EQ(IndexTypeName(IndexType::kIvfPq), "IVF_PQ");
  EXPECT_EQ(IndexTypeName(IndexType::kDiskAnn), "DISKANN");
  EXPECT_EQ(CompressionTypeName(CompressionType::kNone), "NONE");
  EXPECT_EQ(CompressionTypeName(CompressionType::kProductQuantization), "PRODUCT_QUANTIZATION");
}

TEST(SchemaNames, CaseDoesNotMatterAndShortFormsAreUnderstood) {
  EXPECT_EQ(ParseMetric("Inner_Product"), Metric::kInnerProduct);
  EXPECT_EQ(ParseIndexType("hnsw"), IndexType::kHnsw);
  EXPECT_EQ(ParseIndexType("auto"), IndexType::kAuto);
  EXPECT_EQ(ParseCompressionType("none"), CompressionType::kNone);
  for (const char* name : {"sq8", "sq4", "f16", "bf16"}) {
    EXPECT_EQ(ParseCompressionType(name), CompressionType::kScalarQuantization) << name;
  }
  for (const char* name : {"pq", "PQ4"}) {
    EXPECT_EQ(ParseCompressionType(name), CompressionType::kProductQuantization) << name;
  }
  for (const char* name : {"turbo2", "turbo3", "turbo4"}) {
    EXPECT_EQ(ParseCompressionType(name), CompressionType::kTurboquant) << name;
  }
  EXPECT_EQ(ParseCompressionType("binary"), CompressionType::kBinaryQuantization);
  EXPECT_EQ(ParseCompressionType("rabitq"), CompressionType::kRabitq);
}

TEST(SchemaNames, UnknownNamesAndValuesAreNotTakenForOthers) {
  for (const char* name : {"", "l", "l22", "unknown", "UNKNOWN", "turbo5"}) {
    EXPECT_EQ(ParseMetric(name), std::nullopt) << name;
    EXPECT_EQ(ParseElementType(name), std::nullopt) << name;
    EXPECT_EQ(ParseFieldKind(name), std::nullopt) << name;
    EXPECT_EQ(ParseIndexType(name), std::nullopt) << name;
    EXPECT_EQ(ParseCompressionType(name), std::nullopt) << name;
  }
  EXPECT_EQ(MetricName(Metric{99}), "UNKNOWN");
  EXPECT_EQ(CompressionTypeName(CompressionType::kUnspecified), "UNKNOWN");
}

}  // namespace
}  // namespace varve
