// Collections that are left alone: merges that nobody asks for.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <thread>

#include "tests/support/collection_fixture.h"
#include "tests/support/hook_listener.h"
#include "varve/memory_budget.h"
#include "varve/rate_limiter.h"

namespace varve {
namespace {

using testing::MakeRecord;
using testing::RandomVector;

class BackgroundMerge : public testing::CollectionTest {
 protected:
  BackgroundMerge() {
    options_.background_merges = true;
    options_.memtable_bytes = 1 << 16;
    options_.sync = SyncMode::OnFlush();
  }

  void Put(int first, int last) {
    WriteBatch batch;
    for (int i = first; i < last; ++i) {
      batch.Put(MakeRecord("k" + std::to_string(i), RandomVector(&random_, kDimension)));
      if (batch.size() == 50 || i + 1 == last) {
        ASSERT_OK(collection_->Write(batch));
        batch.Clear();
      }
    }
  }
  // Waits until `done` holds of the collection's statistics.
  template <typename Done>
  ::testing::AssertionResult Eventually(Done done) {
    for (int i = 0; i < 2000; ++i) {
      if (done(collection_->Stats())) return ::testing::AssertionSuccess();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    const CollectionStats stats = collection_->Stats();
    return ::testing::AssertionFailure() << "not within ten seconds: " << stats.segments.size() << " segments, "
                                         << stats.dead_rows << " dead rows, " << stats.merges
                                         << " merges; last error: " << stats.last_background_error;
  }
  uint64_t Count() { return collection_->Count().value_or(0); }

  Random random_{7};
  MemoryBudget budget_{8 << 20};
  RateLimiter slow_{100};
};

TEST_F(BackgroundMerge, FoldsWhatManyFlushesLeave) {
  Create();
  for (int round = 0; round < 40; ++round) {
    Put(round * 10, round * 10 + 10);
    ASSERT_OK(collection_->Flush());
  }
  EXPECT_TRUE(Eventually([](const CollectionStats& stats) { return stats.segments.size() < 16; }));
  EXPECT_GT(collection_->Stats().merges, 0U);
  EXPECT_EQ(Count(), 400U);
}

TEST_F(BackgroundMerge, AlsoFoldsWhatWasThereAtOpen) {
  options_.background_merges = false;
  Create();
  for (int round = 0; round < 20; ++round) {
    Put(round * 10, round * 10 + 10);
    ASSERT_OK(collection_->Flush());
  }
  EXPECT_EQ(collection_->Stats().segments.size(), 20U);
  options_.background_merges = true;
  Reopen();
  EXPECT_TRUE(Eventually([](const CollectionStats& stats) { return stats.segments.size() < 8; }));
  EXPECT_EQ(Count(), 200U);
}

TEST_F(BackgroundMerge, RewritesASegmentWhoseRowsAreDead) {
  options_.memtable_bytes = 1 << 20;
  Create();
  Put(0, 300);
  ASSERT_OK(collection_->Flush());
  for (int i = 0; i < 200; ++i) ASSERT_OK(collection_->Delete("", "k" + std::to_string(i)));
  ASSERT_OK(collection_->Flush());
  EXPECT_TRUE(Eventually([](const CollectionStats& stats) {
    return stats.dead_rows == 0 && stats.segments.size() == 1 && stats.segments[0].rows == 100;
  }));
  EXPECT_EQ(Count(), 100U);
}

TEST_F(BackgroundMerge, DropsRowsThatHaveExpired) {
  Create();
  for (int i = 0; i < 100; ++i) {
    RecordInput record = MakeRecord("k" + std::to_string(i), {1, 2, 3, 4});
    if (i < 60) record.ttl_seconds = 10;
    ASSERT_OK(collection_->Put(std::move(record)));
  }
  ASSERT_OK(collection_->Flush());
  clock_.Advance(60'000'000);
  EXPECT_EQ(Count(), 40U);
  Reopen();  // which looks for work
  EXPECT_TRUE(Eventually(
      [](const CollectionStats& stats) { return stats.segments.size() == 1 && stats.segments[0].rows == 40; }));
}

TEST_F(BackgroundMerge, NoSearchSeesARowTwiceOrADeadOneWhileMergesRun) {
  Create();
  for (int i = 0; i < 20; ++i) {
    ASSERT_OK(collection_->Put(MakeRecord("d" + std::to_string(i), {1, 1, 1, 1})));
    ASSERT_OK(collection_->Delete("", "d" + std::to_string(i)));
  }
  std::atomic<bool> stop{false};
  std::atomic<int> searches{0};
  std::thread reader([&] {
    Random random(3);
    while (!stop) {
      SearchRequest request;
      request.vector = VectorValue(RandomVector(&random, kDimension));
      request.k = 500;
      request.exact = true;
      const absl::StatusOr<SearchResult> result = collection_->Search(request);
      ASSERT_OK(result);
      std::set<std::string> keys;
      for (const Hit& hit : result->hits) {
        EXPECT_TRUE(keys.insert(hit.key).second) << hit.key << " twice";
        EXPECT_NE(hit.key[0], 'd') << "a deleted record";
      }
      ++searches;
    }
  });
  for (int round = 0; round < 60; ++round) {
    Put(0, 300);
    if (round % 3 == 0) {
      ASSERT_OK(collection_->Flush());
    }
  }
  stop = true;
  reader.join();
  EXPECT_GT(searches.load(), 0);
  EXPECT_EQ(Count(), 300U);
  ASSERT_OK(collection_->Merge(true));
  EXPECT_EQ(collection_->Stats().segments.size(), 1U);
  EXPECT_EQ(collection_->Stats().dead_rows, 0U);
}

TEST_F(BackgroundMerge, AFullMergeIsMadeOnceAnotherThatRunsWasCancelled) {
  options_.rate_limiter = &slow_;
  Create();
  for (int round = 0; round < 8; ++round) {
    Put(round * 100, round * 100 + 100);
    ASSERT_OK(collection_->Flush());
  }
  EXPECT_TRUE(Eventually([](const CollectionStats& stats) { return stats.segments.size() == 8; }));
  // What runs waits for what it has booked; the full merge cancels it and books anew.
  slow_.SetRate(0);
  ASSERT_OK(collection_->Merge(true));
  EXPECT_EQ(collection_->Stats().segments.size(), 1U);
  EXPECT_EQ(Count(), 800U);
}

TEST_F(BackgroundMerge, RowsStillExpireOnceAFullMergeHasCancelledAnother) {
  options_.rate_limiter = &slow_;
  std::atomic<int> begun{0};
  const auto hooks = std::make_shared<testing::HookListener>();
  hooks->merge_begin = [&](const MergeInfo&) { ++begun; };
  options_.listeners.push_back(hooks);
  Create();
  for (int round = 0; round < 8; ++round) {
    WriteBatch batch;
    for (int i = 0; i < 100; ++i) {
      RecordInput record = MakeRecord("k" + std::to_string(round * 100 + i), RandomVector(&random_, kDimension));
      if (i < 60) record.ttl_seconds = 60;
      batch.Put(std::move(record));
    }
    ASSERT_OK(collection_->Write(batch));
    ASSERT_OK(collection_->Flush());
  }
  EXPECT_TRUE(Eventually([&](const CollectionStats&) { return begun == 1; }));
  slow_.SetRate(0);
  ASSERT_OK(collection_->Merge(true));
  EXPECT_EQ(collection_->Stats().segments.size(), 1U);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  clock_.Advance(120'000'000);
  Put(10'000, 10'001);  // the timer looks at the clock
  EXPECT_TRUE(Eventually([](const CollectionStats& stats) {
    return std::any_of(stats.segments.begin(), stats.segments.end(),
                       [](const SegmentInfo& segment) { return segment.rows == 320; });
  }));
  collection_.reset();
}

TEST_F(BackgroundMerge, CloseDoesNotWaitForAMerge) {
  options_.rate_limiter = &slow_;
  Create();
  for (int round = 0; round < 8; ++round) {
    Put(round * 100, round * 100 + 100);
    ASSERT_OK(collection_->Flush());
  }
  const auto start = std::chrono::steady_clock::now();
  ASSERT_OK(collection_->Close());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  options_.rate_limiter = nullptr;
  Reopen();
  EXPECT_EQ(Count(), 800U);
}

TEST_F(BackgroundMerge, KeepsToTheMemoryBudget) {
  options_.memory_budget = &budget_;
  options_.memtable_bytes = 64 << 20;
  Schema schema = Schema::SingleVector(256, Metric::kL2);
  Create(schema);
  size_t most = 0;
  Random random(1);
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_OK(collection_->Put(MakeRecord("k" + std::to_string(i), RandomVector(&random, 256))));
    most = std::max(most, budget_.used(MemoryBudget::Use::kMemtables));
  }
  // A group may go over by what a chunk of a memtable takes.
  EXPECT_LE(most, budget_.share(MemoryBudget::Use::kMemtables) + (2 << 20));
  EXPECT_EQ(Count(), 20'000U);
  ASSERT_OK(collection_->Close());
  collection_.reset();
  EXPECT_EQ(budget_.used(MemoryBudget::Use::kMemtables), 0U);
  EXPECT_EQ(budget_.used(MemoryBudget::Use::kBuilds), 0U);
}

TEST_F(BackgroundMerge, ACollectionAsksTheOthersOfItsBudgetToFlush) {
  options_.memory_budget = &budget_;
  options_.memtable_bytes = 64 << 20;
  Schema schema = Schema::SingleVector(256, Metric::kL2);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collection> idle, Collection::Create(temp_ / "idle", schema, options_));
  Random random(1);
  for (int i = 0; i < 900; ++i) {
    ASSERT_OK(idle->Put(MakeRecord("k" + std::to_string(i), RandomVector(&random, 256))));
  }
  EXPECT_EQ(idle->Stats().segments.size(), 0U);
  Create(schema);
  // Held by a third: what is left is too little for a memtable beside that of the idle one, however fast flushes are.
  constexpr size_t kHeld = 2 << 20;
  budget_.Take(MemoryBudget::Use::kMemtables, kHeld);
  for (int i = 0; i < 8'000; ++i) {
    ASSERT_OK(collection_->Put(MakeRecord("k" + std::to_string(i), RandomVector(&random, 256))));
  }
  EXPECT_TRUE(Eventually([&](const CollectionStats&) { return idle->Stats().segments.size() == 1; }));
  budget_.Give(MemoryBudget::Use::kMemtables, kHeld);
  EXPECT_EQ(idle->Count().value_or(0), 900U);
  EXPECT_EQ(Count(), 8'000U);
}

TEST_F(BackgroundMerge, MemtablesAreFlushedByRowsToo) {
  options_.memtable_bytes = 64 << 20;
  options_.memtable_rows = 100;
  options_.background_merges = false;
  Create();
  Put(0, 1000);
  EXPECT_TRUE(Eventually([](const CollectionStats& stats) { return stats.segments.size() >= 7; }));
}

}  // namespace
}  // namespace varve
