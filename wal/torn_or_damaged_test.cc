// The decision of log_recovery.h between the torn tail of an unsynced write and damage to acknowledged data,
// enumerated.
#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "wal/log_replay_fixture.h"

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::varve::testing::AppendBatches;
using ::varve::testing::Batch;
using ::varve::testing::HeaderOf;
using ::varve::testing::LogPath;
using ::varve::testing::NewLog;
using ::varve::testing::ReplayTest;
using ::varve::testing::StatusIs;
using ::varve::testing::WithFlippedBit;

// The log 5 of these batches, a group each; `synced_batches` says after how many of them there was a sync.
class TornOrDamaged : public ReplayTest {
 protected:
  const std::vector<Batch> kBatches = {{"a", "bb", "ccc"}, {std::string(300, 'd')}, {"e"}, {"f", "", "g"}, {"h"}};

  void MakeLog(const std::vector<size_t>& synced_batches, uint32_t pad_to = 8) {
    LogHeader header = HeaderOf(5);
    header.pad_to = pad_to;
    const std::unique_ptr<LogWriter> writer = NewLog(&fs_, header);
    ends_ = {writer->size()};
    for (const Batch& batch : kBatches) {
      AppendBatches(writer.get(), {batch});
      ends_.push_back(writer->size());
      if (std::count(synced_batches.begin(), synced_batches.end(), ends_.size() - 1) != 0) {
        ASSERT_OK(writer->Sync());
      }
    }
    end_ = writer->Finish().value();
    log_ = Contents(5);
    UseLogs({5});
  }

  // How many whole batches lie before an offset.
  size_t BatchesBefore(uint64_t offset) const {
    return static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), offset) - ends_.begin()) - 1;
  }

  std::vector<Batch> FirstBatches(size_t count) const { return {kBatches.begin(), kBatches.begin() + count}; }

  // Replay keeps the first batches, and no error is reported. (The numbers of batches fit the counts of kBatches.)
  void ExpectTorn(size_t kept) {
    const absl::StatusOr<ReplayResult> result = Replay();
    ASSERT_OK(result);
    EXPECT_EQ(batches_, FirstBatches(kept));
    EXPECT_EQ(result->newest->length, ends_[kept]);
    EXPECT_EQ(result->dropped_bytes > 0, !result->dropped_reason.empty());
  }

  void ExpectDamaged() {
    EXPECT_THAT(Replay(), StatusIs(absl::StatusCode::kDataLoss, AllOf(HasSubstr("5.vwal"), HasSubstr("at offset"))));
  }

  std::string log_;
  LogEnd end_;
  std::vector<uint64_t> ends_;  // of the header and of each batch
};

TEST_F(TornOrDamaged, ThePolicyIsThis) {
  struct Case {
    const char* name;
    std::vector<size_t> synced;             // after how many batches the log was synced
    std::function<std::string()> contents;  // of the file
    std::function<void()> request;          // what else is known
    std::optional<size_t> kept;             // batches; empty: damage
  };
  const auto flip = [this](size_t batch) { return [this, batch] { return WithFlippedBit(log_, ends_[batch] * 8); }; };
  const auto zero = [this](size_t from, size_t to) {
    return [this, from, to] {
      return std::string(log_).replace(ends_[from], ends_[to] - ends_[from], ends_[to] - ends_[from], '\0');
    };
  };
  const auto cut = [this](size_t batch) { return [this, batch] { return log_.substr(0, ends_[batch]); }; };
  const auto whole = [this] { return log_; };
  const auto nothing = [] {};
  const auto durable = [this](size_t batch) {
    return [this, batch] {
      request_.durable_log = 5;
      request_.durable_sequence = 1;
      request_.durable_offset = ends_[batch];
    };
  };
  const auto closed = [this](uint64_t length, Sequence last) {
    return [this, length, last] { request_.closed = LogEnd{5, end_.length + length, Crc32c{}, last}; };
  };
  const std::vector<Case> cases = {
      {"whole, never synced", {}, whole, nothing, 5},
      {"damaged tail, never synced", {}, flip(4), nothing, 4},
      {"damaged middle, never synced: intact records behind it are no witness", {}, flip(1), nothing, 1},
      {"a page was lost and a later one written, never synced", {}, zero(1, 3), nothing, 1},
      {"everything was lost, never synced", {}, zero(0, 5), nothing, 0},
      {"damaged, a later record claims exactly what is before it", {2}, flip(2), nothing, 2},
      {"damaged, a later record claims the damaged batch", {2}, flip(1), nothing, std::nullopt},
      {"lost page, a later record claims it", {3}, zero(1, 3), nothing, std::nullopt},
      {"the claimant itself is damaged, but another follows", {3}, flip(3), nothing, 3},
      {"the newest synced batch is damaged, its successor claims it", {4}, flip(3), nothing, std::nullopt},
      {"synced last batch damaged: it has no successor to claim it", {5}, flip(4), nothing, 4},
      {"synced last batch damaged, the manifest knows", {5}, flip(4), durable(5), std::nullopt},
      {"damaged behind what the manifest knows", {}, flip(4), durable(4), 4},
      {"damaged before what the manifest knows", {}, flip(3), durable(4), std::nullopt},
      {"cut at a batch", {}, cut(3), nothing, 3},
      {"cut at a batch before what the manifest knows", {}, cut(3), durable(4), std::nullopt},
      {"cut at a batch at what the manifest knows", {}, cut(3), durable(3), 3},
      {"zeros in place of the tail before what the manifest knows", {}, zero(3, 5), durable(4), std::nullopt},
      {"closed, whole", {}, whole, closed(0, 9), 5},
      {"closed, damaged tail", {}, flip(4), closed(0, 9), std::nullopt},
      {"closed, cut at a batch", {}, cut(4), closed(0, 9), std::nullopt},
      {"closed, one zero more", {}, [this] { return log_ + std::string(1, '\0'); }, closed(0, 9), std::nullopt},
      {"closed at another length", {}, whole, closed(8, 9), std::nullopt},
      {"closed at another sequence", {}, whole, closed(0, 10), std::nullopt},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    MakeLog(c.synced);
    request_.durable_log = request_.durable_sequence = request_.durable_offset = 0;
    request_.closed.reset();
    SetContents(5, c.contents());
    c.request();
    if (c.kept.has_value()) {
      ExpectTorn(*c.kept);
    } else {
      ExpectDamaged();
    }
  }
}

TEST_F(TornOrDamaged, ACloseThatMatchesIsClean) {
  MakeLog({});
  request_.closed = LogEnd{5, end_.length, Crc32c{}, end_.last_sequence};
  EXPECT_TRUE(Replay()->ended_cleanly);
  request_.closed->number = 4;  // something was logged after that close
  EXPECT_FALSE(Replay()->ended_cleanly);
  request_.closed->number = 6;
  EXPECT_THAT(Replay(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("log 6 is missing")));
  request_.wal_sequence = end_.last_sequence;
  EXPECT_TRUE(Replay()->ended_cleanly) << "all of it lies in segments";
}

TEST_F(TornOrDamaged, ALogThatWasClosedAndHasASuccessorStillMatches) {
  MakeLog({});
  testing::WriteLog(&fs_, HeaderOf(6, 100, end_), {{"next"}});
  UseLogs({5, 6});
  request_.closed = LogEnd{5, end_.length, Crc32c{}, end_.last_sequence};
  ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
  EXPECT_FALSE(result.ended_cleanly);
  request_.closed->last_sequence = 3;
  ExpectDamaged();
  request_.closed.reset();
  request_.durable_log = 5;
  request_.durable_sequence = 9;
  request_.durable_offset = end_.length;
  EXPECT_OK(Replay());
  request_.durable_offset += 8;
  ExpectDamaged();
}

TEST_F(TornOrDamaged, WhileAWriterLivesTheFirstInvalidRecordIsTheEnd) {
  MakeLog({2});
  request_.writer_is_live = true;
  request_.durable_log = 5;
  request_.durable_sequence = 9;
  request_.durable_offset = end_.length;
  SetContents(5, WithFlippedBit(log_, ends_[1] * 8));
  ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
  EXPECT_EQ(batches_, FirstBatches(1));
  EXPECT_EQ(result.dropped_bytes, 0u);
  EXPECT_EQ(result.dropped_reason, "");
}

TEST_F(TornOrDamaged, ATruncationAtAnyLengthLeavesAPrefixOfBatches) {
  for (const uint32_t pad_to : {8u, 4096u}) {
    MakeLog({2, 4}, pad_to);
    for (size_t length = 0; length <= log_.size(); length += length < ends_[0] && pad_to != 8 ? 7 : 1) {
      SCOPED_TRACE(length);
      SetContents(5, log_.substr(0, length));
      if (length < ends_[0]) {
        EXPECT_THAT(Replay(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("5.vwal")));
        continue;
      }
      // What is left can only claim what is before it.
      const size_t kept = BatchesBefore(length);
      ExpectTorn(kept);
      request_.durable_log = 5;
      request_.durable_sequence = 4;
      request_.durable_offset = ends_[2];
      if (kept < 2) {
        ExpectDamaged();
      } else {
        ExpectTorn(kept);
      }
      request_.durable_log = request_.durable_sequence = request_.durable_offset = 0;
    }
  }
}

TEST_F(TornOrDamaged, ZerosFromAnyOffsetOnLeaveAPrefixOfBatches) {
  MakeLog({2, 4});
  for (size_t offset = ends_[0]; offset <= log_.size(); ++offset) {
    SCOPED_TRACE(offset);
    SetContents(5, log_.substr(0, offset) + std::string(log_.size() - offset + 4096, '\0'));
    // A record that has lost nothing but zeros is whole.
    const size_t data_end = Contents(5).find_last_not_of('\0') + 1;
    size_t kept = BatchesBefore(offset);
    if (kept < kBatches.size() && data_end == log_.substr(0, ends_[kept + 1]).find_last_not_of('\0') + 1) ++kept;
    ExpectTorn(kept);
  }
}

TEST_F(TornOrDamaged, AnyFlippedBitIsDamageBeforeWhatARecordClaimsAndTornBehindIt) {
  MakeLog({2});
  for (size_t bit = 0; bit < log_.size() * 8; ++bit) {
    SCOPED_TRACE(bit);
    SetContents(5, WithFlippedBit(log_, bit));
    if (bit / 8 < ends_[2]) {
      ExpectDamaged();
    } else {
      ExpectTorn(BatchesBefore(bit / 8));
    }
  }
}

TEST_F(TornOrDamaged, AnyFlippedBitOfAClosedLogIsDamage) {
  MakeLog({});
  request_.closed = LogEnd{5, end_.length, Crc32c{}, end_.last_sequence};
  for (size_t bit = 0; bit < log_.size() * 8; ++bit) {
    SetContents(5, WithFlippedBit(log_, bit));
    ExpectDamaged();
  }
}

TEST_F(TornOrDamaged, WhatIsDroppedIsReportedToTheByteAndItsNumbersAreSeen) {
  MakeLog({});
  SetContents(5, WithFlippedBit(log_, ends_[1] * 8) + std::string(10'000, '\0'));
  ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
  EXPECT_EQ(result.dropped_bytes, log_.find_last_not_of('\0') + 1 - ends_[1]);
  EXPECT_EQ(result.dropped_reason,
            "/5.vwal: at offset " + std::to_string(ends_[1]) + ": record header: checksum does not match");
  EXPECT_EQ(result.last_sequence, 3u);
  EXPECT_EQ(result.newest->last_sequence, 3u);
  EXPECT_EQ(result.largest_sequence, 9u);
}

TEST_F(TornOrDamaged, RecordsInAPayloadAreNoWitness) {
  MakeLog({2});
  // All the bytes of the log as a user's payload, behind a torn record.
  const std::unique_ptr<LogWriter> writer = NewLog(&fs_, HeaderOf(5));
  AppendBatches(writer.get(), {{"a"}});
  const uint64_t kept = writer->size();
  AppendBatches(writer.get(), {{"b"}, {log_, "x" + log_, std::string(7, 'y') + log_}});
  SetContents(5, WithFlippedBit(Contents(5), kept * 8));
  ASSERT_OK(Replay());
  EXPECT_THAT(batches_, ElementsAre(Batch{"a"}));
}

}  // namespace
}  // namespace varve
