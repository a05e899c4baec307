#include "wal/log_salvage.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "wal/log_replay_fixture.h"

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::varve::testing::AppendBatches;
using ::varve::testing::Batch;
using ::varve::testing::HeaderOf;
using ::varve::testing::NewLog;
using ::varve::testing::ReplayTest;
using ::varve::testing::UuidOf;
using ::varve::testing::WithFlippedBit;
using ::varve::testing::WriteLog;

class LogSalvage : public ReplayTest {
 protected:
  LogSalvage() { request_.salvage = true; }
};

TEST_F(LogSalvage, OfGoodLogsIsAReplay) {
  const LogEnd three = WriteLog(&fs_, HeaderOf(3), {{"a"}, {"b", "c"}});
  const LogEnd five = WriteLog(&fs_, HeaderOf(5, 4, three), {{"d"}});
  const LogEnd nine = WriteLog(&fs_, HeaderOf(9, 5, five), {{"e", "f"}});
  UseLogs({9, 3, 5});
  request_.wal_sequence = 1;
  request_.closed = nine;
  request_.durable_sequence = 6;
  ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
  EXPECT_THAT(batches_, ElementsAre(Batch{"b", "c"}, Batch{"d"}, Batch{"e", "f"}));
  EXPECT_THAT(result.salvage_report, IsEmpty());
  EXPECT_EQ(result.records, 5u);
  EXPECT_EQ(result.logs_read, 3u);
  EXPECT_EQ(result.dropped_bytes, 0u);
  EXPECT_EQ(result.last_sequence, 6u);
  EXPECT_EQ(result.largest_sequence, 6u);
  EXPECT_EQ(result.first_needed_log, 3u);
  EXPECT_EQ(result.newest, nine);
  EXPECT_TRUE(result.ended_cleanly);
  request_.wal_sequence = 4;
  EXPECT_EQ(Replay()->first_needed_log, 9u);
}

TEST_F(LogSalvage, KeepsWhatLiesBehindDamageAndReportsTheGap) {
  WriteLog(&fs_, HeaderOf(5), {{"a"}, {"b"}, {"c", "d", "e"}, {"f"}});  // forty bytes each, from 128 on
  std::string log = Contents(5);
  log[208 + 40 + 8] ^= 1;  // the header of d: its length
  SetContents(5, log);
  UseLogs({5});
  ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
  EXPECT_THAT(batches_, ElementsAre(Batch{"a"}, Batch{"b"}, Batch{"f"})) << "no half batch";
  EXPECT_THAT(result.salvage_report,
              ElementsAre("/5.vwal: bytes 208 to 328 dropped: at offset 248: record header: checksum does not match: "
                          "sequences 3 to 5 are missing"));
  EXPECT_EQ(result.dropped_bytes, 120u);
  EXPECT_EQ(result.records, 3u);
  EXPECT_EQ(result.last_sequence, 6u);
  EXPECT_EQ(result.newest->length, 368u);
  EXPECT_FALSE(result.ended_cleanly);
}

TEST_F(LogSalvage, ReportsWhatTheTailHeldWhereALaterLogSaysIt) {
  const LogEnd five = WriteLog(&fs_, HeaderOf(5), {{"a"}, {"b"}, {"c"}});
  WriteLog(&fs_, HeaderOf(6, 4, five), {{"d"}});
  const std::string log = Contents(5);
  UseLogs({5, 6});

  SetContents(5, log.substr(0, 168));  // without b and c
  ASSERT_OK_AND_ASSIGN(ReplayResult result, Replay());
  EXPECT_THAT(batches_, ElementsAre(Batch{"a"}, Batch{"d"}));
  EXPECT_THAT(result.salvage_report,
              ElementsAre("/5.vwal: bytes 168 to 168 dropped: at offset 168: the log ends early: "
                          "sequences 2 to 3 are missing"));
  SetContents(5, log.substr(0, 210));
  ASSERT_OK_AND_ASSIGN(result, Replay());
  EXPECT_THAT(batches_, ElementsAre(Batch{"a"}, Batch{"b"}, Batch{"d"}));
  EXPECT_THAT(result.salvage_report,
              ElementsAre("/5.vwal: bytes 208 to 210 dropped: at offset 208: the file ends within a "
                          "record header: sequences 3 to 3 are missing"));
  EXPECT_EQ(result.dropped_bytes, 2u);
  request_.wal_sequence = 3;
  EXPECT_THAT(Replay()->salvage_report, IsEmpty()) << "log 5 is no longer needed";
}

TEST_F(LogSalvage, SaysWhatItCannotKnow) {
  WriteLog(&fs_, HeaderOf(5), {{"a"}, {"b"}});
  std::string log = Contents(5);
  log[170] ^= 1;
  SetContents(5, log + std::string(1000, '\0'));
  UseLogs({5});
  ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
  EXPECT_THAT(result.salvage_report, ElementsAre(HasSubstr("which sequences they held is unknown")));
  EXPECT_EQ(result.dropped_bytes, 33u) << "up to the last byte that is not zero";
}

TEST_F(LogSalvage, GoesOnOverAMissingLog) {
  const LogEnd three = WriteLog(&fs_, HeaderOf(3), {{"a"}});
  const LogEnd five = WriteLog(&fs_, HeaderOf(5, 2, three), {{"b"}, {"c"}});
  WriteLog(&fs_, HeaderOf(9, 4, five), {{"d"}});
  UseLogs({3, 9});
  ASSERT_OK_AND_ASSIGN(ReplayResult result, Replay());
  EXPECT_THAT(batches_, ElementsAre(Batch{"a"}, Batch{"d"}));
  EXPECT_THAT(result.salvage_report, ElementsAre("log 5 is missing: sequences up to 3 may have been there"));
  UseLogs({5, 9});
  EXPECT_THAT(Replay()->salvage_report, ElementsAre("log 3 is missing: sequences up to 1 may have been there"));
  UseLogs({});
  request_.durable_sequence = 4;
  ASSERT_OK_AND_ASSIGN(result, Replay());
  EXPECT_THAT(result.salvage_report, ElementsAre(HasSubstr("the logs end at sequence 0")));
  EXPECT_FALSE(result.newest.has_value());
}

TEST_F(LogSalvage, ReportsALogWithoutPredecessorThatBeginsTooLate) {
  WriteLog(&fs_, HeaderOf(5, 100), {{"a"}});
  UseLogs({5});
  ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
  EXPECT_THAT(batches_, ElementsAre(Batch{"a"}));
  EXPECT_THAT(result.salvage_report, ElementsAre(HasSubstr("sequences up to 99 may have been there")));
}

TEST_F(LogSalvage, ReadsALogWhoseHeaderIsDamaged) {
  for (const uint32_t pad_to : {8u, 4096u}) {
    const LogEnd three = WriteLog(&fs_, HeaderOf(3), {{"a"}});
    LogHeader header = HeaderOf(5, 2, three);
    header.pad_to = pad_to;
    const LogEnd five = WriteLog(&fs_, header, {{"b"}, {"c", "d"}});
    WriteLog(&fs_, HeaderOf(9, 5, five), {{"e"}});
    SetContents(5, WithFlippedBit(Contents(5), 100));
    UseLogs({3, 5, 9});
    ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
    EXPECT_THAT(batches_, ElementsAre(Batch{"a"}, Batch{"b"}, Batch{"c", "d"}, Batch{"e"}));
    EXPECT_THAT(result.salvage_report, ElementsAre(AllOf(HasSubstr("5.vwal"), HasSubstr("checksum")))) << pad_to;
  }
}

TEST_F(LogSalvage, TakesNothingFromAnothersLog) {
  LogHeader foreign = HeaderOf(5);
  foreign.secret = UuidOf('z');
  WriteLog(&fs_, foreign, {{"not ours"}});
  UseLogs({5});
  ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
  EXPECT_THAT(batches_, IsEmpty());
  EXPECT_THAT(result.salvage_report, ElementsAre(HasSubstr("another collection"), HasSubstr("5.vwal")));
  SetContents(5, "");
  ASSERT_OK(Replay());
  EXPECT_THAT(batches_, IsEmpty());
}

TEST_F(LogSalvage, GoesOnOverBytesThatCannotBeRead) {
  std::vector<Batch> batches;
  for (int i = 0; i < 500; ++i) batches.push_back({std::to_string(1000 + i)});  // forty bytes each
  WriteLog(&fs_, HeaderOf(5), batches);
  UseLogs({5});
  fs_.hooks.read = [](uint64_t offset, size_t length) {
    return offset < 12'288 && offset + length > 8'192 ? DataLoss("read: input/output") : absl::OkStatus();
  };
  ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
  const size_t before = (8'192 - 128) / 40;        // whole records before the bad sectors
  const size_t behind = (12'288 - 128 + 39) / 40;  // the first that begins behind them
  ASSERT_EQ(batches_.size(), before + 500 - behind);
  EXPECT_EQ(batches_[before - 1], batches[before - 1]);
  EXPECT_EQ(batches_[before], batches[behind]);
  EXPECT_THAT(result.salvage_report, ElementsAre(AllOf(HasSubstr("input/output"),
                                                       HasSubstr("sequences " + std::to_string(before + 1) + " to " +
                                                                 std::to_string(behind) + " are missing"))));
}

TEST_F(LogSalvage, AnyFlippedBitCostsAtMostTheBatchThatItIsIn) {
  const std::vector<Batch> batches = {{"a", "bb", "ccc"}, {std::string(300, 'd')}, {"e"}, {"f", "", "g"}, {"h"}};
  const std::unique_ptr<LogWriter> writer = NewLog(&fs_, HeaderOf(5));
  std::vector<uint64_t> ends;
  for (const Batch& batch : batches) {
    AppendBatches(writer.get(), {batch});
    ends.push_back(writer->size());
  }
  ASSERT_OK(writer->Finish());
  const std::string log = Contents(5);
  UseLogs({5});
  for (size_t bit = 0; bit < log.size() * 8; ++bit) {
    SCOPED_TRACE(bit);
    SetContents(5, WithFlippedBit(log, bit));
    ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
    std::vector<Batch> expected = batches;
    if (bit / 8 >= 128) {
      expected.erase(expected.begin() + (std::upper_bound(ends.begin(), ends.end(), bit / 8) - ends.begin()));
    }
    EXPECT_EQ(batches_, expected);
    EXPECT_EQ(result.salvage_report.size(), 1u);
  }
}

TEST_F(LogSalvage, AnyTruncationLeavesTheWholeBatches) {
  WriteLog(&fs_, HeaderOf(5), {{"a"}, {"b", "c"}, {"d"}});
  const std::string log = Contents(5);
  UseLogs({5});
  for (size_t length = 0; length < log.size(); ++length) {
    SetContents(5, log.substr(0, length));
    ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
    EXPECT_EQ(batches_.size(), length < 168 ? 0u : length < 248 ? 1u : 2u) << length;
    EXPECT_EQ(result.salvage_report.empty(), length == 128 || length == 168 || length == 248) << length;
  }
}

}  // namespace
}  // namespace varve
