#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "wal/log_replay_fixture.h"

namespace varve {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::varve::testing::AppendBatches;
using ::varve::testing::Batch;
using ::varve::testing::HeaderOf;
using ::varve::testing::LogPath;
using ::varve::testing::NewLog;
using ::varve::testing::ReplayTest;
using ::varve::testing::StatusIs;
using ::varve::testing::WriteLog;

class SealRecoveredLogTest : public ReplayTest {
 protected:
  // A log of three batches, torn in the third; the first was synced, and the second vouches for it.
  void MakeTornLog(uint32_t pad_to = 8) {
    LogHeader header = HeaderOf(5);
    header.pad_to = pad_to;
    const std::unique_ptr<LogWriter> writer = NewLog(&fs_, header);
    AppendBatches(writer.get(), {{"a"}});
    ASSERT_OK(writer->Sync());
    vouched_ = writer->size();
    AppendBatches(writer.get(), {{"b", "c"}});
    kept_ = writer->size();
    AppendBatches(writer.get(), {{"d"}});
    whole_ = Contents(5).substr(0, kept_);
    SetContents(5, Contents(5).substr(0, kept_ + 20) + std::string(5000, '\0'));
    UseLogs({5});
  }

  absl::Status Seal(const ReplayResult& result, uint32_t pad_to = 8) {
    writes_.clear();
    syncs_ = 0;
    fs_.hooks.write = [this](uint64_t offset, size_t size) {
      writes_.emplace_back(offset, size);
      return WriteResult{absl::OkStatus(), size};
    };
    fs_.hooks.sync = [this] { return ++syncs_, absl::OkStatus(); };
    const absl::Status status = SealRecoveredLog(&fs_, LogPath(5), result, pad_to);
    fs_.hooks = {};
    return status;
  }

  uint64_t vouched_ = 0, kept_ = 0;
  std::string whole_;
  std::vector<std::pair<uint64_t, size_t>> writes_;
  int syncs_ = 0;
};

TEST_F(SealRecoveredLogTest, CutsTheTailAndWritesAgainWhatNothingVouchesFor) {
  MakeTornLog();
  ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
  ASSERT_OK(Seal(result));
  EXPECT_EQ(Contents(5), whole_);
  EXPECT_THAT(writes_, ElementsAre(Pair(vouched_, kept_ - vouched_)));
  EXPECT_EQ(syncs_, 1);
}

TEST_F(SealRecoveredLogTest, WritesNothingWhereAWriteMayDamageItsNeighbours) {
  MakeTornLog(4096);
  ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
  ASSERT_OK(Seal(result, 8));  // the log's own padding counts, whatever the option says now
  EXPECT_THAT(writes_, IsEmpty());
  EXPECT_EQ(Contents(5), whole_);
  EXPECT_EQ(syncs_, 1);
  MakeTornLog(8);
  ASSERT_OK_AND_ASSIGN(const ReplayResult again, Replay());
  ASSERT_OK(Seal(again, 4096));
  EXPECT_THAT(writes_, IsEmpty());
}

TEST_F(SealRecoveredLogTest, IsIdempotentAndFitsTheNextLogsHeader) {
  MakeTornLog();
  ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
  ASSERT_OK(Seal(result));
  ASSERT_OK(Seal(result));
  ASSERT_OK_AND_ASSIGN(const ReplayResult again, Replay());
  EXPECT_EQ(again.newest, result.newest);
  EXPECT_EQ(again.dropped_bytes, 0u);
  WriteLog(&fs_, HeaderOf(9, result.largest_sequence + 1 + (uint64_t{1} << 32), *result.newest), {{"e"}});
  UseLogs({5, 9});
  ASSERT_OK(Replay());
  EXPECT_THAT(batches_, ElementsAre(Batch{"a"}, Batch{"b", "c"}, Batch{"e"}));
}

TEST_F(SealRecoveredLogTest, SealsALogWithoutAWholeBatch) {
  MakeTornLog();
  SetContents(5, whole_.substr(0, 150));
  ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
  ASSERT_OK(Seal(result));
  EXPECT_EQ(Contents(5), whole_.substr(0, 128));
  EXPECT_THAT(writes_, IsEmpty());
  EXPECT_EQ(result.newest->last_sequence, 0u);
}

TEST_F(SealRecoveredLogTest, RewritesLongLogsWhole) {
  const std::unique_ptr<LogWriter> writer = NewLog(&fs_, HeaderOf(5));
  std::string noise;
  for (uint64_t i = 0; noise.size() < 3'000'000; ++i) noise += testing::Little(i * 0x9E3779B97F4A7C15, 8);
  AppendBatches(writer.get(), {{noise}, {"end"}});
  const std::string log = Contents(5);
  UseLogs({5});
  ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
  ASSERT_OK(Seal(result));
  EXPECT_TRUE(Contents(5) == log.substr(0, writer->size()));
  uint64_t next = 128;
  for (const auto& [offset, size] : writes_) {
    EXPECT_EQ(offset, next);
    next += size;
  }
  EXPECT_EQ(next, writer->size());
}

TEST_F(SealRecoveredLogTest, RefusesALogThatIsNotWhatReplayFound) {
  MakeTornLog();
  ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
  const auto changed = StatusIs(absl::StatusCode::kDataLoss, HasSubstr("5.vwal"));
  std::string other = whole_;
  other[vouched_ + 40] ^= 1;
  SetContents(5, other);
  EXPECT_THAT(Seal(result), changed);
  EXPECT_EQ(syncs_, 0);
  SetContents(5, whole_.substr(0, vouched_));
  EXPECT_THAT(Seal(result), changed);
  SetContents(5, whole_.substr(0, vouched_) + std::string(kept_ - vouched_, '\0'));
  EXPECT_THAT(Seal(result), changed);
  EXPECT_THAT(SealRecoveredLog(&fs_, LogPath(5), ReplayResult(), 8),
              StatusIs(absl::StatusCode::kFailedPrecondition, _));
}

TEST_F(SealRecoveredLogTest, PassesOnWhatFails) {
  const auto fail = [] { return Internal("disk is gone"); };
  const auto is_gone = StatusIs(absl::StatusCode::kInternal, "disk is gone");
  for (int step = 0; step < 4; ++step) {
    MakeTornLog();
    ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
    if (step == 0) fs_.hooks.truncate = fail;
    if (step == 1) fs_.hooks.write = [&](uint64_t, size_t) { return WriteResult{fail(), 3}; };
    if (step == 2) fs_.hooks.sync = fail;
    if (step == 3) fs_.hooks.close = fail;
    EXPECT_THAT(SealRecoveredLog(&fs_, LogPath(5), result, 8), is_gone) << step;
    fs_.hooks = {};
    ASSERT_OK_AND_ASSIGN(const ReplayResult again, Replay());
    EXPECT_EQ(again.newest, result.newest) << "the next recovery finds the same";
  }
}

}  // namespace
}  // namespace varve
