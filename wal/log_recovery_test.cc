#include "wal/log_recovery.h"

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

using ::testing::_;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::varve::testing::AppendBatches;
using ::varve::testing::Batch;
using ::varve::testing::EntriesOf;
using ::varve::testing::HeaderOf;
using ::varve::testing::LogPath;
using ::varve::testing::NewLog;
using ::varve::testing::RawRecord;
using ::varve::testing::ReplayTest;
using ::varve::testing::StatusIs;
using ::varve::testing::UuidOf;
using ::varve::testing::WithFlippedBit;
using ::varve::testing::WriteLog;

using LogRecovery = ReplayTest;

auto IsDamage(const std::string& message) { return StatusIs(absl::StatusCode::kDataLoss, HasSubstr(message)); }

TEST_F(LogRecovery, ReplaysThreeLogsInOrderWhateverTheirOrderInTheDirectory) {
  const LogEnd three = WriteLog(&fs_, HeaderOf(3), {{"a"}, {"b", "c"}});
  const LogEnd five = WriteLog(&fs_, HeaderOf(5, 4, three), {{"d"}});
  const std::unique_ptr<LogWriter> writer = NewLog(&fs_, HeaderOf(9, 5, five));
  AppendBatches(writer.get(), {{"e", "f", "g"}});
  ASSERT_OK(writer->Sync());
  const uint64_t vouched = writer->size();
  AppendBatches(writer.get(), {{"h"}});
  UseLogs({5, 9, 3});

  ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
  EXPECT_THAT(batches_, ElementsAre(Batch{"a"}, Batch{"b", "c"}, Batch{"d"}, Batch{"e", "f", "g"}, Batch{"h"}));
  EXPECT_THAT(sequences_, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_EQ(result.logs_read, 3u);
  EXPECT_EQ(result.records, 8u);
  EXPECT_EQ(result.dropped_bytes, 0u);
  EXPECT_EQ(result.dropped_reason, "");
  EXPECT_EQ(result.last_sequence, 8u);
  EXPECT_EQ(result.largest_sequence, 8u);
  EXPECT_EQ(result.first_needed_log, 3u);
  EXPECT_THAT(result.log_ends, ElementsAre(std::pair(3, 3), std::pair(5, 4), std::pair(9, 8)));
  EXPECT_EQ(result.newest_vouched_offset, vouched);
  EXPECT_EQ(result.newest, writer->Finish().value());
  EXPECT_FALSE(result.ended_cleanly);
}

TEST_F(LogRecovery, StartsBehindWhatLiesInSegments) {
  const LogEnd three = WriteLog(&fs_, HeaderOf(3), {{"a"}, {"b", "c"}});
  const LogEnd five = WriteLog(&fs_, HeaderOf(5, 4, three), {{"d"}, {"e"}});
  WriteLog(&fs_, HeaderOf(9, 6, five), {{"f"}});
  UseLogs({3, 5, 9});
  const std::vector<std::vector<Batch>> expected = {{{"a"}, {"b", "c"}, {"d"}, {"e"}, {"f"}},
                                                    {{"b", "c"}, {"d"}, {"e"}, {"f"}},
                                                    {{"c"}, {"d"}, {"e"}, {"f"}},
                                                    {{"d"}, {"e"}, {"f"}},
                                                    {{"e"}, {"f"}},
                                                    {{"f"}},
                                                    {}};
  const std::vector<uint64_t> first_needed = {3, 3, 3, 5, 5, 9, 9};
  for (Sequence wal_sequence = 0; wal_sequence < expected.size(); ++wal_sequence) {
    request_.wal_sequence = wal_sequence;
    ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
    EXPECT_EQ(batches_, expected[wal_sequence]) << wal_sequence;
    EXPECT_EQ(result.first_needed_log, first_needed[wal_sequence]);
    EXPECT_EQ(result.last_sequence, 6u);
    EXPECT_EQ(result.newest->last_sequence, 6u);
  }
  request_.wal_sequence = 1000;
  EXPECT_EQ(Replay()->last_sequence, 1000u);
}

TEST_F(LogRecovery, OlderLogsAreGarbageWhateverTheyHold) {
  const LogEnd three = WriteLog(&fs_, HeaderOf(3), {{"a"}});
  WriteLog(&fs_, HeaderOf(5, 2, three), {{"b"}});
  SetContents(3, "no log at all");
  UseLogs({2, 3, 5});  // 2 is not even there
  request_.wal_sequence = 1;
  ASSERT_OK(Replay());
  EXPECT_THAT(batches_, ElementsAre(Batch{"b"}));
}

TEST_F(LogRecovery, AMissingLinkIsDamageAndIsNamed) {
  const LogEnd three = WriteLog(&fs_, HeaderOf(3), {{"a"}});
  const LogEnd five = WriteLog(&fs_, HeaderOf(5, 2, three), {{"b"}});
  WriteLog(&fs_, HeaderOf(9, 3, five), {{"c"}});
  UseLogs({3, 9});
  EXPECT_THAT(Replay(), IsDamage("log 5 is missing"));
  request_.wal_sequence = 2;
  EXPECT_OK(Replay());
}

TEST_F(LogRecovery, ALeftoverLogBesideTheChainIsPassedOver) {
  // The making of log 7 was reported as failed, so log 9 was made in its stead.
  const LogEnd five = WriteLog(&fs_, HeaderOf(5), {{"a"}});
  NewLog(&fs_, HeaderOf(7, 2, five));
  WriteLog(&fs_, HeaderOf(9, 2, five), {{"b"}});
  UseLogs({5, 7, 9});
  ASSERT_OK(Replay());
  EXPECT_THAT(batches_, ElementsAre(Batch{"a"}, Batch{"b"}));
}

TEST_F(LogRecovery, NoLogNeedExistWhereAllThatIsDurableLiesInSegments) {
  request_.wal_sequence = 7;
  request_.durable_sequence = 7;
  request_.durable_log = 3;
  request_.durable_offset = 4000;
  ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
  EXPECT_EQ(result.first_needed_log, 0u);
  EXPECT_FALSE(result.newest.has_value());
  EXPECT_EQ(result.last_sequence, 7u);
  request_.durable_sequence = 8;
  EXPECT_THAT(Replay(), IsDamage("log 3 is missing"));
}

TEST_F(LogRecovery, ALogBeforeTheOneThatTheManifestKnowsIsNotNeeded) {
  WriteLog(&fs_, HeaderOf(3), {{"a"}, {"b"}});
  UseLogs({3});
  request_.durable_sequence = 5;
  request_.durable_log = 4;
  request_.durable_offset = 200;
  EXPECT_THAT(Replay(), IsDamage("log 4 is missing"));
  request_.wal_sequence = 5;
  ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
  EXPECT_FALSE(result.newest.has_value());
  EXPECT_THAT(batches_, IsEmpty());
}

TEST_F(LogRecovery, ADurablePositionInALogOutsideTheChainIsDamage) {
  const LogEnd three = WriteLog(&fs_, HeaderOf(3), {{"a"}});
  WriteLog(&fs_, HeaderOf(9, 2, three), {{"b"}});
  UseLogs({3, 9});
  request_.durable_sequence = 2;
  request_.durable_log = 5;
  EXPECT_THAT(Replay(), IsDamage("log 5 is missing"));
  request_.durable_log = 2;  // older than all that is needed
  EXPECT_OK(Replay());
  request_.durable_log = 0;  // no position: the sequence decides
  EXPECT_OK(Replay());
  request_.durable_sequence = 3;
  EXPECT_THAT(Replay(), IsDamage("end at sequence 2"));
}

TEST_F(LogRecovery, ALogWithoutPredecessorMustBeginWhereReplayDoes) {
  WriteLog(&fs_, HeaderOf(5, 100), {{"a"}});
  UseLogs({5});
  request_.wal_sequence = 98;
  EXPECT_THAT(Replay(), AllOf(IsDamage("5.vwal"), IsDamage("names no predecessor")));
  request_.wal_sequence = 99;
  EXPECT_OK(Replay());
}

TEST_F(LogRecovery, RefusesTheLogOfAnotherCollectionOrNumber) {
  WriteLog(&fs_, HeaderOf(5), {{"a"}});
  UseLogs({5});
  request_.collection = UuidOf('B');
  EXPECT_THAT(Replay(), IsDamage("another collection"));
  request_.collection = UuidOf('A');
  request_.secret = UuidOf('b');
  EXPECT_THAT(Replay(), IsDamage("another collection"));
  request_.secret = UuidOf('a');
  request_.logs[0].number = 6;
  EXPECT_THAT(Replay(), IsDamage("is that of log 5: expected log 6"));
}

TEST_F(LogRecovery, WhatALogSaysOfItsPredecessorMustBeSoToTheByte) {
  const LogEnd three = WriteLog(&fs_, HeaderOf(3), {{"a"}, {"b"}});
  const std::string good = Contents(3);
  UseLogs({3, 5});
  const auto replay_with = [&](LogEnd previous) {
    WriteLog(&fs_, HeaderOf(5, 100, previous), {{"c"}});
    return Replay();
  };
  EXPECT_OK(replay_with(three));
  LogEnd other = three;
  other.length += 8;
  EXPECT_THAT(replay_with(other), AllOf(IsDamage("3.vwal"), IsDamage("log 5 states")));
  other = three;
  other.final_crc = Crc32c{1};
  EXPECT_THAT(replay_with(other), IsDamage("3.vwal"));
  other = three;
  other.last_sequence = 3;
  EXPECT_THAT(replay_with(other), IsDamage("3.vwal"));
  SetContents(3, good + std::string(8, '\0'));
  EXPECT_THAT(replay_with(three), IsDamage("3.vwal"));
  SetContents(3, good.substr(0, 168));
  EXPECT_THAT(replay_with(three), IsDamage("3.vwal"));
  for (size_t bit = 128 * 8; bit < good.size() * 8; bit += 5) {
    SetContents(3, WithFlippedBit(good, bit));
    EXPECT_THAT(replay_with(three), IsDamage("3.vwal")) << bit;
  }
}

TEST_F(LogRecovery, AnIncompleteBatchAtTheEndIsDropped) {
  const std::unique_ptr<LogWriter> writer = NewLog(&fs_, HeaderOf(5));
  AppendBatches(writer.get(), {{"a"}});
  const uint64_t kept = writer->size();
  AppendBatches(writer.get(), {{"b", "c", "d"}});
  UseLogs({5});
  SetContents(5, Contents(5).substr(0, kept + 80) + std::string(500, '\0'));
  ASSERT_OK_AND_ASSIGN(const ReplayResult result, Replay());
  EXPECT_THAT(batches_, ElementsAre(Batch{"a"}));
  EXPECT_EQ(result.dropped_bytes, 80u);
  EXPECT_EQ(result.dropped_reason, "/5.vwal: at offset " + std::to_string(kept + 80) + ": the log ends within a batch");
  EXPECT_EQ(result.newest->length, kept);
  EXPECT_EQ(result.newest->last_sequence, 1u);
  EXPECT_EQ(result.last_sequence, 1u);
  EXPECT_EQ(result.largest_sequence, 3u) << "the numbers of lost writes are not given again";
}

TEST_F(LogRecovery, BatchesThatNoWriterMakesAreDamage) {
  LogRecordHeader header;
  header.type = 1;
  header.sequence = 1;
  UseLogs({5});
  for (const uint8_t flags : {0, 2}) {  // continues a batch that was not begun
    header.flags = flags;
    SetContents(5, EncodeLogHeader(HeaderOf(5)) + RawRecord(5, 128, header, "x"));
    EXPECT_THAT(Replay(), IsDamage("5.vwal: at offset 128: record neither begins"));
  }
  header.flags = kFirstOfBatch;
  const std::string first = RawRecord(5, 128, header, "x");
  header.sequence = 2;
  SetContents(5, EncodeLogHeader(HeaderOf(5)) + first + RawRecord(5, 168, header, "x"));
  EXPECT_THAT(Replay(), IsDamage("5.vwal: at offset 168: record neither begins"));
}

TEST_F(LogRecovery, ANewerVersionsRecordIsRefusedByName) {
  LogRecordHeader header;
  header.type = 9;
  header.flags = kFirstOfBatch | kLastOfBatch;
  header.sequence = 1;
  SetContents(5, EncodeLogHeader(HeaderOf(5)) + RawRecord(5, 128, header, "x"));
  UseLogs({5});
  EXPECT_THAT(Replay(), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("type 9")));
  request_.salvage = true;
  EXPECT_THAT(Replay(), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("type 9")));
}

TEST_F(LogRecovery, StopsWhereApplyingFails) {
  WriteLog(&fs_, HeaderOf(5), {{"a"}, {"b"}, {"c"}});
  UseLogs({5});
  int calls = 0;
  const auto apply = [&](absl::Span<const LogRecord>) { return ++calls == 2 ? Internal("full") : absl::OkStatus(); };
  for (const bool salvage : {false, true}) {
    calls = 0;
    request_.salvage = salvage;
    EXPECT_THAT(ReplayLogs(&fs_, request_, apply), StatusIs(absl::StatusCode::kInternal, "full"));
    EXPECT_EQ(calls, 2);
  }
}

TEST_F(LogRecovery, AnErrorOfTheFileSystemIsPassedOn) {
  UseLogs({5});
  EXPECT_THAT(Replay(), StatusIs(absl::StatusCode::kNotFound, _));
  WriteLog(&fs_, HeaderOf(5), {{"a"}});
  fs_.hooks.read = [](uint64_t, size_t) { return ResourceExhausted("out of memory"); };
  EXPECT_THAT(Replay(), StatusIs(absl::StatusCode::kResourceExhausted, _));
  fs_.hooks.read = [](uint64_t, size_t) { return DataLoss("input/output"); };
  EXPECT_THAT(Replay(), IsDamage("input/output"));
}

TEST_F(LogRecovery, NothingIsWrittenByReplay) {
  WriteLog(&fs_, HeaderOf(5), {{"a"}, {"b"}});
  const std::string torn = Contents(5).substr(0, 190);
  SetContents(5, torn);
  UseLogs({5});
  ASSERT_OK(Replay());
  EXPECT_EQ(Contents(5), torn);
  EXPECT_THAT(fs_.List("/").value(), ElementsAre("5.vwal"));
}

}  // namespace
}  // namespace varve
