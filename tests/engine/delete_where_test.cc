// Deletes by filter: alone, beside writers, and through failures.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/collection_fixture.h"
#include "varve/fault_file_system.h"
#include "varve/filter.h"

namespace varve::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DeleteWhereTest : public CollectionTest {
 protected:
  // Keys of `digits` digits; the metadata is {"n": i}.
  void Fill(int count) {
    WriteBatch batch;
    for (int i = 0; i < count; ++i) {
      batch.Put(MakeRecord(KeyOf(i), {1, 2, 3, 4}, "{\"n\":" + std::to_string(i) + "}"));
      if (i % 2000 == 1999 || i + 1 == count) {
        ASSERT_OK(collection_->Write(batch));
        batch.Clear();
      }
    }
  }
  static std::string KeyOf(int i) {
    const std::string digits = std::to_string(i);
    return std::string(6 - digits.size(), '0') + digits;
  }
  static Filter Where(const std::string& text) { return Filter::Parse(text).value(); }
};

TEST_F(DeleteWhereTest, DeletesWhatMatchesAndNothingElse) {
  options_.sync = SyncMode::OnFlush();  // no idle entries, which take sequences
  Create();
  Fill(3000);
  ASSERT_OK(collection_->Flush());
  ASSERT_OK(collection_->Put(MakeRecord("in the memtable", {1, 1, 1, 1}, R"({"n":1})")));
  ASSERT_OK(collection_->Put(MakeRecord("without", {1, 1, 1, 1})));
  RecordInput expiring = MakeRecord("expired", {1, 1, 1, 1}, R"({"n":1})");
  expiring.ttl_seconds = 10;
  ASSERT_OK(collection_->Put(expiring));
  clock_.Advance(20'000'000);
  const Sequence before = collection_->Stats().last_sequence;
  EXPECT_EQ(*collection_->DeleteWhere(Where("n < 1000")), 1001u);
  EXPECT_EQ(collection_->Stats().last_sequence, before + 1001);
  EXPECT_EQ(*collection_->Count(), 2001u);
  EXPECT_EQ(*collection_->CountWhere(Where("n < 1000")), 0u);
  EXPECT_OK(collection_->Get("", "without"));
  EXPECT_EQ(*collection_->DeleteWhere(Where("n < 1000")), 0u) << "nothing is left to delete";
  EXPECT_EQ(collection_->Stats().last_sequence, before + 1001) << "nor to log";
  Reopen();
  EXPECT_EQ(*collection_->Count(), 2001u);
  EXPECT_EQ(*collection_->DeleteWhere(Filter()), 2001u);
  EXPECT_EQ(*collection_->Count(), 0u);
}

TEST_F(DeleteWhereTest, KeepsToItsNamespace) {
  Create();
  for (const char* ns : {"", "a", "b"}) {
    for (int i = 0; i < 10; ++i) {
      RecordInput record = MakeRecord(KeyOf(i), {1, 1, 1, 1}, "{\"n\":" + std::to_string(i) + "}");
      record.ns = ns;
      ASSERT_OK(collection_->Put(record));
    }
    if (std::string(ns) == "a") {
      ASSERT_OK(collection_->Flush());
    }
  }
  DeleteWhereOptions options;
  options.ns = "a";
  EXPECT_EQ(*collection_->DeleteWhere(Where("n >= 5"), options), 5u);
  EXPECT_EQ(*collection_->Count("a"), 5u);
  EXPECT_EQ(*collection_->Count(), 25u);
  EXPECT_EQ(*collection_->DeleteWhere(Where("n >= 5")), 10u) << "in all namespaces";
  options.ns = std::string(2000, 'n');
  EXPECT_THAT(collection_->DeleteWhere(Where("n >= 5"), options),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("namespace")));
}

TEST_F(DeleteWhereTest, WorksInBatchesAndSaysHowFarItIs) {
  Create();
  Fill(25'000);
  std::vector<uint64_t> steps;
  DeleteWhereOptions options;
  options.progress = [&](uint64_t deleted) { steps.push_back(deleted); };
  EXPECT_EQ(*collection_->DeleteWhere(Where("n != 7"), options), 24'999u);
  EXPECT_THAT(steps, ElementsAre(10'000u, 20'000u, 24'999u));
  EXPECT_EQ(*collection_->Count(), 1u);
  EXPECT_OK(collection_->Get("", KeyOf(7)));
}

TEST_F(DeleteWhereTest, BatchesFitIntoTheSmallestMemtable) {
  options_.memtable_bytes = size_t{1} << 16;
  options_.wal_max_bytes = size_t{1} << 16;
  Create();
  WriteBatch batch;
  for (int i = 0; i < 500; ++i) {
    batch.Put(MakeRecord(KeyOf(i) + std::string(200, 'k'), {1, 2, 3, 4}, R"({"n":1})"));
    if (i % 20 != 19) continue;
    ASSERT_OK(collection_->Write(batch));
    batch.Clear();
  }
  EXPECT_EQ(*collection_->DeleteWhere(Where("n = 1")), 500u);
  EXPECT_EQ(*collection_->Count(), 0u);
}

// A record that changes between being seen and being deleted: the progress callback stands between two batches, and
// what it writes lies ahead; the change within a batch is made by writers in the test below.
TEST_F(DeleteWhereTest, ARecordThatChangesIsJudgedAnew) {
  Create();
  Fill(20'000);  // two batches
  DeleteWhereOptions options;
  bool changed = false;
  options.progress = [&](uint64_t) {
    if (changed) return;
    changed = true;
    RecordUpdate update;
    update.key = KeyOf(19'000);
    update.metadata = R"({"n":-1})";
    ASSERT_OK(collection_->Update(update));
    ASSERT_OK(collection_->Put(MakeRecord("zzz", {1, 1, 1, 1}, R"({"n":5})")));  // ahead, and matches
    ASSERT_OK(collection_->Put(MakeRecord("000", {1, 1, 1, 1}, R"({"n":5})")));  // behind
  };
  EXPECT_EQ(*collection_->DeleteWhere(Where("n >= 0"), options), 20'000u);
  EXPECT_EQ(*collection_->Count(), 2u);
  EXPECT_OK(collection_->Get("", KeyOf(19'000)));
  EXPECT_OK(collection_->Get("", "000"));
}

TEST_F(DeleteWhereTest, BesideWritersNothingThatDoesNotMatchDies) {
  options_.sync = SyncMode::OnFlush();
  Create();
  constexpr int kKeys = 400;
  Fill(kKeys);
  ASSERT_OK(collection_->Flush());
  // Each record has one writer, which brings it into a state that matches and back again, for some rounds and until
  // enough were caught in between.
  constexpr int kWriters = 3;
  constexpr int kRounds = 300;
  constexpr uint64_t kEnough = 50;
  std::atomic<int> writing = kWriters;
  std::atomic<int> lost = 0;
  std::atomic<uint64_t> deleted = 0;
  std::vector<std::thread> threads;
  for (int w = 0; w < kWriters; ++w) {
    threads.emplace_back([&, w] {
      Random random(static_cast<uint64_t>(w) + 1);
      for (int round = 0; round < kRounds || deleted < kEnough; ++round) {
        const int i = static_cast<int>(random.Below(kKeys / kWriters)) * kWriters + w;
        // It does not match: it is there.
        RecordUpdate touch;
        touch.key = KeyOf(i);
        touch.patch = R"({"touched":true})";
        lost += collection_->Update(touch).ok() ? 0 : 1;
        // It matches, and may be deleted, until it is put again.
        (void)collection_->Put(MakeRecord(KeyOf(i), {1, 1, 1, 1}, R"({"gone":true})"));
        (void)collection_->Put(MakeRecord(KeyOf(i), {2, 2, 2, 2}, R"({"gone":false})"));
      }
      --writing;
    });
  }
  for (int round = 1; writing > 0; ++round) {
    const absl::StatusOr<uint64_t> count = collection_->DeleteWhere(Where("gone"));
    EXPECT_OK(count);
    deleted += count.ok() ? *count : kEnough;
    if (round % 20 == 0) {
      EXPECT_OK(collection_->Flush());
    }
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(lost, 0) << "records that did not match were deleted";
  EXPECT_EQ(*collection_->Count(), kKeys);
  EXPECT_EQ(*collection_->CountWhere(Where("gone")), 0u);
}

TEST_F(DeleteWhereTest, ReadOnlyCollectionsRefuseIt) {
  Create();
  Fill(10);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collection> reader, Collection::OpenReadOnly(path()));
  EXPECT_THAT(reader->DeleteWhere(Where("n = 1")),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("read-only")));
  EXPECT_EQ(*reader->CountWhere(Where("n < 3")), 3u);
}

TEST_F(DeleteWhereTest, AFailureSaysHowManyWereDeleted) {
  FaultFileSystem disk(FileSystem::Default());
  options_.file_system = &disk;
  Create();
  Fill(25'000);
  DeleteWhereOptions options;
  options.progress = [&](uint64_t) { disk.SetRoom(0); };
  EXPECT_THAT(collection_->DeleteWhere(Where("n >= 0"), options),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("after 10000 records were deleted: ")));
  EXPECT_EQ(*collection_->Count(), 15'000u);
  disk.SetRoom(int64_t{1} << 40);
  EXPECT_EQ(*collection_->DeleteWhere(Where("n >= 0")), 15'000u) << "may be repeated";
  collection_.reset();
}

}  // namespace
}  // namespace varve::testing
