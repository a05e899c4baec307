// Many readers beside writers, flushes, merges and snapshots.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/collection_fixture.h"

namespace varve::testing {
namespace {

class ConcurrencyTest : public CollectionTest {};

TEST_F(ConcurrencyTest, ReadersSeeWholeBatchesAndEachKeyOnce) {
  options_.memtable_bytes = 1 << 17;
  options_.sync = SyncMode::OnFlush();
  Create();
  // Every batch moves the same 8 keys to one value: a reader must never see two values, a key twice, or fewer keys.
  constexpr int kKeys = 8;
  const auto write = [&](float value) {
    WriteBatch batch;
    for (int k = 0; k < kKeys; ++k) batch.Put(MakeRecord("k" + std::to_string(k), {value, 1, 1, 1}));
    return collection_->Write(batch);
  };
  ASSERT_OK(write(0));
  std::atomic<bool> done{false};
  std::atomic<uint64_t> reads{0};
  std::vector<std::thread> threads;
  for (int r = 0; r < 3; ++r) {
    threads.emplace_back([&] {
      while (!done.load()) {
        const absl::StatusOr<SearchResult> result = Search({0, 1, 1, 1}, 100);
        ASSERT_OK(result);
        ASSERT_EQ(result->hits.size(), static_cast<size_t>(kKeys));
        for (const Hit& hit : result->hits) ASSERT_EQ(hit.distance, result->hits[0].distance);
        float value = -1;
        int count = 0;
        ASSERT_OK(collection_->Scan({}, [&](const Record& record) {
          if (count++ == 0) value = record.vectors[0].second[0];
          EXPECT_EQ(record.vectors[0].second[0], value);
          return true;
        }));
        ASSERT_EQ(count, kKeys);
        ++reads;
      }
    });
  }
  std::thread maintenance([&] {
    for (int i = 0; !done.load(); ++i) {
      ASSERT_OK(i % 3 == 0 ? collection_->Merge(/*full=*/true).status() : collection_->Flush().status());
    }
  });
  std::atomic<int> next{1};
  std::vector<std::thread> writers;
  for (int w = 0; w < 2; ++w) {
    writers.emplace_back([&] {
      for (int value = next++; value < 1500; value = next++) ASSERT_OK(write(static_cast<float>(value)));
    });
  }
  for (std::thread& writer : writers) writer.join();
  while (reads.load() < 20) std::this_thread::yield();
  done = true;
  for (std::thread& thread : threads) thread.join();
  maintenance.join();
  EXPECT_EQ(*collection_->Count(), static_cast<uint64_t>(kKeys));
  Reopen();
  EXPECT_EQ(*collection_->Count(), static_cast<uint64_t>(kKeys));
}

TEST_F(ConcurrencyTest, WritersShareSyncsAndLoseNothing) {
  Create();
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 40; ++i) {
        ASSERT_OK(collection_->Put(MakeRecord(std::to_string(t) + "/" + std::to_string(i), {1, 1, 1, 1})));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string copy = CopyAsIfKilled("killed");
  collection_.reset();
  ASSERT_OK_AND_ASSIGN(collection_, Collection::Open(copy, options_));
  EXPECT_EQ(*collection_->Count(), 320u);
}

TEST_F(ConcurrencyTest, InsertsOfOneKeyHaveOneWinner) {
  Create();
  std::atomic<int> winners{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        const absl::Status status = collection_->Insert(MakeRecord("k" + std::to_string(i), {1, 1, 1, 1}));
        if (status.ok()) ++winners;
        ASSERT_TRUE(status.ok() || absl::IsAlreadyExists(status)) << status;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(winners, 50);
  EXPECT_EQ(*collection_->Count(), 50u);
}

TEST_F(ConcurrencyTest, WritersWaitForFlushesInsteadOfUsingMemoryWithoutBound) {
  options_.memtable_bytes = 1 << 16;
  options_.max_frozen_memtables = 1;
  options_.sync = SyncMode::OnFlush();
  Create();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        ASSERT_OK(collection_->Put(MakeRecord(std::to_string(t) + "/" + std::to_string(i), {1, 1, 1, 1})));
        ASSERT_LE(collection_->Stats().frozen_memtables, 2u);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(*collection_->Count(), 2000u);
  EXPECT_GT(collection_->Stats().flushes, 0u);
}

}  // namespace
}  // namespace varve::testing
