// What a caller of a collection sees, before and after a flush, a merge and a reopening.
#include <string>
#include <vector>

#include "tests/support/collection_fixture.h"

namespace varve::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Each case runs on rows in the memtable, in a segment, in a merged segment, and after reopening with each.
enum class Where { kMemtable, kSegment, kMerged, kReplayed, kReopenedSegment };

class CollectionWhere : public CollectionTest, public ::testing::WithParamInterface<Where> {
 protected:
  // Brings what was written so far to where the case wants it.
  void Settle() {
    switch (GetParam()) {
      case Where::kMemtable:
        break;
      case Where::kSegment:
        ASSERT_OK(collection_->Flush());
        break;
      case Where::kMerged:
        ASSERT_OK(collection_->Merge(/*full=*/true));
        break;
      case Where::kReplayed:
        Reopen();
        break;
      case Where::kReopenedSegment:
        ASSERT_OK(collection_->Flush());
        Reopen();
        break;
    }
  }
};

INSTANTIATE_TEST_SUITE_P(All, CollectionWhere,
                         ::testing::Values(Where::kMemtable, Where::kSegment, Where::kMerged, Where::kReplayed,
                                           Where::kReopenedSegment));

TEST_P(CollectionWhere, FindsWhatWasPut) {
  Create();
  ASSERT_OK(collection_->Put(MakeRecord("near", {1, 1, 1, 1}, R"({ "year": 2024 })")));
  ASSERT_OK(collection_->Put(MakeRecord("far", {9, 9, 9, 9})));
  Settle();

  ASSERT_OK_AND_ASSIGN(const SearchResult result, Search({1, 1, 1, 2}, 2));
  ASSERT_EQ(result.hits.size(), 2u);
  EXPECT_EQ(result.hits[0].key, "near");
  EXPECT_EQ(result.hits[0].distance, 1);
  EXPECT_EQ(result.hits[0].score, -1);
  EXPECT_EQ(result.hits[1].key, "far");
  ASSERT_OK_AND_ASSIGN(const Record record, collection_->Get("", "near"));
  EXPECT_EQ(record.metadata, R"({"year":2024})");
  EXPECT_EQ(record.vectors[0].second, (std::vector<float>{1, 1, 1, 1}));
  EXPECT_GT(record.sequence, 0u);
  EXPECT_THAT(collection_->Get("", "absent"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("absent")));
}

TEST_P(CollectionWhere, AnUpsertLeavesExactlyOneLiveRow) {
  Create();
  ASSERT_OK(collection_->Put(MakeRecord("k", {1, 1, 1, 1})));
  Settle();
  ASSERT_OK(collection_->Put(MakeRecord("k", {5, 5, 5, 5})));
  Settle();

  ASSERT_OK_AND_ASSIGN(const SearchResult result, Search({1, 1, 1, 1}, 10));
  ASSERT_EQ(result.hits.size(), 1u);
  EXPECT_EQ(result.hits[0].distance, 64);
  EXPECT_EQ(*collection_->Count(), 1u);
  EXPECT_EQ(collection_->Stats().live_rows, 1u);
}

TEST_P(CollectionWhere, ADeletedKeyIsGoneAndMayComeBack) {
  Create();
  ASSERT_OK(collection_->Put(MakeRecord("k", {1, 1, 1, 1})));
  Settle();
  ASSERT_OK(collection_->Delete("", "k"));
  Settle();

  EXPECT_THAT(collection_->Get("", "k"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("k")));
  EXPECT_EQ(Search({1, 1, 1, 1}, 10)->hits.size(), 0u);
  ASSERT_OK(collection_->Insert(MakeRecord("k", {2, 2, 2, 2})));
  Settle();
  EXPECT_EQ(Search({1, 1, 1, 1}, 10)->hits.size(), 1u);
  EXPECT_OK(collection_->Delete("", "never there"));
}

TEST_P(CollectionWhere, UpdateChangesOnlyWhatIsGiven) {
  Create();
  RecordInput record = MakeRecord("k", {1, 2, 3, 4}, R"({"a":1,"b":{"c":2}})");
  record.payload = "bytes";
  record.ttl_seconds = 100;
  ASSERT_OK(collection_->Put(record));
  const int64_t created = collection_->Get("", "k")->created_at_us;
  Settle();
  clock_.Advance(1'000'000);
  RecordUpdate update;
  update.key = "k";
  update.patch = R"({"a":null,"b":{"d":3}})";
  ASSERT_OK(collection_->Update(update));
  Settle();

  ASSERT_OK_AND_ASSIGN(const Record after, collection_->Get("", "k"));
  EXPECT_EQ(after.metadata, R"({"b":{"c":2,"d":3}})");
  EXPECT_EQ(after.vectors[0].second, (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(after.payload, "bytes");
  EXPECT_EQ(after.created_at_us, created);
  EXPECT_EQ(after.updated_at_us, created + 1'000'000);
  EXPECT_NE(after.expires_at_ms, kNeverExpires);
  RecordUpdate clear;
  clear.key = "k";
  clear.clear_ttl = true;
  ASSERT_OK(collection_->Update(clear));
  EXPECT_EQ(collection_->Get("", "k")->expires_at_ms, kNeverExpires);
  update.key = "absent";
  EXPECT_THAT(collection_->Update(update), StatusIs(absl::StatusCode::kNotFound, HasSubstr("absent")));
}

TEST_P(CollectionWhere, ConditionsDecideWholeBatches) {
  Create();
  ASSERT_OK(collection_->Put(MakeRecord("k", {1, 1, 1, 1})));
  Settle();
  const Sequence sequence = collection_->Get("", "k")->sequence;
  EXPECT_THAT(collection_->Insert(MakeRecord("k", {2, 2, 2, 2})),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("k")));
  WriteBatch batch;
  batch.Put(MakeRecord("other", {3, 3, 3, 3}));
  batch.Put(MakeRecord("k", {2, 2, 2, 2}), sequence + 1);
  EXPECT_THAT(collection_->Write(batch), StatusIs(absl::StatusCode::kAborted, HasSubstr(std::to_string(sequence))));
  EXPECT_FALSE(collection_->Get("", "other").ok()) << "half a batch was applied";
  batch.Clear();
  batch.Put(MakeRecord("k", {2, 2, 2, 2}), sequence);
  batch.Put(MakeRecord("new", {2, 2, 2, 2}), 0);
  EXPECT_OK(collection_->Write(batch));
  Settle();
  EXPECT_EQ(*collection_->Count(), 2u);
}

TEST_P(CollectionWhere, ABatchSeesItsOwnEarlierOperations) {
  Create();
  WriteBatch batch;
  batch.Put(MakeRecord("a", {1, 1, 1, 1}));
  batch.Put(MakeRecord("a", {2, 2, 2, 2}));
  RecordUpdate update;
  update.key = "a";
  update.metadata = R"({"x":1})";
  batch.Update(update);
  batch.Insert(MakeRecord("b", {1, 1, 1, 1}));
  batch.Delete("", "b");
  batch.Insert(MakeRecord("b", {3, 3, 3, 3}));
  ASSERT_OK(collection_->Write(batch));
  Settle();

  EXPECT_EQ(*collection_->Count(), 2u);
  ASSERT_OK_AND_ASSIGN(const Record a, collection_->Get("", "a"));
  EXPECT_EQ(a.vectors[0].second[0], 2);
  EXPECT_EQ(a.metadata, R"({"x":1})");
  EXPECT_EQ(collection_->Get("", "b")->vectors[0].second[0], 3);
}

TEST_P(CollectionWhere, ExpiredRecordsAreInvisibleAtOnce) {
  Create();
  RecordInput record = MakeRecord("k", {1, 1, 1, 1});
  record.ttl_seconds = 10;
  ASSERT_OK(collection_->Put(record));
  ASSERT_OK(collection_->Put(MakeRecord("stays", {2, 2, 2, 2})));
  Settle();
  EXPECT_OK(collection_->Get("", "k"));
  clock_.Advance(10'000'000);

  EXPECT_FALSE(collection_->Get("", "k").ok());
  EXPECT_THAT(KeysOf(*Search({1, 1, 1, 1}, 10)), ElementsAre("stays"));
  EXPECT_EQ(*collection_->Count(), 1u);
  EXPECT_OK(collection_->Insert(MakeRecord("k", {4, 4, 4, 4}))) << "an expired record is absent for Insert";
  Settle();
  EXPECT_EQ(*collection_->Count(), 2u);
}

TEST_P(CollectionWhere, ScanGivesKeysInByteOrderAcrossParts) {
  Create();
  std::vector<std::string> keys = {"a", std::string("a\0b", 3), "ab", "b", std::string(1, '\xFF')};
  for (size_t i = 0; i < keys.size(); ++i) {
    ASSERT_OK(collection_->Put(MakeRecord(keys[(i * 3) % keys.size()], {1, 1, 1, 1})));
    if (i == 2) Settle();
  }
  RecordInput other = MakeRecord("a", {1, 1, 1, 1});
  other.ns = "other";
  ASSERT_OK(collection_->Put(other));

  std::vector<std::string> seen;
  ScanRequest request;
  request.ns = "";
  const auto collect = [&](const Record& record) {
    seen.push_back(record.key);
    return true;
  };
  ASSERT_OK(collection_->Scan(request, collect));
  EXPECT_EQ(seen, keys);
  seen.clear();
  request.prefix = "a";
  request.from = "a\x01";
  ASSERT_OK(collection_->Scan(request, collect));
  EXPECT_THAT(seen, ElementsAre("ab"));
  seen.clear();
  request = {};
  request.prefix = "a";
  ASSERT_OK(collection_->Scan(request, collect));
  EXPECT_EQ(seen.size(), 4u) << "without a namespace the prefix counts in each";
  seen.clear();
  request.limit = 2;
  ASSERT_OK(collection_->Scan(request, collect));
  EXPECT_EQ(seen.size(), 2u);
}

TEST_P(CollectionWhere, NamespacesAreApart) {
  Create();
  for (const char* ns : {"", "n", "m"}) {
    for (int i = 0; i < 5; ++i) {
      RecordInput record = MakeRecord("k" + std::to_string(i), {1, 1, 1, static_cast<float>(i)});
      record.ns = ns;
      ASSERT_OK(collection_->Put(record));
    }
  }
  Settle();
  SearchRequest request;
  request.vector = VectorValue(std::vector<float>{1, 1, 1, 0});
  request.k = 100;
  request.ns = "n";
  ASSERT_OK_AND_ASSIGN(const SearchResult result, collection_->Search(request));
  EXPECT_THAT(KeysOf(result), ElementsAre("k0", "k1", "k2", "k3", "k4"));
  WriteBatch batch;
  batch.DeleteNamespace("n");
  ASSERT_OK(collection_->Write(batch));
  EXPECT_EQ(*collection_->Count("n"), 0u);
  RecordInput record = MakeRecord("k1", {1, 1, 1, 1});
  record.ns = "n";
  ASSERT_OK(collection_->Put(record));
  Settle();
  EXPECT_EQ(*collection_->Count("n"), 1u);
  EXPECT_EQ(*collection_->Count("m"), 5u);
  EXPECT_EQ(*collection_->Count(), 11u);
}

TEST_P(CollectionWhere, EqualDistancesAreOrderedByNamespaceAndKey) {
  Create();
  for (const char* key : {"d", "b", "e", "a", "c"}) {
    ASSERT_OK(collection_->Put(MakeRecord(key, {1, 1, 1, 1})));
    if (std::string(key) == "e") Settle();
  }
  EXPECT_THAT(KeysOf(*Search({2, 2, 2, 2}, 3)), ElementsAre("a", "b", "c"));
}

TEST_F(CollectionTest, ASnapshotSeesTheCollectionAsItWas) {
  Create();
  ASSERT_OK(collection_->Put(MakeRecord("a", {1, 1, 1, 1})));
  ASSERT_OK(collection_->Flush());
  ASSERT_OK(collection_->Put(MakeRecord("b", {2, 2, 2, 2})));
  ASSERT_OK_AND_ASSIGN(const Snapshot snapshot, collection_->GetSnapshot());
  const ReadOptions at_snapshot{&snapshot};
  ASSERT_OK(collection_->Delete("", "a"));
  ASSERT_OK(collection_->Put(MakeRecord("b", {7, 7, 7, 7})));
  ASSERT_OK(collection_->Put(MakeRecord("c", {3, 3, 3, 3})));
  ASSERT_OK(collection_->Flush());
  ASSERT_OK(collection_->Merge(/*full=*/true));

  EXPECT_EQ(*collection_->Count(std::nullopt, at_snapshot), 2u);
  EXPECT_EQ(collection_->Get("", "b", at_snapshot)->vectors[0].second[0], 2);
  SearchRequest request;
  request.vector = VectorValue(std::vector<float>{1, 1, 1, 1});
  EXPECT_THAT(KeysOf(*collection_->Search(request, at_snapshot)), ElementsAre("a", "b"));
  EXPECT_EQ(*collection_->Count(), 2u);
  EXPECT_FALSE(collection_->Get("", "a").ok());
}

TEST_F(CollectionTest, RecordsMayLackTheVector) {
  Create();
  RecordInput bare;
  bare.key = "bare";
  bare.metadata = R"({"x":1})";
  ASSERT_OK(collection_->Put(bare));
  ASSERT_OK(collection_->Put(MakeRecord("k", {1, 1, 1, 1})));
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(KeysOf(*Search({1, 1, 1, 1}, 10)), ElementsAre("k"));
    EXPECT_TRUE(collection_->Get("", "bare")->vectors.empty());
    ASSERT_OK(collection_->Flush());
  }
}

TEST_F(CollectionTest, SeveralFieldsAreSearchedEachByItsOwnMetric) {
  Schema schema;
  schema.fields.resize(3);
  schema.fields[0].name = "title";
  schema.fields[0].dimension = 2;
  schema.fields[0].metric = Metric::kCosine;
  schema.fields[1].name = "body";
  schema.fields[1].dimension = 3;
  schema.fields[1].metric = Metric::kInnerProduct;
  schema.fields[2].name = "mark";
  schema.fields[2].dimension = 9;
  schema.fields[2].metric = Metric::kHamming;
  schema.fields[2].element = ElementType::kBits;
  Create(schema);
  for (int i = 1; i <= 3; ++i) {
    const float x = static_cast<float>(i);
    RecordInput record;
    record.key = std::to_string(i);
    record.vectors = {{"title", VectorValue(std::vector<float>{x, 1})},
                      {"body", VectorValue(std::vector<float>{x, 0, 0})},
                      {"mark", VectorValue(std::vector<float>{1, 1, 1, 0, 0, 0, 0, 0, i == 2 ? 1.0f : 0.0f})}};
    ASSERT_OK(collection_->Put(record));
  }
  for (int round = 0; round < 2; ++round) {
    SearchRequest request;
    request.k = 1;
    request.field = "title";
    request.vector = VectorValue(std::vector<float>{10, 10});
    ASSERT_OK_AND_ASSIGN(SearchResult result, collection_->Search(request));
    EXPECT_EQ(result.hits[0].key, "1");
    EXPECT_NEAR(result.hits[0].score, 1, 1e-6);
    request.field = "body";
    request.vector = VectorValue(std::vector<float>{1, 0, 0});
    ASSERT_OK_AND_ASSIGN(result, collection_->Search(request));
    EXPECT_EQ(result.hits[0].key, "3");
    EXPECT_EQ(result.hits[0].score, 3);
    EXPECT_EQ(result.hits[0].distance, -3);
    request.field = "mark";
    request.vector = VectorValue(std::vector<float>{1, 1, 1, 0, 0, 0, 0, 0, 1});
    ASSERT_OK_AND_ASSIGN(result, collection_->Search(request));
    EXPECT_EQ(result.hits[0].key, "2");
    EXPECT_EQ(result.hits[0].distance, 0);
    ASSERT_OK(collection_->Flush());
  }
}

}  // namespace
}  // namespace varve::testing
