#include "wal/log_reader.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "wal/log_payload.h"
#include "wal/log_test_support.h"

namespace varve {
namespace {

using ::testing::_;
using ::testing::HasSubstr;
using ::varve::testing::AppendBatches;
using ::varve::testing::Batch;
using ::varve::testing::EntriesOf;
using ::varve::testing::HeaderOf;
using ::varve::testing::HookedFileSystem;
using ::varve::testing::LogPath;
using ::varve::testing::NewLog;
using ::varve::testing::RawRecord;
using ::varve::testing::ReadAll;
using ::varve::testing::StatusIs;
using ::varve::testing::WithFlippedBit;
using ::varve::testing::WriteAll;
using ::varve::testing::WriteLog;
using Outcome = LogReader::Outcome;

struct Reading {
  std::vector<LogRecord> records;
  Outcome outcome = Outcome::kRecord;
  uint64_t offset = 0;
  std::string reason;
};

absl::StatusOr<Reading> ReadLog(FileSystem* fs, const std::string& path) {
  ASSIGN_OR_RETURN(const std::unique_ptr<LogReader> reader, LogReader::Open(fs, path));
  Reading reading;
  for (;;) {
    LogRecord record;
    ASSIGN_OR_RETURN(reading.outcome, reader->Read(&record));
    if (reading.outcome != Outcome::kRecord) break;
    reading.records.push_back(std::move(record));
  }
  EXPECT_EQ(reader->Read(nullptr).value(), reading.outcome) << "the outcome stays";
  reading.offset = reader->offset();
  reading.reason = std::string(reader->invalid_reason());
  return reading;
}

class LogReaderTest : public ::testing::Test {
 protected:
  // The log 7 with the bytes of `records` behind its header.
  absl::StatusOr<Reading> ReadRaw(const std::string& records) {
    WriteAll(&fs_, LogPath(7), EncodeLogHeader(HeaderOf(7)) + records);
    return ReadLog(&fs_, LogPath(7));
  }

  HookedFileSystem fs_;
};

bool IsSameRecord(const LogRecord& a, const LogRecord& b) {
  return a.offset == b.offset && a.end == b.end && a.type == b.type && a.flags == b.flags && a.sequence == b.sequence &&
         a.synced_up_to == b.synced_up_to && a.header_crc == b.header_crc && a.payload == b.payload;
}

TEST_F(LogReaderTest, ReadsBackWhatWasWritten) {
  Random random(1);
  std::vector<std::string> payloads;
  for (int i = 0; i < 300; ++i) payloads.emplace_back(random.Below(20'000), static_cast<char>(random.Next()));
  payloads.emplace_back();
  for (size_t i = 0; i < 3'000'000; ++i)
    payloads.back().push_back(static_cast<char>(random.Next()));  // over the window
  const std::unique_ptr<LogWriter> writer = NewLog(&fs_, HeaderOf(7, 41));
  for (const std::string& payload : payloads) ASSERT_OK(writer->Append({{LogEntryType::kUpdate, payload, true, true}}));

  ASSERT_OK_AND_ASSIGN(const Reading reading, ReadLog(&fs_, LogPath(7)));
  EXPECT_EQ(reading.outcome, Outcome::kEnd);
  EXPECT_EQ(reading.offset, writer->size());
  ASSERT_EQ(reading.records.size(), payloads.size());
  for (size_t i = 0; i < payloads.size(); ++i) {
    EXPECT_TRUE(reading.records[i].payload == payloads[i]) << i;
    EXPECT_EQ(reading.records[i].sequence, 41 + i);
    EXPECT_EQ(reading.records[i].type, LogEntryType::kUpdate);
    EXPECT_EQ(reading.records[i].end, i + 1 < payloads.size() ? reading.records[i + 1].offset : writer->size());
  }
}

TEST_F(LogReaderTest, EndsAtZerosOfAnyNumber) {
  const LogEnd end = WriteLog(&fs_, HeaderOf(7), {{"one"}, {"two"}});
  const std::string log = ReadAll(&fs_, LogPath(7));
  for (const size_t zeros : {0, 1, 31, 32, 33, 4096, 3'000'000}) {
    WriteAll(&fs_, LogPath(7), log + std::string(zeros, '\0'));
    ASSERT_OK_AND_ASSIGN(const Reading reading, ReadLog(&fs_, LogPath(7)));
    EXPECT_EQ(reading.outcome, Outcome::kEnd) << zeros;
    EXPECT_EQ(reading.offset, end.length);
    EXPECT_EQ(reading.records.size(), 2u);
  }
}

TEST_F(LogReaderTest, ZerosWithDataBehindThemAreNoEnd) {
  WriteLog(&fs_, HeaderOf(7), {{"one"}});
  const std::string log = ReadAll(&fs_, LogPath(7));
  for (const size_t zeros : {1, 31, 32, 100, 2'000'000}) {
    WriteAll(&fs_, LogPath(7), log + std::string(zeros, '\0') + "x");
    ASSERT_OK_AND_ASSIGN(const Reading reading, ReadLog(&fs_, LogPath(7)));
    EXPECT_EQ(reading.outcome, Outcome::kInvalid) << zeros;
    EXPECT_EQ(reading.offset, log.size());
  }
}

TEST_F(LogReaderTest, NoFlippedBitIsEverAccepted) {
  for (const uint32_t pad_to : {8u, 4096u}) {
    LogHeader header = HeaderOf(7);
    header.pad_to = pad_to;
    const std::unique_ptr<LogWriter> writer = NewLog(&fs_, header);
    AppendBatches(writer.get(), {{"a", "bc"}, {std::string(200, 'x')}, {""}});
    ASSERT_OK(writer->Finish());
    const std::string log = ReadAll(&fs_, LogPath(7));
    ASSERT_OK_AND_ASSIGN(const Reading whole, ReadLog(&fs_, LogPath(7)));
    // Every bit of a small file; of the pages of zeros one in eleven.
    for (size_t bit = 0; bit < log.size() * 8; bit += pad_to == 8 ? 1 : 11) {
      WriteAll(&fs_, LogPath(7), WithFlippedBit(log, bit));
      const absl::StatusOr<Reading> reading = ReadLog(&fs_, LogPath(7));
      if (!reading.ok()) {
        EXPECT_LT(bit / 8, FirstRecordOffset(pad_to));
        EXPECT_THAT(reading, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("7.vwal")));
        continue;
      }
      ASSERT_EQ(reading->outcome, Outcome::kInvalid) << bit;
      ASSERT_LT(reading->records.size(), whole.records.size()) << bit;
      EXPECT_LE(reading->offset, bit / 8);
      for (size_t i = 0; i < reading->records.size(); ++i) {
        EXPECT_TRUE(IsSameRecord(reading->records[i], whole.records[i])) << bit;
      }
    }
  }
}

TEST_F(LogReaderTest, AnyTruncationLeavesAPrefix) {
  WriteLog(&fs_, HeaderOf(7), {{"a", "bc"}, {std::string(200, 'x')}, {""}});
  const std::string log = ReadAll(&fs_, LogPath(7));
  ASSERT_OK_AND_ASSIGN(const Reading whole, ReadLog(&fs_, LogPath(7)));
  for (size_t length = 0; length < log.size(); ++length) {
    WriteAll(&fs_, LogPath(7), log.substr(0, length));
    const absl::StatusOr<Reading> reading = ReadLog(&fs_, LogPath(7));
    if (length < 128) {
      EXPECT_THAT(reading, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("7.vwal")));
      continue;
    }
    ASSERT_OK(reading);
    const size_t expected = std::count_if(whole.records.begin(), whole.records.end(),
                                          [&](const LogRecord& record) { return record.end <= length; });
    EXPECT_EQ(reading->records.size(), expected);
    const bool at_boundary = expected == 0 ? length == 128 : whole.records[expected - 1].end == length;
    EXPECT_EQ(reading->outcome, at_boundary ? Outcome::kEnd : Outcome::kInvalid) << length;
  }
}

LogRecordHeader RecordOf(Sequence sequence) {
  LogRecordHeader header;
  header.type = 1;
  header.flags = kFirstOfBatch | kLastOfBatch;
  header.sequence = sequence;
  return header;
}

TEST_F(LogReaderTest, RightChecksumsDoNotMakeARecordValid) {
  LogRecordHeader header = RecordOf(2);
  EXPECT_THAT(ReadRaw(RawRecord(7, 128, header, "x"))->reason, HasSubstr("sequence 2: expected 1"));
  header = RecordOf(kMaxSequence);
  EXPECT_THAT(ReadRaw(RawRecord(7, 128, header, "x"))->reason, HasSubstr("sequence"));
  header = RecordOf(1);
  header.payload_bytes = 2;
  EXPECT_THAT(ReadRaw(RawRecord(7, 128, header, "x"))->reason, HasSubstr("payload: checksum"));
  EXPECT_THAT(ReadRaw(RawRecord(7, 128, RecordOf(1), "x").substr(0, 39))->reason, HasSubstr("ends within a record"));

  std::string beyond = RawRecord(7, 128, RecordOf(1), "x");
  LogRecordHeader second = RecordOf(2);
  second.synced_up_to = 168;
  EXPECT_EQ(ReadRaw(beyond + RawRecord(7, 168, second, "x"))->records.size(), 2u);
}

TEST_F(LogReaderTest, AClaimOfDurabilityBeyondTheRecordItselfIsInvalid) {
  // Laid out by hand: the encoder would not do it.
  const std::string fields = testing::Little(0, 4) + testing::Little(0, 4) + std::string("\1\3\0\0", 4) +
                             testing::Little(1, 8) + testing::Little(129, 8);
  const uint32_t crc =
      testing::ReferenceCrc32c("abcdefghijklmnop" + testing::Little(7, 8) + testing::Little(128, 8) + fields);
  EXPECT_THAT(ReadRaw(testing::Little(crc, 4) + fields)->reason, HasSubstr("beyond its own offset"));
}

TEST_F(LogReaderTest, AnUnknownTypeOrFlagUnderARightChecksumIsANewerVersions) {
  std::vector<LogRecordHeader> headers(4, RecordOf(1));
  headers[0].type = 0;
  headers[1].type = 5;
  headers[2].flags = 16;
  headers[3].reserved = 1;
  for (const LogRecordHeader& header : headers) {
    EXPECT_THAT(ReadRaw(RawRecord(7, 128, header, "x")),
                StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("7.vwal: at offset 128")));
  }
}

TEST_F(LogReaderTest, AHugeClaimedPayloadCostsNothing) {
  size_t longest_read = 0;
  fs_.hooks.read = [&](uint64_t, size_t length) {
    longest_read = std::max(longest_read, length);
    return absl::OkStatus();
  };
  for (const uint32_t claim : {1000u, kMaxLogPayloadBytes, kMaxLogPayloadBytes + 1, 0xFFFFFFFFu}) {
    LogRecordHeader header = RecordOf(1);
    header.payload_bytes = claim;
    ASSERT_OK_AND_ASSIGN(const Reading reading, ReadRaw(RawRecord(7, 128, header, "x")));
    EXPECT_EQ(reading.outcome, Outcome::kInvalid);
    EXPECT_EQ(reading.records.size(), 0u);
  }
  EXPECT_LE(longest_read, 4096u);
}

TEST_F(LogReaderTest, AWholeRecordThatDoesNotDecompressIsDamageNotATornWrite) {
  LogRecordHeader header = RecordOf(1);
  header.flags |= kLz4Payload;
  EXPECT_THAT(ReadRaw(RawRecord(7, 128, header, std::string("\xFF\xFF\xFF\x03", 4) + "short")),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("7.vwal: at offset 128: lz4 payload")));
}

TEST_F(LogReaderTest, RefusesWhatIsNoLog) {
  EXPECT_THAT(LogReader::Open(&fs_, "/none"), StatusIs(absl::StatusCode::kNotFound, _));
  for (const std::string& contents : {std::string(), std::string(4096, '\0'), std::string(4096, 'V')}) {
    WriteAll(&fs_, LogPath(7), contents);
    EXPECT_THAT(LogReader::Open(&fs_, LogPath(7)), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("7.vwal")));
  }
}

TEST_F(LogReaderTest, AFileThatIsCutMeanwhileEndsThere) {
  const LogEnd end = WriteLog(&fs_, HeaderOf(7), {{"one"}, {"two"}});
  const std::string log = ReadAll(&fs_, LogPath(7));
  WriteAll(&fs_, LogPath(7), log + std::string(3'000'000, '\0'));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<LogReader> reader, LogReader::Open(&fs_, LogPath(7)));
  EXPECT_EQ(reader->file_size(), end.length + 3'000'000);
  ASSERT_OK((*fs_.OpenForAppend(LogPath(7)))->Truncate(end.length));
  LogRecord record;
  EXPECT_EQ(reader->Read(&record).value(), Outcome::kRecord);
  EXPECT_EQ(reader->Read(&record).value(), Outcome::kRecord);
  EXPECT_EQ(reader->Read(&record).value(), Outcome::kEnd);
}

TEST_F(LogReaderTest, ABadSectorHidesNoRecordBeforeIt) {
  WriteLog(&fs_, HeaderOf(7), std::vector<Batch>(1000, {"0123456789"}));  // 48 bytes each
  fs_.hooks.read = [](uint64_t offset, size_t length) {
    return offset < 20'480 && offset + length > 16'384 ? DataLoss("read: input/output") : absl::OkStatus();
  };
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<LogReader> reader, LogReader::Open(&fs_, LogPath(7)));
  LogRecord record;
  uint64_t records = 0;
  absl::StatusOr<Outcome> outcome = Outcome::kRecord;
  while ((outcome = reader->Read(&record)).ok()) ++records;
  EXPECT_THAT(outcome, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("input/output")));
  EXPECT_EQ(records, (16'384 - 128) / 48);

  ASSERT_OK_AND_ASSIGN(const bool found, reader->SkipToNextRecord(record.sequence));
  EXPECT_TRUE(found);
  EXPECT_EQ(reader->offset(), 20'480u) << "where a record happens to begin";
  static_assert((20'480 - 128) % 48 == 0);
  while ((outcome = reader->Read(&record)).value() == Outcome::kRecord) ++records;
  EXPECT_EQ(*outcome, Outcome::kEnd);
  EXPECT_EQ(record.sequence, 1000u);
  EXPECT_THAT(reader->LookAhead(128, 0), StatusIs(absl::StatusCode::kDataLoss, _));
}

TEST_F(LogReaderTest, LooksAheadForTheLargestClaimAndSequence) {
  const std::unique_ptr<LogWriter> writer = NewLog(&fs_, HeaderOf(7));
  std::vector<uint64_t> ends;
  for (int i = 0; i < 5; ++i) {
    AppendBatches(writer.get(), {{std::string(5000, static_cast<char>('a' + i))}, {"x"}});
    ends.push_back(writer->size());
    if (i == 1 || i == 3) {
      ASSERT_OK(writer->Sync());
    }
  }
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<LogReader> reader, LogReader::Open(&fs_, LogPath(7)));

  ASSERT_OK_AND_ASSIGN(const LogLookAhead ahead, reader->LookAhead(128, 0));
  EXPECT_EQ(ahead.claim, ends[3]);
  EXPECT_EQ(ahead.largest_sequence, 10u);
  EXPECT_LE(ahead.data_end, writer->size());
  EXPECT_GT(ahead.data_end, writer->size() - 8);
  EXPECT_EQ(reader->FindDurabilityClaim(ends[3] - 1, 0).value(), ends[3]);
  EXPECT_EQ(reader->FindDurabilityClaim(ends[3], 0).value(), 0u) << "claims up to there, not beyond";
  EXPECT_EQ(reader->FindDurabilityClaim(ends[2], 0).value(), ends[3]);
  EXPECT_EQ(reader->FindDurabilityClaim(ends[2], 10).value(), 0u) << "no sequence above the last";
  EXPECT_EQ(reader->LookAhead(writer->size(), 0)->data_end, writer->size());
}

TEST_F(LogReaderTest, WhatOnlyLooksLikeARecordClaimsNothing) {
  const std::unique_ptr<LogWriter> writer = NewLog(&fs_, HeaderOf(7));
  AppendBatches(writer.get(), {{"one"}, {"two"}});
  ASSERT_OK(writer->Sync());
  AppendBatches(writer.get(), {{"three"}});  // claims all before it
  const std::string log = ReadAll(&fs_, LogPath(7));
  const std::string claimant = log.substr(writer->synced_size(), 40);
  // Copies of a record that claims much, in payloads, at every distance to an 8-byte step; and whole as another log's.
  Batch copies;
  for (size_t shift = 0; shift < 8; ++shift) copies.push_back(std::string(shift, ' ') + claimant);
  AppendBatches(writer.get(), {copies, {RawRecord(8, writer->size() + 32, RecordOf(100), "x")}});

  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<LogReader> reader, LogReader::Open(&fs_, LogPath(7)));
  ASSERT_OK_AND_ASSIGN(const LogLookAhead ahead, reader->LookAhead(128, 3));
  EXPECT_EQ(ahead.largest_sequence, writer->last_sequence());
  EXPECT_EQ(reader->FindDurabilityClaim(writer->synced_size(), 0).value(), 0u);
}

TEST_F(LogReaderTest, LookingAheadIsLinear) {
  WriteLog(&fs_, HeaderOf(7), std::vector<Batch>(20'000, {"y"}));  // a header at each forty bytes
  uint64_t bytes_read = 0;
  fs_.hooks.read = [&](uint64_t, size_t length) {
    bytes_read += length;
    return absl::OkStatus();
  };
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<LogReader> reader, LogReader::Open(&fs_, LogPath(7)));
  EXPECT_EQ(reader->LookAhead(128, 0)->largest_sequence, 20'000u);
  EXPECT_LE(bytes_read, 2 * reader->file_size());
}

TEST_F(LogReaderTest, SkipsToTheNextRecordBehindDamage) {
  WriteLog(&fs_, HeaderOf(7), {{"one"}, {"two"}, {"three"}, {"four"}});  // at 128, 168, 208, 248
  std::string log = ReadAll(&fs_, LogPath(7));
  log[170] ^= 1;       // the header of two
  log[208 + 32] ^= 1;  // the payload of three
  WriteAll(&fs_, LogPath(7), log);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<LogReader> reader, LogReader::Open(&fs_, LogPath(7)));
  LogRecord record;
  EXPECT_EQ(reader->Read(&record).value(), Outcome::kRecord);
  EXPECT_EQ(reader->Read(&record).value(), Outcome::kInvalid);
  EXPECT_TRUE(reader->SkipToNextRecord(1).value());
  EXPECT_EQ(reader->offset(), 208u);
  EXPECT_EQ(reader->Read(&record).value(), Outcome::kInvalid);
  EXPECT_TRUE(reader->SkipToNextRecord(1).value());
  EXPECT_EQ(reader->Read(&record).value(), Outcome::kRecord);
  EXPECT_EQ(record.payload, "four");
  EXPECT_EQ(reader->Read(&record).value(), Outcome::kEnd);
}

TEST_F(LogReaderTest, ReadsALogWithoutItsHeader) {
  const LogEnd end = WriteLog(&fs_, HeaderOf(7, 1000), {{"one"}, {"two"}});
  std::string log = ReadAll(&fs_, LogPath(7));
  log.replace(0, 128, std::string(128, 'X'));
  WriteAll(&fs_, LogPath(7), log);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<LogReader> reader,
                       LogReader::OpenWithHeader(&fs_, LogPath(7), HeaderOf(7)));
  LogRecord record;
  EXPECT_EQ(reader->Read(&record).value(), Outcome::kRecord);
  EXPECT_EQ(record.sequence, 1000u);
  EXPECT_EQ(reader->Read(&record).value(), Outcome::kRecord);
  EXPECT_EQ(reader->Read(&record).value(), Outcome::kEnd);
  EXPECT_EQ(reader->offset(), end.length);
}

}  // namespace
}  // namespace varve
