// Records that go around the log.
#include <atomic>
#include <filesystem>
#include <set>
#include <thread>

#include "engine/admin/verify.h"
#include "tests/support/collection_fixture.h"

namespace varve {
namespace {

using testing::MakeRecord;

class BulkLoadTest : public testing::CollectionTest {
 protected:
  std::unique_ptr<BulkLoad> Begin(BulkLoadOptions options = {}) {
    absl::StatusOr<std::unique_ptr<BulkLoad>> load = collection_->NewBulkLoad(options);
    EXPECT_OK(load);
    return *std::move(load);
  }
  // Keys first .. last - 1, whose vectors begin with `mark`.
  void Add(BulkLoad* load, int first, int last, float mark) {
    for (int i = first; i < last; ++i) {
      ASSERT_OK(load->Add(MakeRecord("k" + std::to_string(i), {mark, static_cast<float>(i), 0, 0})));
    }
  }
  float MarkOf(int i) {
    const absl::StatusOr<Record> record = collection_->Get("", "k" + std::to_string(i));
    return record.ok() ? record->vectors[0].second[0] : -1;
  }
  uint64_t Count() { return collection_->Count().value_or(0); }
  void ExpectSound(const std::string& directory) {
    ASSERT_OK_AND_ASSIGN(const VerifyReport report, VerifyPath(directory, {nullptr, /*deep=*/true}));
    for (const VerifyDamage& damage : report.damage) ADD_FAILURE() << damage.file << ": " << damage.what;
  }
};

TEST_F(BulkLoadTest, RecordsAreThereOnceFinishHasReturned) {
  Create();
  const std::unique_ptr<BulkLoad> load = Begin();
  Add(load.get(), 0, 5000, 1);
  EXPECT_EQ(Count(), 0U);
  EXPECT_EQ(load->durable_rows(), 0U);
  ASSERT_OK(load->Finish());
  EXPECT_EQ(load->durable_rows(), 5000U);
  EXPECT_EQ(Count(), 5000U);
  const CollectionStats stats = collection_->Stats();
  ASSERT_EQ(stats.segments.size(), 1U);
  EXPECT_EQ(stats.segments[0].fields[0].index, IndexType::kHnsw);
  ASSERT_OK_AND_ASSIGN(const Record record, collection_->Get("", "k17"));
  EXPECT_GT(record.sequence, 0U);
  ASSERT_OK_AND_ASSIGN(const SearchResult result, Search({1, 77, 0, 0}, 1));
  EXPECT_EQ(testing::KeysOf(result), std::vector<std::string>{"k77"});
  Reopen();
  EXPECT_EQ(Count(), 5000U);
  EXPECT_EQ(collection_->Get("", "k17")->sequence, record.sequence);
  ExpectSound(path());
}

TEST_F(BulkLoadTest, SegmentsEnterInOrderAsTheyFill) {
  Create();
  const std::unique_ptr<BulkLoad> load = Begin({.segment_rows = 100});
  Add(load.get(), 0, 250, 1);
  EXPECT_EQ(load->durable_rows(), 200U);
  EXPECT_EQ(Count(), 200U);
  EXPECT_EQ(MarkOf(199), 1);
  EXPECT_EQ(MarkOf(200), -1);
  ASSERT_OK(load->Finish());
  ASSERT_OK(load->Finish());
  EXPECT_EQ(Count(), 250U);
  EXPECT_EQ(collection_->Stats().segments.size(), 3U);
}

TEST_F(BulkLoadTest, WhatIsNotFinishedIsDropped) {
  Create();
  Add(Begin().get(), 0, 100, 1);
  EXPECT_EQ(Count(), 0U);
  ASSERT_OK(collection_->Put(MakeRecord("k1", {2, 0, 0, 0})));
  EXPECT_EQ(Count(), 1U);
}

TEST_F(BulkLoadTest, TakesThePlaceOfOlderRecordsWhereverTheyAre) {
  Create();
  for (int i = 0; i < 100; ++i) ASSERT_OK(collection_->Put(MakeRecord("k" + std::to_string(i), {1, 0, 0, 0})));
  ASSERT_OK(collection_->Flush());
  for (int i = 50; i < 150; ++i) ASSERT_OK(collection_->Put(MakeRecord("k" + std::to_string(i), {2, 0, 0, 0})));
  ASSERT_OK_AND_ASSIGN(Snapshot before, collection_->GetSnapshot());
  const std::unique_ptr<BulkLoad> load = Begin();
  Add(load.get(), 25, 125, 3);
  Add(load.get(), 30, 40, 4);  // of two with one key the last wins
  ASSERT_OK(load->Finish());
  for (int round = 0; round < 3; ++round) {
    SCOPED_TRACE(round);
    EXPECT_EQ(Count(), 150U);
    for (int i = 0; i < 150; ++i) {
      EXPECT_EQ(MarkOf(i), i < 25 ? 1 : i >= 30 && i < 40 ? 4 : i < 125 ? 3 : 2) << i;
    }
    ExpectSound(path());
    if (round == 0) {
      EXPECT_EQ(collection_->Count(std::nullopt, {&before}).value_or(0), 150U);
      EXPECT_EQ(collection_->Get("", "k60", {&before})->sequence < collection_->Get("", "k60")->sequence, true);
      before = Snapshot();  // must not outlive its collection
      Reopen();
    } else {
      ASSERT_OK(collection_->Merge(true));
    }
  }
  EXPECT_EQ(collection_->Stats().segments.size(), 1U);
}

TEST_F(BulkLoadTest, WritesWinAgainstWhatEnteredBefore) {
  Create();
  const std::unique_ptr<BulkLoad> load = Begin();
  Add(load.get(), 0, 100, 1);
  ASSERT_OK(collection_->Put(MakeRecord("k5", {2, 0, 0, 0})));
  ASSERT_OK(load->Finish());
  EXPECT_EQ(MarkOf(5), 1) << "the load entered last";
  ASSERT_OK(collection_->Put(MakeRecord("k5", {3, 0, 0, 0})));
  ASSERT_OK(collection_->Delete("", "k6"));
  EXPECT_EQ(MarkOf(5), 3);
  Reopen();
  EXPECT_EQ(MarkOf(5), 3);
  EXPECT_EQ(MarkOf(6), -1);
  EXPECT_EQ(Count(), 99U);
}

TEST_F(BulkLoadTest, InsertRefusesWhatIsThere) {
  Create();
  ASSERT_OK(collection_->Put(MakeRecord("k5", {2, 0, 0, 0})));
  const std::unique_ptr<BulkLoad> load = Begin({.insert = true});
  Add(load.get(), 0, 5, 1);
  EXPECT_TRUE(absl::IsAlreadyExists(load->Add(MakeRecord("k5", {1, 0, 0, 0}))));
  EXPECT_TRUE(absl::IsAlreadyExists(load->Add(MakeRecord("k4", {1, 0, 0, 0}))));
  Add(load.get(), 6, 10, 1);
  ASSERT_OK(load->Finish());
  EXPECT_EQ(load->durable_rows(), 9U);
  EXPECT_EQ(Count(), 10U);
  EXPECT_EQ(MarkOf(5), 2);
}

TEST_F(BulkLoadTest, BadRecordsAreRefusedAndTheLoadGoesOn) {
  Create();
  const std::unique_ptr<BulkLoad> load = Begin();
  Add(load.get(), 0, 5, 1);
  EXPECT_TRUE(absl::IsInvalidArgument(load->Add(MakeRecord("bad", {1, 2}))));
  Add(load.get(), 5, 10, 1);
  ASSERT_OK(load->Finish());
  EXPECT_EQ(Count(), 10U);
}

// After the segment is in the log and before a manifest names it.
TEST_F(BulkLoadTest, AKillBeforeThePublicationLosesNothing) {
  Create();
  for (int i = 0; i < 50; ++i) ASSERT_OK(collection_->Put(MakeRecord("k" + std::to_string(i), {1, 0, 0, 0})));
  ASSERT_OK(collection_->Flush());
  for (int i = 50; i < 100; ++i) ASSERT_OK(collection_->Put(MakeRecord("k" + std::to_string(i), {2, 0, 0, 0})));
  BulkLoadOptions options;
  options.progress = [&](uint64_t) {
    std::filesystem::remove_all(temp_ / "killed");
    CopyAsIfKilled("killed");
  };
  const std::unique_ptr<BulkLoad> load = Begin(options);
  Add(load.get(), 25, 75, 3);
  ASSERT_OK(load->Finish());
  collection_.reset();
  std::filesystem::remove_all(path());
  std::filesystem::rename(temp_ / "killed", path());
  ExpectSound(path());
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collection> reader, Collection::OpenReadOnly(path()));
    EXPECT_EQ(reader->Count().value_or(0), 100U);
    EXPECT_EQ(reader->Stats().segments.size(), 2U);
  }
  for (int round = 0; round < 2; ++round) {
    Reopen();
    EXPECT_EQ(Count(), 100U);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(MarkOf(i), i < 25 ? 1 : i < 75 ? 3 : 2) << i;
    ExpectSound(path());
  }
}

TEST_F(BulkLoadTest, ReadersAndWritersGoOn) {
  options_.background_merges = true;
  options_.memtable_bytes = 1 << 16;
  Create();
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      ASSERT_OK(collection_->Put(MakeRecord("w" + std::to_string(i % 500), {9, 0, 0, 0})));
      if (i % 100 != 0) continue;
      ASSERT_OK(collection_->Put(MakeRecord("k" + std::to_string(i % 1000), {8, 0, 0, 0})));
    }
  });
  std::thread reader([&] {
    while (!stop) {
      const absl::StatusOr<SearchResult> result = Search({1, 1, 1, 1}, 2000, true);
      ASSERT_OK(result);
      std::set<std::string> keys;
      for (const Hit& hit : result->hits) EXPECT_TRUE(keys.insert(hit.key).second) << hit.key << " twice";
    }
  });
  const std::unique_ptr<BulkLoad> load = Begin({.segment_rows = 100});
  for (int round = 1; round <= 3; ++round) {
    Add(load.get(), 0, 1000, static_cast<float>(round));
    ASSERT_OK(load->Finish());
  }
  stop = true;
  writer.join();
  reader.join();
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(MarkOf(i) == 3 || (i % 100 == 0 && MarkOf(i) == 8)) << i;
  collection_->Close().IgnoreError();
  ExpectSound(path());
  Reopen();
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(MarkOf(i) == 3 || (i % 100 == 0 && MarkOf(i) == 8)) << i;
}

}  // namespace
}  // namespace varve
