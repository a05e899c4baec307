// Searches of a memtable that is large enough to be searched by the codes of its vectors.
#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "tests/support/collection_fixture.h"

namespace varve::testing {
namespace {

class CodedMemtable : public CollectionTest {
 protected:
  static constexpr uint32_t kWide = 96;
  static constexpr int kRows = 4000;

  CodedMemtable() { options_.sync = SyncMode::OnFlush(); }

  // Around a few points, as embeddings lie.
  std::vector<float> Clustered() {
    const uint64_t cluster = random_.Below(20);
    Random center(cluster + 1);
    std::vector<float> vector(kWide);
    for (float& value : vector) value = static_cast<float>(center.Uniform() * 2 - 1 + random_.Uniform() * 0.6);
    return vector;
  }
  RecordInput RecordOf(int number) {
    RecordInput record =
        MakeRecord("k" + std::to_string(number), Clustered(), "{\"rank\":" + std::to_string(number) + "}");
    record.ns = number % 40 == 0 ? "small" : "large";
    return record;
  }
  void Fill(Metric metric) {
    Create(Schema::SingleVector(kWide, metric));
    for (int i = 0; i < kRows; ++i) ASSERT_OK(collection_->Put(RecordOf(i)));
  }

  // The part of the exact answer that is found; what is found must be in its order, with the distances of it.
  double RecallOf(SearchRequest request) {
    request.exact = false;
    request.with_profile = true;
    const absl::StatusOr<SearchResult> found = collection_->Search(request);
    request.exact = true;
    const absl::StatusOr<SearchResult> exact = collection_->Search(request);
    EXPECT_OK(found);
    EXPECT_OK(exact);
    if (!found.ok() || !exact.ok()) return 0;
    plan_ = found->parts[0].plan;
    compared_ = found->parts[0].distances;
    EXPECT_EQ(exact->parts[0].plan, "scan");
    EXPECT_EQ(found->hits.size(), exact->hits.size());
    std::set<std::string> keys;
    for (const Hit& hit : found->hits) EXPECT_TRUE(keys.insert(hit.key).second) << hit.key << " twice";
    double hits = 0;
    for (const Hit& hit : exact->hits) hits += keys.contains(hit.key) ? 1 : 0;
    return exact->hits.empty() ? 1 : hits / static_cast<double>(exact->hits.size());
  }
  double MeanRecall(SearchRequest request) {
    constexpr int kQueries = 50;
    double sum = 0;
    for (int q = 0; q < kQueries; ++q) {
      request.vector = VectorValue(Clustered());
      sum += RecallOf(request);
    }
    return sum / kQueries;
  }

  Random random_{31};
  std::string plan_;
  uint64_t compared_ = 0;
};

TEST_F(CodedMemtable, FindsWhatAScanFindsUnderEachMetric) {
  for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
    std::filesystem::remove_all(path());
    ASSERT_NO_FATAL_FAILURE(Fill(metric));
    EXPECT_GE(MeanRecall({}), 0.995);
    EXPECT_EQ(plan_, "scan of codes");
    EXPECT_LT(compared_, kRows / 2);
    // As many as there are.
    SearchRequest all;
    all.k = 2 * kRows;
    all.vector = VectorValue(Clustered());
    EXPECT_EQ(RecallOf(all), 1);
    collection_.reset();
  }
}

TEST_F(CodedMemtable, DeadExpiredAndReplacedRowsAreNotFound) {
  ASSERT_NO_FATAL_FAILURE(Fill(Metric::kL2));
  ASSERT_OK_AND_ASSIGN(const Snapshot before, collection_->GetSnapshot());
  const std::vector<float> query = Clustered();
  ASSERT_OK_AND_ASSIGN(const SearchResult nearest, Search(query, 30, /*exact=*/true));
  for (size_t i = 0; i < nearest.hits.size(); ++i) {
    const Hit& hit = nearest.hits[i];
    if (i % 3 == 0) {
      ASSERT_OK(collection_->Delete(hit.ns, hit.key));
    } else {
      RecordInput record = MakeRecord(hit.key, std::vector<float>(kWide, 100.0f));
      record.ns = hit.ns;
      if (i % 3 == 1) {
        record.vectors[0].value = VectorValue(query);
        record.ttl_seconds = 5;
      }
      ASSERT_OK(collection_->Put(record));
    }
  }
  SearchRequest request;
  request.vector = VectorValue(query);
  EXPECT_GE(RecallOf(request), 0.9);  // those that have the query's vector now
  ASSERT_OK_AND_ASSIGN(const SearchResult replaced, Search(query, 10));
  for (const Hit& hit : replaced.hits) EXPECT_EQ(hit.distance, 0);
  clock_.Advance(10'000'000);
  EXPECT_GE(RecallOf(request), 0.9);
  ASSERT_OK_AND_ASSIGN(const SearchResult later, Search(query, 10));
  for (const Hit& hit : later.hits) {
    for (const Hit& gone : nearest.hits) EXPECT_NE(hit.key, gone.key);
  }
  // The snapshot sees what was.
  ASSERT_OK_AND_ASSIGN(const SearchResult as_it_was, collection_->Search(request, {.snapshot = &before}));
  size_t same = 0;
  for (size_t i = 0; i < as_it_was.hits.size(); ++i) same += as_it_was.hits[i].key == nearest.hits[i].key;
  EXPECT_GE(same, 9u);
}

TEST_F(CodedMemtable, NamespacesAndFiltersNarrowIt) {
  ASSERT_NO_FATAL_FAILURE(Fill(Metric::kCosine));
  SearchRequest request;
  request.ns = "large";
  EXPECT_GE(MeanRecall(request), 0.995);
  EXPECT_EQ(plan_, "scan of codes");
  request.ns = "small";  // walked
  EXPECT_EQ(MeanRecall(request), 1);
  EXPECT_EQ(plan_, "scan");
  request.ns = "nobody";
  EXPECT_EQ(MeanRecall(request), 1);
  request.ns.reset();
  for (const int limit : {5, 100, 3000}) {
    request.filter = Filter::Compare({"rank"}, Filter::Op::kLt, limit);
    EXPECT_GE(MeanRecall(request), 0.99) << limit;
    EXPECT_EQ(plan_, "scan of codes");
  }
}

TEST_F(CodedMemtable, RowsWithoutTheFieldAreNoAnswers) {
  Schema schema = Schema::SingleVector(kWide, Metric::kL2);
  FieldSpec second = schema.fields[0];
  second.id = 2;
  second.name = "second";
  schema.fields.push_back(second);
  Create(schema);
  for (int i = 0; i < 2000; ++i) {
    RecordInput record;
    record.key = "k" + std::to_string(i);
    if (i % 5 != 0) record.vectors.push_back({schema.fields[0].name, VectorValue(Clustered())});
    if (i % 400 == 0) record.vectors.push_back({"second", VectorValue(Clustered())});
    ASSERT_OK(collection_->Put(record));
  }
  SearchRequest request;
  request.field = "second";
  request.k = 100;
  request.vector = VectorValue(Clustered());
  EXPECT_EQ(RecallOf(request), 1);
  ASSERT_OK_AND_ASSIGN(const SearchResult few, collection_->Search(request));
  EXPECT_EQ(few.hits.size(), 5u);
}

TEST_F(CodedMemtable, ReplayOfTheLogCodesAgain) {
  ASSERT_NO_FATAL_FAILURE(Fill(Metric::kL2));
  SearchRequest request;
  request.vector = VectorValue(Clustered());
  ASSERT_OK_AND_ASSIGN(const SearchResult before, collection_->Search(request));
  const std::string copy = CopyAsIfKilled("copy");
  collection_.reset();
  ASSERT_OK_AND_ASSIGN(collection_, Collection::Open(copy, options_));
  EXPECT_GE(MeanRecall({}), 0.995);
  EXPECT_EQ(plan_, "scan of codes");
  ASSERT_OK_AND_ASSIGN(const SearchResult after, collection_->Search(request));
  EXPECT_EQ(KeysOf(before), KeysOf(after));
}

}  // namespace
}  // namespace varve::testing
