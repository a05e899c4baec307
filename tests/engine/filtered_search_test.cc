// Searches with a filter against the test's own scan of the records: at every selectivity, in every kind of part.
#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/collection_fixture.h"
#include "varve/filter.h"

namespace varve::testing {
namespace {

using ::testing::ElementsAre;

class FilteredSearchTest : public CollectionTest {
 protected:
  static constexpr int kRecords = 6000;

  struct Row {
    std::string key;
    std::string ns;
    std::vector<float> vector;
    int rank;
    bool live = true;
  };

  // Record i has the metadata {"rank": i's place in a random order, "group": rank % 10}; every third is in namespace
  // "n". Some are replaced, some deleted, some have no vector.
  void Fill(const Schema& schema) {
    Create(schema);
    std::vector<int> ranks(kRecords);
    for (int i = 0; i < kRecords; ++i) ranks[static_cast<size_t>(i)] = i;
    for (size_t i = ranks.size() - 1; i > 0; --i) std::swap(ranks[i], ranks[random_.Below(i + 1)]);
    WriteBatch batch;
    for (int i = 0; i < kRecords; ++i) {
      Row row{std::to_string(i), i % 3 == 0 ? "n" : "", RandomVector(&random_, kDimension, 1000),
              ranks[static_cast<size_t>(i)]};
      if (i % 50 == 7) batch.Put(RecordOf(row, "{\"rank\":-1,\"group\":-1}"));
      batch.Put(RecordOf(row, MetadataOf(row.rank)));
      if (i % 40 == 5) {
        batch.Delete(row.ns, row.key);
        row.live = false;
      }
      rows_.push_back(std::move(row));
      if (i % 500 == 499) {
        ASSERT_OK(collection_->Write(batch));
        batch.Clear();
      }
    }
  }
  static RecordInput RecordOf(const Row& row, std::string metadata) {
    RecordInput record = MakeRecord(row.key, row.vector, std::move(metadata));
    record.ns = row.ns;
    return record;
  }
  static std::string MetadataOf(int rank) {
    return "{\"rank\":" + std::to_string(rank) + ",\"group\":" + std::to_string(rank % 10) + "}";
  }

  // The hits that a search must give: all that match if they are fewer than k.
  std::vector<std::pair<float, std::string>> Nearest(const SearchRequest& request,
                                                     const std::function<bool(const Row&)>& matches) const {
    std::vector<std::pair<float, std::string>> found;
    for (const Row& row : rows_) {
      if (!row.live || !matches(row) || (request.ns.has_value() && row.ns != *request.ns)) continue;
      float distance = 0;
      for (size_t d = 0; d < row.vector.size(); ++d) {
        distance += std::pow(row.vector[d] - request.vector.floats()[d], 2.0F);
      }
      found.emplace_back(distance, row.key);
    }
    std::sort(found.begin(), found.end());
    if (found.size() > request.k) found.resize(request.k);
    return found;
  }
  // The share of places with a hit as near as the true one's. Every hit must match, and there must be as many as can.
  double Check(const SearchRequest& request, const std::function<bool(const Row&)>& matches) {
    const auto expected = Nearest(request, matches);
    const absl::StatusOr<SearchResult> result = collection_->Search(request);
    EXPECT_OK(result);
    if (!result.ok()) return 0;
    EXPECT_EQ(result->hits.size(), expected.size());
    size_t good = 0;
    for (size_t i = 0; i < std::min(result->hits.size(), expected.size()); ++i) {
      const Row& row = rows_[std::stoul(result->hits[i].key)];
      EXPECT_TRUE(row.live && matches(row)) << "key " << row.key << ", rank " << row.rank;
      good += result->hits[i].distance <= expected[i].first;
    }
    return expected.empty() ? 1 : static_cast<double>(good) / static_cast<double>(expected.size());
  }
  SearchRequest RequestFor(const Filter& filter) {
    SearchRequest request;
    request.vector = VectorValue(RandomVector(&random_, kDimension, 1000));
    request.filter = filter;
    return request;
  }
  void CheckEverySelectivity() {
    for (const int limit : {0, 1, 2, 9, 10, 11, 60, 300, 1000, 3000, 5900, kRecords}) {
      const Filter filter = Filter::Compare({"rank"}, Filter::Op::kLt, limit);
      const auto matches = [limit](const Row& row) { return row.rank < limit; };
      double sum = 0;
      constexpr int kQueries = 10;
      for (int query = 0; query < kQueries; ++query) {
        SearchRequest request = RequestFor(filter);
        sum += Check(request, matches);
        request.exact = true;
        EXPECT_EQ(Check(request, matches), 1) << "exact, below " << limit;
        request.ns = "n";
        EXPECT_EQ(Check(request, matches), 1) << "exact, namespace, below " << limit;
        request.exact = false;
        request.k = 3;
        EXPECT_GE(Check(request, matches), 0.5) << "namespace, below " << limit;
      }
      EXPECT_GE(sum / kQueries, 0.9) << "below " << limit;
    }
  }

  Random random_{5};
  std::vector<Row> rows_;
};

TEST_F(FilteredSearchTest, FindsKAtEverySelectivityInAMemtable) {
  options_.memtable_rows = 20'000;
  Fill(Schema::SingleVector(kDimension, Metric::kL2));
  CheckEverySelectivity();
}

TEST_F(FilteredSearchTest, FindsKAtEverySelectivityInAGraph) {
  Schema schema = Schema::SingleVector(kDimension, Metric::kL2);
  schema.fields[0].index.type = IndexType::kHnsw;
  Fill(schema);
  ASSERT_OK(collection_->Merge(/*full=*/true));
  CheckEverySelectivity();
}

TEST_F(FilteredSearchTest, FindsKAtEverySelectivityOverSeveralParts) {
  options_.memtable_rows = 1800;  // flat segments, and the rest in the memtable
  Fill(Schema::SingleVector(kDimension, Metric::kL2));
  CheckEverySelectivity();
}

TEST_F(FilteredSearchTest, TheProfileSaysThePlan) {
  Schema schema = Schema::SingleVector(kDimension, Metric::kL2);
  schema.fields[0].index.type = IndexType::kHnsw;
  Fill(schema);
  ASSERT_OK(collection_->Merge(/*full=*/true));
  const uint64_t live = *collection_->Count();
  const auto profile_of = [&](const Filter& filter) {
    SearchRequest request = RequestFor(filter);
    request.with_profile = true;
    request.params["ef"] = 16;
    const absl::StatusOr<SearchResult> result = collection_->Search(request);
    EXPECT_OK(result);
    PartProfile profile;
    for (const PartProfile& part : result->parts) {
      if (part.segment != 0) profile = part;
    }
    return profile;
  };
  PartProfile profile = profile_of(Filter::Compare({"rank"}, Filter::Op::kLt, 20));
  EXPECT_EQ(profile.plan, "scan of matching rows");
  EXPECT_LE(profile.matching_rows, 20u);
  EXPECT_EQ(profile.distances, profile.matching_rows);
  profile = profile_of(Filter::Compare({"rank"}, Filter::Op::kLt, 5000));
  EXPECT_EQ(profile.plan, "filtered index");
  EXPECT_GT(profile.matching_rows, 4000u);
  EXPECT_LT(profile.distances, 4000u);
  profile = profile_of(Filter::Exists({"rank"}));
  EXPECT_EQ(profile.plan, "filtered index");
  EXPECT_EQ(profile.matching_rows, live);
  profile = profile_of(Filter::Exists({"nothing"}));
  EXPECT_EQ(profile.plan, "no matching rows");
  EXPECT_EQ(profile.matching_rows, 0u);
  EXPECT_EQ(profile.distances, 0u);
  profile = profile_of(Filter());
  EXPECT_EQ(profile.plan, "index");
}

TEST_F(FilteredSearchTest, ARowThatNoLongerMatchesIsNotFound) {
  Create();
  ASSERT_OK(collection_->Put(MakeRecord("a", {1, 1, 1, 1}, R"({"open":true})")));
  ASSERT_OK(collection_->Put(MakeRecord("b", {2, 2, 2, 2}, R"({"open":true})")));
  ASSERT_OK(collection_->Flush());
  ASSERT_OK_AND_ASSIGN(const Snapshot before, collection_->GetSnapshot());
  RecordUpdate update;
  update.key = "a";
  update.patch = R"({"open":false})";
  ASSERT_OK(collection_->Update(update));
  SearchRequest request;
  request.vector = VectorValue(std::vector<float>{1, 1, 1, 1});
  request.filter = Filter::Parse("open").value();
  EXPECT_THAT(KeysOf(*collection_->Search(request)), ElementsAre("b"));
  EXPECT_THAT(KeysOf(*collection_->Search(request, {&before})), ElementsAre("a", "b"));
  EXPECT_EQ(*collection_->CountWhere(*request.filter), 1u);
  EXPECT_EQ(*collection_->CountWhere(*request.filter, std::nullopt, {&before}), 2u);
  EXPECT_EQ(*collection_->CountWhere(*request.filter, "n"), 0u);
  request.filter = Filter::Parse("NOT open").value();
  EXPECT_THAT(KeysOf(*collection_->Search(request)), ElementsAre("a"));
}

TEST_F(FilteredSearchTest, ScansAndPagesGiveWhatMatches) {
  Fill(Schema::SingleVector(kDimension, Metric::kL2));
  ScanRequest request;
  request.filter = Filter::Parse("group IN (3, 4) AND rank < 1000").value();
  request.limit = 7;
  std::vector<std::string> keys;
  do {
    ASSERT_OK_AND_ASSIGN(const ScanPage page, collection_->ReadPage(request));
    ASSERT_LE(page.records.size(), 7u);
    for (const Record& record : page.records) keys.push_back(record.key);
    request.cursor = page.cursor;
  } while (!request.cursor.empty());
  const auto matches = [](const Row& row) {
    return row.live && (row.rank % 10 == 3 || row.rank % 10 == 4) && row.rank < 1000;
  };
  EXPECT_EQ(keys.size(), static_cast<size_t>(std::count_if(rows_.begin(), rows_.end(), matches)));
  for (const std::string& key : keys) EXPECT_TRUE(matches(rows_[std::stoul(key)])) << key;
}

}  // namespace
}  // namespace varve::testing
