// Merges that end, that check what they copy, and that leave nothing behind.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/collection_fixture.h"
#include "tests/support/hook_listener.h"
#include "varve/fault_file_system.h"
#include "varve/memory_budget.h"

namespace varve::testing {
namespace {

using ::testing::HasSubstr;

class MergeLife : public CollectionTest {
 protected:
  MergeLife() { options_.listeners.push_back(hooks_); }

  void Put(const std::string& prefix, int first, int last) {
    WriteBatch batch;
    for (int i = first; i < last; ++i) {
      batch.Put(MakeRecord(prefix + std::to_string(i), RandomVector(&random_, kDimension)));
    }
    ASSERT_OK(collection_->Write(batch));
  }
  // In a thread of its own, since a listener must not write.
  template <typename Work>
  static void Elsewhere(Work work) {
    std::thread(work).join();
  }
  std::vector<std::filesystem::path> SegmentFiles() {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(path() + "/segments")) {
      if (entry.path().extension() == ".vcnt") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }
  // Flips a bit at this part of the segment: keys and times come first, vectors last.
  static void Damage(const std::filesystem::path& file, double part) {
    const auto offset = static_cast<std::streamoff>(part * static_cast<double>(std::filesystem::file_size(file)));
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(offset);
    const char byte = static_cast<char>(stream.get() ^ 0x10);
    stream.seekp(offset);
    stream.put(byte);
  }
  template <typename Done>
  ::testing::AssertionResult Eventually(Done done) {
    for (int i = 0; i < 2000; ++i) {
      if (done()) return ::testing::AssertionSuccess();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return ::testing::AssertionFailure() << "not within ten seconds";
  }

  Random random_{7};
  FaultFileSystem disk_{FileSystem::Default()};
  MemoryBudget small_budget_{4 << 20};
  std::shared_ptr<HookListener> hooks_ = std::make_shared<HookListener>();
};

TEST_F(MergeLife, DamageIsNotCopiedWhereChecksAreOff) {
  options_.verify_checksums = VerifyChecksums::kNever;
  Create();
  for (int i = 0; i < 3; ++i) {
    Put("k", i * 1000, i * 1000 + 1000);
    ASSERT_OK(collection_->Flush());
  }
  Damage(SegmentFiles().at(1), 0.1);
  EXPECT_THAT(collection_->Merge(true), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("0000000")));
  EXPECT_EQ(collection_->Stats().segments.size(), 3U);
}

TEST_F(MergeLife, DamageIsNotCopiedWhereBlocksWereCheckedLongAgo) {
  Create();
  for (int i = 0; i < 3; ++i) {
    Put("k", i * 1000, i * 1000 + 1000);
    ASSERT_OK(collection_->Flush());
  }
  ASSERT_OK(collection_->Scan({}, [](const Record&) { return true; }));
  ASSERT_OK(Search({1, 1, 1, 1}, 10, /*exact=*/true));
  Damage(SegmentFiles().at(1), 0.1);
  EXPECT_THAT(collection_->Merge(true), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("0000000")));
  EXPECT_EQ(collection_->Stats().segments.size(), 3U);
}

TEST_F(MergeLife, AFullMergeEndsThoughOthersWriteAndFlush) {
  constexpr int kEnough = 20;
  std::atomic<int> merges{0};
  hooks_->merge_begin = [&](const MergeInfo&) {
    if (++merges > kEnough) return;
    Elsewhere([&] {
      Put("during", merges * 10, merges * 10 + 10);
      ASSERT_OK(collection_->Delete("", "k" + std::to_string(merges)));
      ASSERT_OK(collection_->Flush());
    });
  };
  Create();
  for (int i = 0; i < 3; ++i) {
    Put("k", i * 100, i * 100 + 100);
    ASSERT_OK(collection_->Flush());
  }
  ASSERT_OK(collection_->Merge(true));
  EXPECT_EQ(merges.load(), 1);
  EXPECT_EQ(collection_->Stats().segments.size(), 2U);
  Put("fragment", 0, 10);
  ASSERT_OK(collection_->Flush());
  merges = 0;
  ASSERT_OK(collection_->Merge(false));
  EXPECT_LT(merges.load(), 4);
}

TEST_F(MergeLife, AFullMergeDoesNotWaitForTheLastRowToExpire) {
  std::atomic<int> merges{0};
  // Rows expire after each rewrite.
  hooks_->merge_end = [&](const MergeInfo&) {
    ++merges;
    clock_.Advance(1'000'000);
  };
  Create();
  for (int i = 0; i < 50; ++i) {
    RecordInput record = MakeRecord("k" + std::to_string(i), {1, 2, 3, 4});
    record.ttl_seconds = i + 1;
    ASSERT_OK(collection_->Put(std::move(record)));
  }
  ASSERT_OK(collection_->Flush());
  clock_.Advance(5'500'000);
  ASSERT_OK(collection_->Merge(true));
  EXPECT_EQ(merges.load(), 1);
  EXPECT_LE(collection_->Stats().live_rows, 45U);
}

TEST_F(MergeLife, AFlushEndsThoughWritersAreFaster) {
  constexpr int kEnough = 5;  // more would let the listener itself wait for a flush
  options_.memtable_rows = 10;
  options_.max_frozen_memtables = 2;
  const std::thread::id here = std::this_thread::get_id();
  std::atomic<int> mine{0};
  hooks_->flush_begin = [&](const FlushInfo&) {
    if (std::this_thread::get_id() != here || ++mine > kEnough) return;
    Elsewhere([&] {
      for (int i = 0; i < 11; ++i) Put("during", mine * 100 + i, mine * 100 + i + 1);
    });
  };
  Create();
  Put("k", 0, 5);
  ASSERT_OK(collection_->Flush());
  EXPECT_EQ(mine.load(), 1);
  EXPECT_EQ(collection_->Count().value_or(0), 16U);
}

TEST_F(MergeLife, InputsGoWithTheMergeAndItHoldsNoMemory) {
  std::atomic<bool> wrote{false};
  uint64_t held = 1;
  hooks_->build_end = [&](const IndexBuildInfo& info) {
    if (info.of < 250 || wrote.exchange(true)) return;
    Elsewhere([&] {
      Put("during", 0, 50);
      ASSERT_OK(collection_->Flush());
      held = collection_->Stats().held_memory_bytes;
    });
  };
  Create();
  for (int i = 0; i < 3; ++i) {
    Put("k", i * 100, i * 100 + 100);
    ASSERT_OK(collection_->Flush());
  }
  ASSERT_OK(collection_->Merge(true));
  EXPECT_TRUE(wrote);
  EXPECT_EQ(held, 0U) << "a memtable was pinned by the merge";
  EXPECT_EQ(SegmentFiles().size(), 2U);
  EXPECT_EQ(collection_->Stats().held_file_bytes, 0U);
}

TEST_F(MergeLife, InputsThatASnapshotHoldsGoWithTheSnapshot) {
  Create();
  for (int i = 0; i < 3; ++i) {
    Put("k", i * 100, i * 100 + 100);
    ASSERT_OK(collection_->Flush());
  }
  ASSERT_OK_AND_ASSIGN(Snapshot snapshot, collection_->GetSnapshot());
  ASSERT_OK(collection_->Merge(true));
  EXPECT_EQ(SegmentFiles().size(), 4U);
  EXPECT_EQ(collection_->Count(std::nullopt, {&snapshot}).value_or(0), 300U);
  snapshot = Snapshot();
  EXPECT_TRUE(Eventually([&] { return SegmentFiles().size() == 1; }));
}

TEST_F(MergeLife, InputsThatAScanUsesGoWithTheScan) {
  Create();
  for (int i = 0; i < 3; ++i) {
    Put("k", i * 100, i * 100 + 100);
    ASSERT_OK(collection_->Flush());
  }
  int visited = 0;
  ASSERT_OK(collection_->Scan({}, [&](const Record&) {
    if (++visited == 1) {
      Elsewhere([&] { ASSERT_OK(collection_->Merge(true)); });
      EXPECT_EQ(SegmentFiles().size(), 4U);
    }
    return true;
  }));
  EXPECT_EQ(visited, 300);
  EXPECT_TRUE(Eventually([&] { return SegmentFiles().size() == 1; }));
}

TEST_F(MergeLife, ADamagedSegmentDoesNotStopTheMergesOfOthers) {
  Create();
  // Large enough for their keys and vectors to lie in different blocks.
  for (int i = 0; i < 12; ++i) {
    Put("k", i * 4000, i * 4000 + 4000);
    ASSERT_OK(collection_->Flush());
  }
  collection_.reset();
  Damage(SegmentFiles().at(3), 0.8);
  const std::string damaged = SegmentFiles().at(3).filename();
  options_.background_merges = true;
  Reopen();
  EXPECT_TRUE(Eventually([&] { return collection_->Stats().segments.size() <= 5; }));
  EXPECT_THAT(collection_->Stats().last_background_error, HasSubstr(damaged));
  // Those that come later are merged too.
  const uint64_t merges = collection_->Stats().merges;
  for (int i = 0; i < 10; ++i) {
    Put("later", i * 400, i * 400 + 400);
    ASSERT_OK(collection_->Flush());
  }
  EXPECT_TRUE(Eventually([&] { return collection_->Stats().merges > merges; }));
}

TEST_F(MergeLife, AMergeThatIsTooLargeForTheDiskDoesNotStopSmallerOnes) {
  options_.file_system = &disk_;
  Create();
  // What is due first has twelve segments.
  for (int i = 0; i < 12; ++i) {
    Put("k", i * 400, i * 400 + 400);
    ASSERT_OK(collection_->Flush());
  }
  uint64_t bytes = 0;
  for (const SegmentInfo& segment : collection_->Stats().segments) bytes += segment.bytes;
  collection_.reset();
  options_.background_merges = true;
  // Room for half of that, and for the manifests beside.
  disk_.SetRoom(static_cast<int64_t>(bytes / 2 + 100'000));
  Reopen();
  EXPECT_TRUE(Eventually([&] { return collection_->Stats().merges > 0; }));
  disk_.SetRoom(int64_t{1} << 60);
  EXPECT_EQ(collection_->Count().value_or(0), 4800U);
}

// Segments that are as large as memory allows cannot be folded: nothing is gained by waiting for merges of them.
TEST_F(MergeLife, WritersDoNotWaitForMergesThatCannotBe) {
  options_.memory_budget = &small_budget_;
  options_.clock = nullptr;
  options_.background_merges = true;
  options_.max_segments = 4;
  Schema schema = Schema::SingleVector(kDimension, Metric::kL2);
  schema.fields[0].index = IndexSpec{.type = IndexType::kHnsw, .params = {{"m", 64}, {"ef_construction", 64}}};
  Create(schema);
  int rows = 0;
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<BulkLoad> load, collection_->NewBulkLoad({}));
  const auto is_settled = [&] {
    const uint64_t merges = collection_->Stats().merges;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    return collection_->Stats().merges == merges;
  };
  while (collection_->Stats().segments.size() < 12) {
    for (int i = 0; i < 10'000; ++i, ++rows) {
      ASSERT_OK(load->Add(MakeRecord("k" + std::to_string(rows), RandomVector(&random_, kDimension))));
    }
    ASSERT_OK(load->Finish());
    while (!is_settled()) continue;
    ASSERT_LT(rows, 200'000);
  }
  EXPECT_GT(collection_->Stats().segments.size(), 2 * 4U) << "more than writers are slowed for";
  EXPECT_TRUE(Eventually([&] {
    const uint64_t before = collection_->Stats().stall_microseconds;
    for (int i = 0; i < 20; ++i) Put("after", i, i + 1);
    return collection_->Stats().stall_microseconds == before;
  }));
}

}  // namespace
}  // namespace varve::testing
