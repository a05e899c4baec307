// Searches while all that moves rows goes on beside them: writes, flushes, merges, a bulk load, readers that refresh,
// and the writer's end.
#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/status.h"
#include "tests/support/collection_fixture.h"

namespace varve::testing {
namespace {

class SearchBesideMaintenance : public CollectionTest {
 protected:
  static constexpr int kKeys = 24;

  SearchBesideMaintenance() {
    options_.background_merges = true;
    options_.max_segments = 4;
    options_.memtable_rows = 2 * kKeys;
    options_.sync = SyncMode::OnFlush();
  }

  void CreateWithGraphs() {
    Schema schema = Schema::SingleVector(kDimension, Metric::kL2);
    schema.fields[0].index.type = IndexType::kHnsw;  // which segments as small as these would not get
    Create(schema);
  }
  // Every batch moves all keys to one value, so that every state has all keys with one value.
  absl::Status MoveTo(int value) {
    WriteBatch batch;
    for (int k = 0; k < kKeys; ++k) {
      batch.Put(MakeRecord("k" + std::to_string(k), {static_cast<float>(value), static_cast<float>(k), 0, 0}));
    }
    return collection_->Write(batch);
  }
  absl::Status LoadAround(int value) {
    ASSIGN_OR_RETURN(const std::unique_ptr<BulkLoad> load, collection_->NewBulkLoad());
    for (int k = 0; k < kKeys; ++k) {
      RETURN_IF_ERROR(load->Add(MakeRecord("k" + std::to_string(k), {static_cast<float>(value), 0, 0, 0})));
    }
    return load->Finish();
  }

  static void ExpectOneState(const SearchResult& result) {
    std::set<std::string> keys;
    for (const Hit& hit : result.hits) {
      keys.insert(hit.key);
      ASSERT_TRUE(hit.record.has_value());
      ASSERT_EQ(hit.record->key, hit.key);
      ASSERT_EQ(hit.record->vectors[0].second[0], result.hits[0].record->vectors[0].second[0]);
    }
    ASSERT_EQ(result.hits.size(), static_cast<size_t>(kKeys));
    ASSERT_EQ(keys.size(), static_cast<size_t>(kKeys));
  }
  // Searches a collection in every way until `stop`.
  static void SearchUntil(Collection* collection, const std::atomic<bool>& stop, std::atomic<int>* searches) {
    for (int i = 0; !stop.load(); ++i) {
      SearchRequest request;
      request.vector = VectorValue({0, 1, 2, 3});
      request.k = 2 * kKeys;
      request.exact = i % 2 == 0;
      request.with_records = true;
      request.with_profile = i % 3 == 0;
      Snapshot snapshot;
      ReadOptions options;
      if (i % 4 == 0) {
        ASSERT_OK_AND_ASSIGN(snapshot, collection->GetSnapshot());
        options.snapshot = &snapshot;
      }
      const absl::StatusOr<SearchResult> result = collection->Search(request, options);
      ASSERT_OK(result);
      ASSERT_NO_FATAL_FAILURE(ExpectOneState(*result));
      ASSERT_OK_AND_ASSIGN(const uint64_t count, collection->Count(std::nullopt, options));
      ASSERT_EQ(count, static_cast<uint64_t>(kKeys));
      searches->fetch_add(1, std::memory_order_relaxed);
    }
  }
};

TEST_F(SearchBesideMaintenance, EverySearchSeesOneStateWhileSegmentsComeAndGo) {
  CreateWithGraphs();
  ASSERT_OK(MoveTo(0));
  std::atomic<bool> stop{false};
  std::atomic<int> searches{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) threads.emplace_back([&] { SearchUntil(collection_.get(), stop, &searches); });
  threads.emplace_back([&] {
    while (!stop.load()) {
      ASSERT_OK(collection_->Flush());
      EXPECT_FALSE(collection_->MetricsText().empty());
      ASSERT_OK(collection_->Merge(/*full=*/true));
      EXPECT_EQ(collection_->Stats().last_background_error, "");
    }
  });
  for (int value = 1; value < 200; ++value) ASSERT_OK(value % 20 == 0 ? LoadAround(value) : MoveTo(value));
  while (searches.load() < 200 && !HasFailure()) std::this_thread::yield();
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(collection_->Stats().merges, 0U);
}

TEST_F(SearchBesideMaintenance, AReaderThatRefreshesIsSearchedMeanwhile) {
  CreateWithGraphs();
  ASSERT_OK(MoveTo(0));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collection> beside, Collection::OpenReadOnly(path()));
  std::atomic<bool> stop{false};
  std::atomic<int> searches{0};
  std::atomic<int> refreshes{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) threads.emplace_back([&] { SearchUntil(beside.get(), stop, &searches); });
  threads.emplace_back([&] {
    while (!stop.load()) {
      const absl::Status refreshed = beside->Refresh();
      ASSERT_TRUE(refreshed.ok() || absl::IsUnavailable(refreshed)) << refreshed;
      EXPECT_GT(beside->Stats().live_rows, 0U);
      ++refreshes;
    }
  });
  for (int value = 1; value < 200; ++value) ASSERT_OK(value % 20 == 0 ? LoadAround(value) : MoveTo(value));
  while ((searches.load() < 100 || refreshes.load() < 20) && !HasFailure()) std::this_thread::yield();
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

// The writer is closed with searches just behind it and flushes and merges still running; a reader beside it notices
// nothing.
TEST_F(SearchBesideMaintenance, TheWritersEndDisturbsNobody) {
  CreateWithGraphs();
  ASSERT_OK(MoveTo(0));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collection> beside, Collection::OpenReadOnly(path()));
  std::atomic<bool> stop_beside{false};
  std::atomic<int> searches{0};
  std::thread reader([&] { SearchUntil(beside.get(), stop_beside, &searches); });
  int value = 1;
  for (int round = 0; round < 8; ++round) {
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t) threads.emplace_back([&] { SearchUntil(collection_.get(), stop, &searches); });
    for (int i = 0; i < 12; ++i, ++value) ASSERT_OK(MoveTo(value));
    stop = true;
    for (std::thread& thread : threads) thread.join();
    if (round % 2 == 0) {
      ASSERT_OK(collection_->Close());
    }
    Reopen();
  }
  stop_beside = true;
  reader.join();
  ASSERT_OK(beside->Refresh());
  ASSERT_OK_AND_ASSIGN(const Record record, beside->Get("", "k0"));
  EXPECT_EQ(record.vectors[0].second[0], static_cast<float>(value - 1));
}

}  // namespace
}  // namespace varve::testing
