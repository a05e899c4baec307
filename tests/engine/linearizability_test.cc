// Threads write and read a few keys at random while flushes, merges, backups and readers beside the writer go on; what
// they were told must be what one map could have told them, call after call (tests/support/history.h).
//
// VARVE_TEST_CALLS: how many calls each thread makes, 1,200 by default, some seconds in all. VARVE_TEST_SEED: another
// seed than the usual one; what each thread asks depends on it alone, how the threads meet does not.
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <thread>
#include <vector>

#include "tests/support/collection_fixture.h"
#include "tests/support/history.h"
#include "tests/support/history_client.h"

namespace varve::testing {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr && *text != '\0' ? std::strtoull(text, nullptr, 10) : otherwise;
}

struct Setting {
  const char* name;
  IndexType index;
  SyncMode sync;
  uint32_t memtable_rows;
};

class Linearizability : public CollectionTest, public ::testing::WithParamInterface<Setting> {
 protected:
  static constexpr int kThreads = 4;

  Linearizability() {
    options_.background_merges = true;
    options_.max_segments = 4;
    options_.memtable_rows = GetParam().memtable_rows;
    options_.sync = GetParam().sync;
  }

  void CreateIndexed() {
    Schema schema = Schema::SingleVector(kDimension, Metric::kL2);
    schema.fields[0].index.type = GetParam().index;
    Create(schema);
  }

  // Everything that must change no answer, until the clients are done.
  void Disturb(uint64_t seed, HistoryClock* clock, std::vector<PrefixRead>* prefixes) {
    Random random(seed);
    while (!done_.load()) {
      switch (random.Below(8)) {
        case 0:
          ASSERT_OK(collection_->Merge(/*full=*/true));
          break;
        case 1:
          ASSERT_OK(collection_->Merge(/*full=*/false));
          break;
        case 2:
          ASSERT_OK(collection_->Checkpoint());
          break;
        case 3:
          ASSERT_OK(collection_->SetSyncMode(random.Below(2) == 0 ? SyncMode::OnFlush() : SyncMode::EveryN(5)));
          break;
        case 4:
          ASSERT_OK(collection_->Sync());
          EXPECT_FALSE(collection_->MetricsText().empty());
          break;
        case 5:
          ASSERT_NO_FATAL_FAILURE(ReadBackup(clock, prefixes));
          break;
        default:
          ASSERT_OK(collection_->Flush());
      }
      EXPECT_EQ(collection_->Stats().last_background_error, "");
    }
  }

  void ReadBackup(HistoryClock* clock, std::vector<PrefixRead>* prefixes) {
    const std::string copy = temp_ / ("backup" + std::to_string(prefixes->size()));
    PrefixRead prefix;
    prefix.reader = 1;
    prefix.invoked = clock->Stamp();
    ASSERT_OK(collection_->Backup(copy));
    prefix.returned = clock->Stamp();
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collection> backup, Collection::OpenReadOnly(copy));
    ASSERT_NO_FATAL_FAILURE(ReadPrefix(backup.get(), &prefix));
    prefixes->push_back(std::move(prefix));
    std::filesystem::remove_all(copy);
  }

  // A reader beside the writer, as in another process.
  void Follow(HistoryClock* clock, std::vector<PrefixRead>* prefixes) {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collection> beside, Collection::OpenReadOnly(path()));
    while (!done_.load()) {
      PrefixRead prefix;
      prefix.reader = 2;
      prefix.invoked = clock->Stamp();
      const absl::Status refreshed = beside->Refresh();
      if (absl::IsUnavailable(refreshed)) continue;  // the writer was faster
      ASSERT_OK(refreshed);
      prefix.returned = clock->Stamp();
      ASSERT_NO_FATAL_FAILURE(ReadPrefix(beside.get(), &prefix));
      prefixes->push_back(std::move(prefix));
    }
  }

  std::atomic<bool> done_{false};
};

TEST_P(Linearizability, EveryAnswerIsThatOfOneMap) {
  const uint64_t calls = FromEnvironment("VARVE_TEST_CALLS", 1200);
  const uint64_t seed = FromEnvironment("VARVE_TEST_SEED", 1);
  SCOPED_TRACE("VARVE_TEST_SEED=" + std::to_string(seed) + " VARVE_TEST_CALLS=" + std::to_string(calls));
  CreateIndexed();
  HistoryClock clock;
  std::vector<HistoryClient> clients;
  clients.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) clients.emplace_back(collection_.get(), &clock, t, kThreads, seed);
  std::vector<PrefixRead> backups, refreshes;
  std::thread disturber([&] { Disturb(seed, &clock, &backups); });
  std::thread follower([&] { Follow(&clock, &refreshes); });
  std::vector<std::thread> threads;
  for (HistoryClient& client : clients) {
    threads.emplace_back([&] {
      for (uint64_t i = 0; i < calls && !HasFailure(); ++i) client.CallSomething();
      client.DropSnapshots();
    });
  }
  for (std::thread& thread : threads) thread.join();
  done_ = true;
  disturber.join();
  follower.join();

  std::vector<Call> history;
  for (HistoryClient& client : clients) {
    std::move(client.calls().begin(), client.calls().end(), std::back_inserter(history));
  }
  std::vector<PrefixRead> prefixes = std::move(backups);
  std::move(refreshes.begin(), refreshes.end(), std::back_inserter(prefixes));
  const CollectionStats stats = collection_->Stats();
  std::cout << "seed " << seed << ": " << history.size() << " calls, " << prefixes.size() << " states from elsewhere, "
            << stats.flushes << " flushes, " << stats.merges << " merges\n";
  EXPECT_EQ(FindViolation(history, prefixes), "");
  EXPECT_GT(stats.flushes, 0U);
  EXPECT_GT(stats.merges, 0U);
}

INSTANTIATE_TEST_SUITE_P(Settings, Linearizability,
                         ::testing::Values(Setting{"FlatOnFlush", IndexType::kFlat, SyncMode::OnFlush(), 16},
                                           Setting{"HnswPerOp", IndexType::kHnsw, SyncMode::PerOp(), 64},
                                           Setting{"HnswOnFlush", IndexType::kHnsw, SyncMode::OnFlush(), 8}),
                         [](const auto& setting) { return std::string(setting.param.name); });

}  // namespace
}  // namespace varve::testing
