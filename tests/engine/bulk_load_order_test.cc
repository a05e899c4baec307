// Bulk loads between flushes, deletes and publications: whatever comes first, what Finish acknowledged stays.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/collection_fixture.h"
#include "tests/support/hook_listener.h"
#include "varve/fault_file_system.h"
#include "varve/memory_budget.h"

namespace varve::testing {
namespace {

using ::testing::HasSubstr;

class BulkLoadOrder : public CollectionTest {
 protected:
  BulkLoadOrder() { options_.listeners.push_back(hooks_); }

  static RecordInput Of(const std::string& ns, const std::string& key, float mark) {
    RecordInput record = MakeRecord(key, {mark, 0, 0, 0});
    record.ns = ns;
    return record;
  }
  uint64_t CountIn(Collection* collection, const std::string& ns) { return collection->Count(ns).value_or(0); }

  FaultFileSystem disk_{FileSystem::Default()};
  MemoryBudget budget_{16 << 20};
  std::shared_ptr<HookListener> hooks_ = std::make_shared<HookListener>();
};

// The flush of the memtable before the delete publishes a manifest that names the segment of the load, while the delete
// is still in the log that will be replayed.
TEST_F(BulkLoadOrder, RowsLoadedAfterTheirNamespaceWasDeletedSurviveTheReplayOfTheDelete) {
  options_.memtable_rows = 10;
  hooks_->flush_begin = [&](const FlushInfo&) {
    while (collection_ != nullptr && !collection_->Get("a", "k7").ok()) std::this_thread::yield();
  };
  hooks_->flush_end = [&](const FlushInfo&) {
    if (std::filesystem::exists(temp_ / "killed")) return;
    CopyAsIfKilled("killed");
    ASSERT_OK(collection_->Backup(temp_ / "backup"));
  };
  Create();
  for (int i = 0; i < 5; ++i) ASSERT_OK(collection_->Put(Of("a", "old" + std::to_string(i), 1)));
  // Beyond the tenth row the memtable is frozen and its flush begins, which the listener holds up.
  for (int i = 0; i < 7; ++i) ASSERT_OK(collection_->Put(Of("b", "k" + std::to_string(i), 2)));
  WriteBatch batch;
  batch.DeleteNamespace("a");
  ASSERT_OK(collection_->Write(batch));
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<BulkLoad> load, collection_->NewBulkLoad({}));
    for (int i = 0; i < 20; ++i) ASSERT_OK(load->Add(Of("a", "k" + std::to_string(i), 3)));
    ASSERT_OK(load->Finish());
  }
  EXPECT_EQ(CountIn(collection_.get(), "a"), 20U);
  EXPECT_EQ(CountIn(collection_.get(), "b"), 7U);
  collection_.reset();
  hooks_->flush_begin = {};
  for (const char* copy : {"killed", "backup"}) {
    SCOPED_TRACE(copy);
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collection> reader, Collection::OpenReadOnly(temp_ / copy));
    EXPECT_EQ(CountIn(reader.get(), "a"), 20U);
    EXPECT_EQ(CountIn(reader.get(), "b"), 7U);
    for (int round = 0; round < 2; ++round) {
      ASSERT_OK_AND_ASSIGN(collection_, Collection::Open(temp_ / copy, options_));
      EXPECT_EQ(CountIn(collection_.get(), "a"), 20U);
      EXPECT_EQ(CountIn(collection_.get(), "b"), 7U);
      ASSERT_OK(collection_->Flush());
      collection_.reset();
    }
  }
}

// Between the view that has the segment and the sequence that makes it visible a publication may begin: views that
// nobody reads any more are freed there, which takes its time.
TEST_F(BulkLoadOrder, APublicationMayBeginWhileASegmentEnters) {
  std::atomic<std::thread::id> loader{};
  std::atomic<bool> may_flush{true};
  std::atomic<bool> flushed{false};
  std::atomic<int> entered{0};
  absl::Status status;
  hooks_->flush_begin = [&](const FlushInfo&) {
    while (!may_flush) std::this_thread::yield();
  };
  hooks_->flush_end = [&](const FlushInfo& info) {
    status.Update(info.status);
    flushed = true;
  };
  disk_.OnUnmap([&] {
    if (std::this_thread::get_id() != loader.load()) return;
    ++entered;
    flushed = false;
    may_flush = true;
    // A publication that fails ends soon; one that does not waits for this thread.
    for (int i = 0; i < 50 && !flushed; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  });
  options_.file_system = &disk_;
  options_.memtable_rows = 10;
  Create();
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 5; ++j) ASSERT_OK(collection_->Put(Of("b", std::to_string(5 * i + j), 1)));
    ASSERT_OK(collection_->Flush());
  }
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<BulkLoad> load, collection_->NewBulkLoad({}));
  for (int i = 0; i < 20; ++i) ASSERT_OK(load->Add(Of("a", "k" + std::to_string(i), 3)));
  // The scan keeps the segments that are merged meanwhile; a flush has begun when it ends.
  bool first = true;
  ASSERT_OK(collection_->Scan({}, [&](const Record&) {
    if (!std::exchange(first, false)) return true;
    std::thread([&] {
      ASSERT_OK(collection_->Merge(true));
      may_flush = false;
      for (int i = 0; i < 11; ++i) ASSERT_OK(collection_->Put(Of("c", std::to_string(i), 1)));
    }).join();
    return true;
  }));
  loader = std::this_thread::get_id();
  const absl::Status finished = load->Finish();
  loader = std::thread::id();
  may_flush = true;
  EXPECT_OK(finished);
  ASSERT_OK(collection_->Flush());
  EXPECT_OK(status);
  EXPECT_GT(entered.load(), 0) << "the view was freed before, so that this test has tried nothing";
  EXPECT_EQ(CountIn(collection_.get(), "a"), 20U);
  Reopen();
  EXPECT_EQ(CountIn(collection_.get(), "a"), 20U);
  EXPECT_EQ(CountIn(collection_.get(), "c"), 11U);
  collection_.reset();
}

TEST_F(BulkLoadOrder, SeveralOpenLoadsDoNotWaitForOneAnother) {
  options_.memory_budget = &budget_;
  Create();
  std::vector<std::unique_ptr<BulkLoad>> loads;
  for (int i = 0; i < 6; ++i) {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<BulkLoad> load, collection_->NewBulkLoad({}));
    ASSERT_OK(load->Add(Of("a", "k" + std::to_string(i), 3)));
    loads.push_back(std::move(load));
  }
  // A few of them have what there is; the others little.
  EXPECT_LE(budget_.used(MemoryBudget::Use::kBuilds), budget_.share(MemoryBudget::Use::kBuilds) + (6 << 20));
  // A merge finds no room, and says so.
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 9000; ++j) ASSERT_OK(collection_->Put(Of("b", std::to_string(i * 9000 + j), 1)));
    ASSERT_OK(collection_->Flush());
  }
  const absl::StatusOr<MaintenanceResult> merged = collection_->Merge(true);
  EXPECT_TRUE(merged.ok() || absl::IsResourceExhausted(merged.status())) << merged.status();
  for (const std::unique_ptr<BulkLoad>& load : loads) ASSERT_OK(load->Finish());
  loads.clear();
  EXPECT_EQ(CountIn(collection_.get(), "a"), 6U);
  EXPECT_OK(collection_->Merge(true));
  EXPECT_EQ(budget_.used(MemoryBudget::Use::kBuilds), 0U);
}

TEST_F(BulkLoadOrder, WhatALoadWritesIsCounted) {
  Create();
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<BulkLoad> load, collection_->NewBulkLoad({}));
    for (int i = 0; i < 100; ++i) ASSERT_OK(load->Add(Of("a", "k" + std::to_string(i), 3)));
    ASSERT_OK(load->Finish());
  }
  const CollectionStats stats = collection_->Stats();
  ASSERT_EQ(stats.segments.size(), 1U);
  EXPECT_EQ(stats.bytes_loaded, stats.segments[0].bytes);
  EXPECT_EQ(stats.bytes_flushed, 0U);
  const std::string metrics = collection_->MetricsText();
  EXPECT_THAT(metrics, HasSubstr("kind=\"bulk_load\"} " + std::to_string(stats.bytes_loaded)));
  EXPECT_THAT(metrics, HasSubstr("op=\"put\"} 100\n"));
}

}  // namespace
}  // namespace varve::testing
