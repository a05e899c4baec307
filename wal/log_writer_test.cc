#include "wal/log_writer.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "wal/log_reader.h"
#include "wal/log_test_support.h"

namespace varve {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::varve::testing::AppendBatches;
using ::varve::testing::Batch;
using ::varve::testing::EntriesOf;
using ::varve::testing::HeaderOf;
using ::varve::testing::HookedFileSystem;
using ::varve::testing::Little;
using ::varve::testing::LogPath;
using ::varve::testing::NewLog;
using ::varve::testing::ReadAll;
using ::varve::testing::ReferenceCrc32c;
using ::varve::testing::StatusIs;

constexpr auto kInsert = LogEntryType::kInsert;

std::vector<LogRecord> ReadRecords(FileSystem* fs, const std::string& path) {
  const std::unique_ptr<LogReader> reader = LogReader::Open(fs, path).value();
  std::vector<LogRecord> records;
  LogRecord record;
  while (reader->Read(&record).value() == LogReader::Outcome::kRecord) records.push_back(std::move(record));
  EXPECT_EQ(reader->invalid_reason(), "");
  return records;
}

// A record as the format lays it out, for the collection of HeaderOf.
std::string RecordBytes(uint64_t log, uint64_t offset, uint8_t type, uint8_t flags, Sequence sequence,
                        uint64_t synced_up_to, const std::string& payload, size_t padding) {
  const std::string fields = Little(ReferenceCrc32c(payload), 4) + Little(payload.size(), 4) + Little(type, 1) +
                             Little(flags, 1) + Little(0, 2) + Little(sequence, 8) + Little(synced_up_to, 8);
  const uint32_t crc = ReferenceCrc32c("abcdefghijklmnop" + Little(log, 8) + Little(offset, 8) + fields);
  return Little(crc, 4) + fields + payload + std::string(padding, '\0');
}

TEST(LogWriter, PublishesAHeaderAndZeros) {
  HookedFileSystem fs;
  int directory_syncs = 0, file_syncs = 0;
  fs.hooks.sync_directory = [&] { return ++directory_syncs, absl::OkStatus(); };
  fs.hooks.sync = [&] { return ++file_syncs, absl::OkStatus(); };
  const std::unique_ptr<LogWriter> writer = NewLog(&fs, HeaderOf(7));

  EXPECT_EQ(ReadAll(&fs, LogPath(7)), EncodeLogHeader(HeaderOf(7)) + std::string(4096 - 128, '\0'));
  EXPECT_EQ(file_syncs, 1);
  EXPECT_EQ(directory_syncs, 1);
  EXPECT_THAT(fs.List("/").value(), ElementsAre("7.vwal"));
  EXPECT_EQ(writer->number(), 7u);
  EXPECT_EQ(writer->size(), 128u);
  EXPECT_EQ(writer->synced_size(), 128u);
  EXPECT_EQ(writer->last_sequence(), 0u);
}

TEST(LogWriter, WritesExactlyTheBytesOfTheFormat) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  const std::unique_ptr<LogWriter> writer = NewLog(fs.get(), HeaderOf(7, 100));
  const std::vector<LogEntry> group = {{kInsert, "abc", true, false},
                                       {LogEntryType::kDelete, "", false, true},
                                       {LogEntryType::kControl, "12345678", true, true}};
  ASSERT_OK(writer->Append(group));
  ASSERT_OK(writer->Sync());
  ASSERT_OK(writer->Append({{LogEntryType::kUpdate, "z", true, true}}));
  ASSERT_OK_AND_ASSIGN(const LogEnd end, writer->Finish());

  const std::string expected = EncodeLogHeader(HeaderOf(7, 100)) + RecordBytes(7, 128, 1, 1, 100, 128, "abc", 5) +
                               RecordBytes(7, 168, 2, 2, 101, 128, "", 0) +
                               RecordBytes(7, 200, 4, 11, 102, 128, "12345678", 0) +
                               RecordBytes(7, 240, 3, 11, 103, 240, "z", 7);
  EXPECT_EQ(ReadAll(fs.get(), LogPath(7)), expected);
  EXPECT_EQ(end.number, 7u);
  EXPECT_EQ(end.length, expected.size());
  EXPECT_EQ(end.last_sequence, 103u);
  EXPECT_EQ(Little(static_cast<uint32_t>(end.final_crc), 4), expected.substr(240, 4));
}

TEST(LogWriter, PadsEachGroupAndTheHeaderToWholePagesWhereAsked) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  LogHeader header = HeaderOf(7);
  header.pad_to = 4096;
  const std::unique_ptr<LogWriter> writer = NewLog(fs.get(), header);
  EXPECT_EQ(writer->size(), 4096u);
  ASSERT_OK(writer->Append(EntriesOf({{"a", "b"}, {"c"}})));
  EXPECT_EQ(writer->size(), 8192u);
  ASSERT_OK(writer->Append(EntriesOf({{"d"}})));
  EXPECT_EQ(writer->Finish()->length, 12288u);

  const std::vector<LogRecord> records = ReadRecords(fs.get(), LogPath(7));
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[0].offset, 4096u);
  EXPECT_EQ(records[1].offset, 4096u + 40);
  EXPECT_EQ(records[3].offset, 8192u);
}

TEST(LogWriter, CompressesWhatShrinks) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  const std::unique_ptr<LogWriter> writer = NewLog(fs.get(), HeaderOf(7));
  const std::string compressible(100'000, 'x');
  ASSERT_OK(writer->Append(EntriesOf({{compressible, "short"}})));
  EXPECT_LT(writer->size(), 2000u);
  const std::vector<LogRecord> records = ReadRecords(fs.get(), LogPath(7));
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].flags, kFirstOfBatch | kLz4Payload);
  EXPECT_EQ(records[0].payload, compressible);
  EXPECT_EQ(records[1].flags, kLastOfBatch | kLastOfSyncGroup);
  EXPECT_EQ(records[1].payload, "short");
}

TEST(LogWriter, MakesOneWriteForAGroupHoweverLarge) {
  HookedFileSystem fs;
  const std::unique_ptr<LogWriter> writer = NewLog(&fs, HeaderOf(7));
  int writes = 0;
  fs.hooks.write = [&](uint64_t, size_t size) { return ++writes, WriteResult{absl::OkStatus(), size}; };
  ASSERT_OK(writer->Append(EntriesOf(std::vector<Batch>(1000, {"a", "b", "c"}))));
  EXPECT_EQ(writes, 1);
  EXPECT_EQ(writer->last_sequence(), 3000u);
}

TEST(LogWriter, RefusesAPayloadAboveTheLimitAndStaysUsable) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  const std::unique_ptr<LogWriter> writer = NewLog(fs.get(), HeaderOf(7));
  const std::string large(kMaxLogPayloadBytes + 1, '\0');
  EXPECT_THAT(writer->Append({{kInsert, large, true, true}}), StatusIs(absl::StatusCode::kInvalidArgument, _));
  EXPECT_OK(writer->poisoned());
  EXPECT_OK(writer->Append({{kInsert, std::string_view(large).substr(1), true, true}}));
  EXPECT_EQ(ReadRecords(fs.get(), LogPath(7)).at(0).payload.size(), kMaxLogPayloadBytes);
}

TEST(LogWriter, AGroupRefusedForWantOfSpaceMayBeTriedAgain) {
  HookedFileSystem fs;
  const std::unique_ptr<LogWriter> writer = NewLog(&fs, HeaderOf(7));
  ASSERT_OK(writer->Append(EntriesOf({{"one"}})));
  const uint64_t size = writer->size();
  fs.hooks.write = [](uint64_t, size_t) { return WriteResult{ResourceExhausted("write /7.vwal: no space"), 0}; };
  EXPECT_THAT(writer->Append(EntriesOf({{"two"}})), StatusIs(absl::StatusCode::kResourceExhausted, _));
  EXPECT_OK(writer->poisoned());
  EXPECT_EQ(writer->size(), size);
  EXPECT_EQ(writer->last_sequence(), 1u);

  fs.hooks.write = nullptr;
  ASSERT_OK(writer->Append(EntriesOf({{"three"}})));
  ASSERT_OK(writer->Sync());
  const std::vector<LogRecord> records = ReadRecords(&fs, LogPath(7));
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].payload, "three");
  EXPECT_EQ(records[1].sequence, 2u);
}

void ExpectPoisoned(LogWriter* writer, std::string_view message) {
  const auto poisoned = StatusIs(writer->poisoned().code(), HasSubstr(std::string(message)));
  EXPECT_FALSE(writer->poisoned().ok());
  EXPECT_THAT(writer->poisoned(), poisoned);
  EXPECT_THAT(writer->Append({{kInsert, "later", true, true}}), poisoned);
  EXPECT_THAT(writer->Sync(), poisoned);
  EXPECT_THAT(writer->SyncTo(0), poisoned);
  EXPECT_THAT(writer->Finish(), poisoned);
}

TEST(LogWriter, APartialWriteIsFinalEvenForWantOfSpace) {
  HookedFileSystem fs;
  const std::unique_ptr<LogWriter> writer = NewLog(&fs, HeaderOf(7));
  fs.hooks.write = [](uint64_t, size_t) { return WriteResult{ResourceExhausted("no space"), 10}; };
  EXPECT_THAT(writer->Append(EntriesOf({{"one"}})), StatusIs(absl::StatusCode::kResourceExhausted, _));
  fs.hooks.write = nullptr;
  ExpectPoisoned(writer.get(), "no space");
  EXPECT_EQ(writer->last_sequence(), 0u);
}

TEST(LogWriter, AnyOtherFailedWriteIsFinal) {
  HookedFileSystem fs;
  const std::unique_ptr<LogWriter> writer = NewLog(&fs, HeaderOf(7));
  fs.hooks.write = [](uint64_t, size_t) { return WriteResult{Internal("write: input/output"), 0}; };
  EXPECT_FALSE(writer->Append(EntriesOf({{"one"}})).ok());
  fs.hooks.write = nullptr;
  ExpectPoisoned(writer.get(), "input/output");
}

TEST(LogWriter, AFailedSyncIsFinalAndIsNotTriedAgain) {
  HookedFileSystem fs;
  const std::unique_ptr<LogWriter> writer = NewLog(&fs, HeaderOf(7));
  ASSERT_OK(writer->Append(EntriesOf({{"one"}})));
  int syncs = 0;
  fs.hooks.sync = [&] { return ++syncs == 1 ? Internal("fdatasync: input/output") : absl::OkStatus(); };
  EXPECT_FALSE(writer->Sync().ok());
  ExpectPoisoned(writer.get(), "fdatasync");
  EXPECT_EQ(syncs, 1);
  EXPECT_EQ(writer->synced_size(), 128u);
}

TEST(LogWriter, AFinishThatFailsIsFinal) {
  for (const int step : {0, 1, 2}) {
    HookedFileSystem fs;
    const std::unique_ptr<LogWriter> writer = NewLog(&fs, HeaderOf(7));
    ASSERT_OK(writer->Append(EntriesOf({{"one"}})));
    const auto fail = [] { return Internal("disk is gone"); };
    (step == 0 ? fs.hooks.truncate : step == 1 ? fs.hooks.sync : fs.hooks.close) = fail;
    EXPECT_THAT(writer->Finish(), StatusIs(absl::StatusCode::kInternal, HasSubstr("disk is gone")));
    fs.hooks = {};
    EXPECT_THAT(writer->Finish(), StatusIs(absl::StatusCode::kInternal, HasSubstr("disk is gone")));
    EXPECT_THAT(writer->Sync(), StatusIs(absl::StatusCode::kInternal, HasSubstr("disk is gone")));
  }
}

TEST(LogWriter, RecordsClaimWhatWasWrittenWhenTheNewestCompletedSyncBegan) {
  HookedFileSystem fs;
  const std::unique_ptr<LogWriter> writer = NewLog(&fs, HeaderOf(7));
  ASSERT_OK(writer->Append(EntriesOf({{"one"}})));
  const uint64_t after_one = writer->size();

  absl::Notification sync_began, sync_may_end;
  fs.hooks.sync = [&] { return sync_began.Notify(), sync_may_end.WaitForNotification(), absl::OkStatus(); };
  std::thread syncer([&] { EXPECT_OK(writer->Sync()); });
  sync_began.WaitForNotification();
  ASSERT_OK(writer->Append(EntriesOf({{"two"}})));  // while the sync runs: not covered, and claims nothing of it
  EXPECT_EQ(writer->synced_size(), 128u);
  sync_may_end.Notify();
  syncer.join();
  fs.hooks.sync = nullptr;
  EXPECT_EQ(writer->synced_size(), after_one);
  ASSERT_OK(writer->Append(EntriesOf({{"three"}})));

  const std::vector<LogRecord> records = ReadRecords(&fs, LogPath(7));
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].synced_up_to, 128u);
  EXPECT_EQ(records[1].synced_up_to, 128u);
  EXPECT_EQ(records[2].synced_up_to, after_one);
}

TEST(LogWriter, WhoComesDuringASyncJoinsTheNext) {
  HookedFileSystem fs;
  const std::unique_ptr<LogWriter> writer = NewLog(&fs, HeaderOf(7));
  ASSERT_OK(writer->Append(EntriesOf({{"one"}})));

  std::atomic<int> syncs = 0, in_flight = 0;
  absl::Notification first_began, first_may_end;
  fs.hooks.sync = [&] {
    EXPECT_EQ(++in_flight, 1);
    if (++syncs == 1) {
      first_began.Notify();
      first_may_end.WaitForNotification();
    }
    --in_flight;
    return absl::OkStatus();
  };
  std::vector<std::thread> threads;
  threads.emplace_back([&] { EXPECT_OK(writer->Sync()); });
  first_began.WaitForNotification();
  ASSERT_OK(writer->Append(EntriesOf({{"two"}})));
  const uint64_t size = writer->size();
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { EXPECT_OK(writer->SyncTo(size)); });
  first_may_end.Notify();
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(syncs, 2);
  EXPECT_EQ(writer->synced_size(), size);
  EXPECT_OK(writer->Sync());
  EXPECT_EQ(syncs, 2) << "nothing new was written";
}

TEST(LogWriter, AFailedSyncFailsAllWhoWaitForIt) {
  HookedFileSystem fs;
  const std::unique_ptr<LogWriter> writer = NewLog(&fs, HeaderOf(7));
  ASSERT_OK(writer->Append(EntriesOf({{"one"}})));
  std::atomic<int> syncs = 0;
  absl::Notification began, may_end;
  fs.hooks.sync = [&]() -> absl::Status {
    if (++syncs > 1) return absl::OkStatus();
    began.Notify();
    may_end.WaitForNotification();
    return Internal("fdatasync: input/output");
  };
  std::vector<std::thread> threads;
  threads.emplace_back([&] { EXPECT_FALSE(writer->Sync().ok()); });
  began.WaitForNotification();
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { EXPECT_FALSE(writer->Sync().ok()); });
  may_end.Notify();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(syncs, 1);
}

TEST(LogWriter, NothingIsAcknowledgedAfterASyncFailedBesideTheWrite) {
  HookedFileSystem fs;
  const std::unique_ptr<LogWriter> writer = NewLog(&fs, HeaderOf(7));
  ASSERT_OK(writer->Append(EntriesOf({{"one"}})));
  fs.hooks.sync = [] { return Internal("fdatasync: input/output"); };
  fs.hooks.write = [&](uint64_t, size_t size) {
    EXPECT_FALSE(writer->Sync().ok());
    return WriteResult{absl::OkStatus(), size};
  };
  EXPECT_THAT(writer->Append(EntriesOf({{"two"}})), StatusIs(absl::StatusCode::kInternal, HasSubstr("fdatasync")));
}

TEST(LogWriter, AppendsAndSyncsFromManyThreadsLeaveAWholeLog) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  const std::unique_ptr<LogWriter> writer = NewLog(fs.get(), HeaderOf(7));
  std::vector<std::thread> syncers;
  for (int i = 0; i < 3; ++i) {
    syncers.emplace_back([&] {
      while (writer->last_sequence() < 500) {
        const uint64_t position = writer->size();
        EXPECT_OK(writer->SyncTo(position));
        EXPECT_GE(writer->synced_size(), position);
      }
    });
  }
  AppendBatches(writer.get(), std::vector<Batch>(500, {"payload"}));
  for (std::thread& thread : syncers) thread.join();
  ASSERT_OK(writer->Finish());
  EXPECT_EQ(ReadRecords(fs.get(), LogPath(7)).size(), 500u);
}

TEST(LogWriter, ReservesSpaceAheadAndDoesWithoutWhereThatIsRefused) {
  for (const bool refused : {false, true}) {
    HookedFileSystem fs;
    int attempts = 0;
    fs.hooks.preallocate = [&] { return ++attempts, refused ? Unimplemented("fallocate") : absl::OkStatus(); };
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<LogWriter> writer,
                         LogWriter::Create(&fs, LogPath(7), HeaderOf(7), {.preallocate_bytes = 16384}));
    AppendBatches(writer.get(), std::vector<Batch>(1000, {"0123456789"}));  // 48 bytes each
    EXPECT_EQ(attempts, 3);
    ASSERT_OK_AND_ASSIGN(const LogEnd end, writer->Finish());
    EXPECT_EQ(ReadAll(&fs, LogPath(7)).size(), end.length);
  }
}

TEST(LogWriter, FinishCutsTheFileToItsUsedLengthAndMayBeAskedTwice) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  const std::unique_ptr<LogWriter> writer = NewLog(fs.get(), HeaderOf(7, 5));
  ASSERT_OK_AND_ASSIGN(const LogEnd end, writer->Finish());
  EXPECT_EQ(end, (LogEnd{7, 128, StoredLogHeaderCrc(EncodeLogHeader(HeaderOf(7, 5))), 4}));
  EXPECT_EQ(ReadAll(fs.get(), LogPath(7)), EncodeLogHeader(HeaderOf(7, 5)));
  EXPECT_EQ(writer->Finish().value(), end);
  EXPECT_OK(writer->Sync());
}

TEST(LogWriter, CreateRefusesAHeaderThatNoLogMayHave) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  const LogEnd previous = {7, 128, Crc32c{}, 5};
  for (const LogHeader& header : {HeaderOf(0), HeaderOf(8, 0), HeaderOf(7, 6, previous), HeaderOf(8, 5, previous)}) {
    EXPECT_THAT(LogWriter::Create(fs.get(), LogPath(7), header), StatusIs(absl::StatusCode::kInternal, _));
  }
  EXPECT_THAT(fs->List("/").value(), ElementsAre());
}

TEST(LogWriter, RunsOutOfSequencesBeforeItWrites) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  const std::unique_ptr<LogWriter> writer = NewLog(fs.get(), HeaderOf(7, kMaxSequence - 2));
  ASSERT_OK(writer->Append(EntriesOf({{"a"}})));
  EXPECT_THAT(writer->Append(EntriesOf({{"b", "c"}})), StatusIs(absl::StatusCode::kResourceExhausted, _));
  ASSERT_OK(writer->Append(EntriesOf({{"d"}})));
  EXPECT_THAT(writer->Append(EntriesOf({{"e"}})), StatusIs(absl::StatusCode::kResourceExhausted, _));
  EXPECT_OK(writer->poisoned());
  EXPECT_EQ(ReadRecords(fs.get(), LogPath(7)).size(), 2u);
}

TEST(LogWriter, CreateReportsWhatFails) {
  const auto fail = [] { return Internal("disk is gone"); };
  HookedFileSystem fs;
  fs.hooks.sync = fail;
  EXPECT_THAT(LogWriter::Create(&fs, LogPath(7), HeaderOf(7)),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("disk is gone")));
  EXPECT_THAT(fs.List("/").value(), ElementsAre());
  fs.hooks = {};
  fs.hooks.sync_directory = fail;
  EXPECT_THAT(LogWriter::Create(&fs, LogPath(7), HeaderOf(7)),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("disk is gone")));
}

TEST(LogWriter, WorksOnTheRealFileSystem) {
  testing::TempDir directory;
  const std::string path = directory / "7.vwal";
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<LogWriter> writer,
                       LogWriter::Create(FileSystem::Default(), path, HeaderOf(7)));
  AppendBatches(writer.get(), std::vector<Batch>(300, {"a", std::string(1000, 'b')}));
  ASSERT_OK(writer->Sync());
  EXPECT_EQ(ReadRecords(FileSystem::Default(), path).size(), 600u);
  ASSERT_OK_AND_ASSIGN(const LogEnd end, writer->Finish());
  EXPECT_EQ(FileSystem::Default()->Stat(path)->size, end.length);
  EXPECT_EQ(ReadRecords(FileSystem::Default(), path).size(), 600u);
}

}  // namespace
}  // namespace varve
