// Logs under names of their own, and what a manifest may say of them: replay and salvage end with an answer; what
// recovery seals, it finds the same when it comes again; salvage never gives less than a strict replay gives.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/memory_file_system.h"
#include "base/publish.h"
#include "tests/fuzz/checksums.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"
#include "wal/log_recovery.h"
#include "wal/log_writer.h"

namespace varve::fuzz {
namespace {

constexpr char kRequestName[] = "request";
constexpr char kFolder[] = "/l";

Uuid UuidOf(char first) {
  Uuid uuid;
  for (size_t i = 0; i < uuid.bytes.size(); ++i) uuid.bytes[i] = static_cast<char>(first + static_cast<char>(i));
  return uuid;
}

std::string NameOf(uint64_t number) { return std::string(1, static_cast<char>('0' + number)) + ".vwal"; }

// The logs named by a digit.
std::vector<LogFile> LogsOf(const FileSet& files) {
  std::vector<LogFile> logs;
  for (uint64_t number = 1; number <= 9; ++number) {
    if (files.contains(NameOf(number))) logs.push_back({number, JoinPath(kFolder, NameOf(number))});
  }
  return logs;
}

ReplayRequest RequestOf(const FileSet& files) {
  ReplayRequest request;
  request.logs = LogsOf(files);
  request.collection = UuidOf('A');
  request.secret = UuidOf('a');
  const auto given = files.find(kRequestName);
  FuzzInput input(given == files.end() ? std::string_view() : given->second);
  const uint8_t flags = input.Byte();
  request.wal_sequence = input.Byte();
  request.durable_sequence = input.Byte();
  request.durable_log = input.Byte();
  request.durable_offset = input.Number<uint16_t>();
  request.writer_is_live = (flags & 1) != 0;
  if ((flags & 2) != 0) request.up_to = input.Byte();
  if ((flags & 4) != 0) {
    LogEnd closed;
    closed.number = input.Byte();
    closed.length = input.Number<uint16_t>();
    closed.last_sequence = input.Byte();
    request.closed = closed;
  }
  return request;
}

struct Replayed {
  absl::StatusOr<ReplayResult> result;
  std::vector<std::pair<Sequence, std::string>> records;
};

Replayed Replay(FileSystem* fs, const ReplayRequest& request) {
  Replayed replayed;
  replayed.result = ReplayLogs(fs, request, [&](absl::Span<const LogRecord> batch) {
    FUZZ_CHECK(!batch.empty());
    for (const LogRecord& record : batch) {
      FUZZ_CHECK(record.sequence > request.wal_sequence);
      // What logs that contradict each other hold is kept by a salvage in the order of the logs.
      const bool ascends = replayed.records.empty() || replayed.records.back().first < record.sequence;
      FUZZ_CHECK(ascends || request.salvage);
      replayed.records.emplace_back(record.sequence, record.payload);
    }
    return absl::OkStatus();
  });
  if (!replayed.result.ok()) {
    const absl::Status& status = replayed.result.status();
    FUZZ_CHECK(absl::IsDataLoss(status) || absl::IsUnimplemented(status));
  } else {
    FUZZ_CHECK(replayed.result->records == replayed.records.size());
  }
  return replayed;
}

// Every record and every gap of one log.
void ReadThrough(FileSystem* fs, const LogFile& log) {
  const absl::StatusOr<std::unique_ptr<LogReader>> reader = LogReader::Open(fs, log.path);
  if (!reader.ok()) return;
  const uint64_t size = (*reader)->file_size();
  for (uint64_t steps = 0; steps <= size; ++steps) {
    LogRecord record;
    const absl::StatusOr<LogReader::Outcome> outcome = (*reader)->Read(&record);
    FUZZ_CHECK((*reader)->offset() <= size || size < kLogInitialBytes);
    if (outcome.ok() && *outcome == LogReader::Outcome::kRecord) continue;
    (void)(*reader)->LookAhead((*reader)->offset(), record.sequence);
    if (outcome.ok() && *outcome == LogReader::Outcome::kEnd) return;
    const absl::StatusOr<bool> more = (*reader)->SkipToNextRecord(record.sequence);
    if (!more.ok() || !*more) return;
  }
  Fail("reading a log does not come to its end", __FILE__, __LINE__);
}

void CheckSeal(FileSystem* fs, ReplayRequest request, const Replayed& first) {
  if (!first.result->newest.has_value()) return;
  const uint64_t number = first.result->newest->number;
  std::string path;
  for (const LogFile& log : request.logs) {
    if (log.number == number) path = log.path;
  }
  FUZZ_CHECK(!path.empty());
  FUZZ_CHECK_OK(SealRecoveredLog(fs, path, *first.result, 8));
  request.closed.reset();  // it spoke of the log as it was
  const Replayed second = Replay(fs, request);
  FUZZ_CHECK_OK(second.result);
  FUZZ_CHECK(second.records == first.records);
  FUZZ_CHECK(second.result->dropped_bytes == 0);
  FUZZ_CHECK(second.result->last_sequence == first.result->last_sequence);
}

void RunLogs(std::string_view input) {
  const FileSet files = DecodeFileSet(input);
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  WriteDirectory(fs.get(), kFolder, files);
  ReplayRequest request = RequestOf(files);
  for (const LogFile& log : request.logs) ReadThrough(fs.get(), log);

  const Replayed strict = Replay(fs.get(), request);
  request.salvage = true;
  const Replayed salvaged = Replay(fs.get(), request);
  request.salvage = false;
  if (!strict.result.ok()) return;
  // What a strict replay takes, salvage takes too; it may find more behind a torn tail.
  if (salvaged.result.ok()) {
    FUZZ_CHECK(salvaged.records.size() >= strict.records.size());
    for (size_t i = 0; i < strict.records.size(); ++i) FUZZ_CHECK(salvaged.records[i] == strict.records[i]);
  }
  if (!request.writer_is_live && request.up_to == kMaxSequence) CheckSeal(fs.get(), request, strict);
}

// Several records of all kinds in a log, some of them synced.
LogEnd WriteLog(FileSystem* fs, uint64_t number, Sequence first, uint32_t pad_to, const LogEnd& previous, bool finish) {
  LogHeader header;
  header.number = number;
  header.first_sequence = first;
  header.collection = UuidOf('A');
  header.secret = UuidOf('a');
  header.pad_to = pad_to;
  header.previous = previous;
  LogWriterOptions options;
  options.preallocate_bytes = 0;
  const auto writer = Take(LogWriter::Create(fs, JoinPath(kFolder, NameOf(number)), header, options));
  const std::string large(300, 'x');
  FUZZ_CHECK_OK(writer->Append({{{LogEntryType::kInsert, "one"}}}));
  FUZZ_CHECK_OK(writer->Sync());
  const LogEntry batch[] = {{LogEntryType::kInsert, large, true, false},
                            {LogEntryType::kUpdate, "", false, false},
                            {LogEntryType::kDelete, "key", false, true}};
  FUZZ_CHECK_OK(writer->Append(batch));
  FUZZ_CHECK_OK(writer->Append({{{LogEntryType::kControl, "\x12"}}}));
  return finish ? Take(writer->Finish()) : LogEnd{};
}

std::vector<std::string> LogSeeds() {
  std::vector<std::string> seeds;
  for (const uint32_t pad_to : {8u, 4096u}) {
    const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
    FUZZ_CHECK_OK(fs->CreateDirectory(kFolder));
    const LogEnd first = WriteLog(fs.get(), 1, 1, pad_to, {}, true);
    FileSet one = ReadDirectory(fs.get(), kFolder);
    one[kRequestName] = std::string(4, '\0');
    seeds.push_back(EncodeFileSet(one));
    const LogEnd second = WriteLog(fs.get(), 2, 6, 8, first, true);
    (void)WriteLog(fs.get(), 4, 11, pad_to, second, false);
    FileSet three = ReadDirectory(fs.get(), kFolder);
    if (pad_to == 8) three["4.vwal"].resize(1024);  // zeros
    three[kRequestName] = std::string("\x00\x02\x07\x02\x00\x01", 6);
    seeds.push_back(EncodeFileSet(three));
    three[kRequestName][0] = 1;
    three["4.vwal"].resize(three["4.vwal"].size() - 700);
    seeds.push_back(EncodeFileSet(three));
  }
  return seeds;
}

void RepairInput(std::string* input) {
  FileSet files = DecodeFileSet(*input);
  RepairLogs(&files);
  *input = EncodeFileSet(files);
}

}  // namespace

FuzzTarget LogReplayTarget() {
  return {.name = "log_replay",
          .run = RunLogs,
          .seeds = LogSeeds,
          .repair = RepairInput,
          .pick_range = PickFile,
          .words = {"VWAL", "1.vwal\n", "2.vwal\n", "request\n"}};
}

}  // namespace varve::fuzz
