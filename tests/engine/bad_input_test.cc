// Bad input gets a clear status that names what and where; nothing changes, nothing crashes.
#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/collection_fixture.h"

namespace varve::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

class BadInputTest : public CollectionTest {
 protected:
  void ExpectRefused(const WriteBatch& batch, const ::testing::Matcher<std::string>& message) {
    const Sequence before = collection_->Stats().last_sequence;
    EXPECT_THAT(collection_->Write(batch), StatusIs(kInvalid, message));
    EXPECT_EQ(collection_->Stats().last_sequence, before);
    EXPECT_EQ(*collection_->Count(), 0u);
  }
  void ExpectPutRefused(RecordInput record, const ::testing::Matcher<std::string>& message) {
    WriteBatch batch;
    batch.Put(MakeRecord("good", {1, 1, 1, 1}));
    batch.Put(std::move(record));
    ExpectRefused(batch, message);
  }
};

TEST_F(BadInputTest, Vectors) {
  Create();
  ExpectPutRefused(MakeRecord("k", {1, 2, 3}), AllOf(HasSubstr("operation 1"), HasSubstr("\"k\""), HasSubstr("vector"),
                                                     HasSubstr("dimension 3"), HasSubstr("expected 4")));
  ExpectPutRefused(MakeRecord("k", {}), HasSubstr("dimension 0"));
  ExpectPutRefused(MakeRecord("k", {1, NAN, 3, 4}), AllOf(HasSubstr("component 1"), HasSubstr("NaN")));
  ExpectPutRefused(MakeRecord("k", {1, 2, INFINITY, 4}), HasSubstr("component 2"));
  RecordInput unknown = MakeRecord("k", {1, 1, 1, 1});
  unknown.vectors[0].field = "nonesuch";
  ExpectPutRefused(unknown, HasSubstr("nonesuch"));
  RecordInput twice = MakeRecord("k", {1, 1, 1, 1});
  twice.vectors.push_back({"vector", VectorValue(std::vector<float>{1, 1, 1, 1})});
  ExpectPutRefused(twice, HasSubstr("twice"));
}

TEST_F(BadInputTest, ZeroVectorUnderCosine) {
  Create(Schema::SingleVector(kDimension, Metric::kCosine));
  ExpectPutRefused(MakeRecord("k", {0, 0, 0, 0}), HasSubstr("zero vector"));
  ASSERT_OK(collection_->Put(MakeRecord("k", {1, 0, 0, 0})));
  EXPECT_THAT(Search({0, 0, 0, 0}, 1), StatusIs(kInvalid, HasSubstr("zero vector")));
}

TEST_F(BadInputTest, IntegersOutOfRange) {
  Create(Schema::SingleVector(kDimension, Metric::kL2, ElementType::kU8));
  ExpectPutRefused(MakeRecord("k", {1, 2, 256, 4}), AllOf(HasSubstr("component 2"), HasSubstr("0 to 255")));
  ExpectPutRefused(MakeRecord("k", {1, 2, 0.5, 4}), HasSubstr("integer"));
}

TEST_F(BadInputTest, Keys) {
  Create();
  ExpectPutRefused(MakeRecord("", {1, 1, 1, 1}), HasSubstr("key is empty"));
  ExpectPutRefused(MakeRecord(std::string(kMaxKeyBytes + 1, 'k'), {1, 1, 1, 1}), HasSubstr("65537"));
  RecordInput record = MakeRecord("k", {1, 1, 1, 1});
  record.ns = std::string(kMaxNamespaceBytes + 1, 'n');
  ExpectPutRefused(record, HasSubstr("namespace has 1025 bytes"));
  EXPECT_THAT(collection_->Get("", ""), StatusIs(kInvalid, HasSubstr("empty")));
  EXPECT_THAT(collection_->Delete("", ""), StatusIs(kInvalid, HasSubstr("empty")));
}

TEST_F(BadInputTest, KeysAtTheLimitsAreStoredAndComparedWhole) {
  Create();
  std::string longest(kMaxKeyBytes, '\xFF');
  ASSERT_OK(collection_->Put(MakeRecord(longest, {1, 1, 1, 1})));
  longest.back() = '\xFE';
  ASSERT_OK(collection_->Put(MakeRecord(longest, {2, 2, 2, 2})));
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(*collection_->Count(), 2u);
    EXPECT_EQ(collection_->Get("", longest)->vectors[0].second[0], 2);
    ASSERT_OK(collection_->Flush());
  }
}

TEST_F(BadInputTest, Metadata) {
  Create();
  ExpectPutRefused(MakeRecord("k", {1, 1, 1, 1}, "{\"a\":"), HasSubstr("JSON"));
  ExpectPutRefused(MakeRecord("k", {1, 1, 1, 1}, "[1]"), HasSubstr("object"));
  std::string deep = "1";
  for (int i = 0; i < 100; ++i) deep = "{\"a\":" + deep + "}";
  ExpectPutRefused(MakeRecord("k", {1, 1, 1, 1}, deep), HasSubstr("deep"));
  RecordInput record = MakeRecord("k", {1, 1, 1, 1});
  record.ttl_seconds = -1;
  ExpectPutRefused(record, HasSubstr("ttl_seconds"));
}

TEST_F(BadInputTest, Searches) {
  Create();
  ASSERT_OK(collection_->Put(MakeRecord("k", {1, 1, 1, 1})));
  EXPECT_THAT(Search({1, 1, 1, 1}, 0), StatusIs(kInvalid, HasSubstr("k is 0")));
  EXPECT_THAT(Search({1, 1, 1}, 1), StatusIs(kInvalid, HasSubstr("dimension 3")));
  EXPECT_THAT(Search({1, 1, 1, NAN}, 1), StatusIs(kInvalid, HasSubstr("NaN")));
  SearchRequest request;
  request.vector = VectorValue(std::vector<float>{1, 1, 1, 1});
  request.field = "nonesuch";
  EXPECT_THAT(collection_->Search(request), StatusIs(kInvalid, HasSubstr("nonesuch")));
  request.field = "";
  request.params["frobnicate"] = 1;
  EXPECT_THAT(collection_->Search(request), StatusIs(kInvalid, HasSubstr("frobnicate")));
  request.params = {{"ef", 0}};
  EXPECT_THAT(collection_->Search(request), StatusIs(kInvalid, HasSubstr("ef")));
  EXPECT_EQ(Search({1, 1, 1, 1}, std::numeric_limits<size_t>::max())->hits.size(), 1u);
}

TEST_F(BadInputTest, Schemas) {
  const auto refused = [&](const Schema& schema, absl::StatusCode code, const std::string& what) {
    EXPECT_THAT(Collection::Create(path(), schema, options_), StatusIs(code, HasSubstr(what)));
  };
  refused(Schema{}, kInvalid, "field");
  refused(Schema::SingleVector(0, Metric::kL2), kInvalid, "dimension");
  refused(Schema::SingleVector(kMaxDimension + 1, Metric::kL2), kInvalid, "65536");
  refused(Schema::SingleVector(4, Metric::kHamming, ElementType::kF32), kInvalid, "HAMMING");
  Schema schema = Schema::SingleVector(4, Metric::kL2);
  schema.fields[0].index.type = IndexType::kDiskAnn;
  refused(schema, absl::StatusCode::kUnimplemented, "DISKANN");
  schema = Schema::SingleVector(4, Metric::kL2);
  schema.fields[0].index.compression = CompressionType::kRabitq;
  refused(schema, absl::StatusCode::kUnimplemented, "RABITQ");
  schema = Schema::SingleVector(4, Metric::kL2);
  schema.fields[0].kind = FieldKind::kSparse;
  refused(schema, absl::StatusCode::kUnimplemented, "SPARSE");
  schema = Schema::SingleVector(4, Metric::kL2);
  schema.fields[0].index.params["m"] = 1e9;
  refused(schema, kInvalid, "m");
  schema = Schema::SingleVector(4, Metric::kL2);
  schema.fields.push_back(schema.fields[0]);
  refused(schema, kInvalid, "vector");
}

TEST_F(BadInputTest, Directories) {
  EXPECT_THAT(Collection::Open(temp_ / "nowhere", options_),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("nowhere")));
  EXPECT_THAT(Collection::Open(temp_.path(), options_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not a collection")));
  EXPECT_FALSE(std::filesystem::exists(temp_ / "LOCK")) << "a failed Open left something behind";
  EXPECT_THAT(Collection::OpenReadOnly(temp_.path()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not a")));
  std::ofstream(temp_ / "file") << "x";
  EXPECT_THAT(Collection::Create(temp_.path(), Schema::SingleVector(4, Metric::kL2), options_),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("file")));
  EXPECT_THAT(Collection::Create(temp_ / "file", Schema::SingleVector(4, Metric::kL2), options_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not a directory")));
  EXPECT_THAT(Collection::Create("", Schema::SingleVector(4, Metric::kL2), options_),
              StatusIs(kInvalid, HasSubstr("empty")));
  Create();
  EXPECT_THAT(Collection::Create(path(), Schema::SingleVector(4, Metric::kL2), options_),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("holds a collection")));
}

TEST_F(BadInputTest, ASecondWriterIsRefusedAndAReaderIsNot) {
  Create();
  ASSERT_OK(collection_->Put(MakeRecord("k", {1, 1, 1, 1})));
  EXPECT_THAT(Collection::Open(path(), options_),
              StatusIs(absl::StatusCode::kFailedPrecondition, AllOf(HasSubstr("another writer"), HasSubstr("pid"))));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collection> reader, Collection::OpenReadOnly(path()));
  EXPECT_EQ(*reader->Count(), 1u);
  EXPECT_THAT(reader->Put(MakeRecord("x", {1, 1, 1, 1})),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("read-only")));
  ASSERT_OK(collection_->Put(MakeRecord("l", {1, 1, 1, 1})));
  EXPECT_EQ(*reader->Count(), 1u);
  ASSERT_OK(reader->Refresh());
  EXPECT_EQ(*reader->Count(), 2u);
  ASSERT_OK(collection_->Flush());
  ASSERT_OK(collection_->Delete("", "k"));
  ASSERT_OK(reader->Refresh());
  EXPECT_EQ(*reader->Count(), 1u);
  collection_.reset();
  EXPECT_OK(Collection::Open(path(), options_));
}

TEST_F(BadInputTest, AClosedCollectionRefusesEverything) {
  Create();
  ASSERT_OK(collection_->Close());
  const auto closed = StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("closed"));
  EXPECT_THAT(collection_->Put(MakeRecord("k", {1, 1, 1, 1})), closed);
  EXPECT_THAT(collection_->Get("", "k"), closed);
  EXPECT_THAT(Search({1, 1, 1, 1}, 1), closed);
  EXPECT_THAT(collection_->Flush(), closed);
  EXPECT_OK(collection_->Close());
}

TEST_F(BadInputTest, ABatchLargerThanAMemtable) {
  options_.memtable_bytes = 1 << 16;
  Create();
  WriteBatch batch;
  for (int i = 0; i < 1000; ++i) batch.Put(MakeRecord("k" + std::to_string(i), {1, 1, 1, 1}));
  ExpectRefused(batch, HasSubstr("memtable"));
}

// An update gives a few bytes and makes a whole row: what counts is the row.
TEST_F(BadInputTest, ABatchOfUpdatesThatWouldNotFitIntoAMemtable) {
  options_.memtable_bytes = 1 << 16;
  Create(Schema::SingleVector(1024, Metric::kL2));
  ASSERT_OK(collection_->Put(MakeRecord("k", std::vector<float>(1024, 1.0f))));
  WriteBatch batch;
  for (int i = 0; i < 200; ++i) {
    RecordUpdate update;
    update.key = "k";
    update.metadata = "{}";
    batch.Update(update);
  }
  EXPECT_THAT(collection_->Write(batch), StatusIs(kInvalid, HasSubstr("memtable")));
  EXPECT_EQ(*collection_->Count(), 1u);
  batch.Clear();
  for (int i = 0; i < 200; ++i) batch.Delete("", "k" + std::to_string(i));
  EXPECT_OK(collection_->Write(batch));
}

TEST_F(BadInputTest, WhatACrashedCreateLeftMayBeCreatedOver) {
  std::filesystem::create_directories(path() + "/wal");
  for (const char* name : {"/LOCK", "/manifest.json.tmp", "/manifest.json.1.tmp"}) std::ofstream(path() + name) << "x";
  Create();
  EXPECT_EQ(*collection_->Count(), 0u);
}

}  // namespace
}  // namespace varve::testing
