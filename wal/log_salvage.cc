#include "wal/log_salvage.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "wal/batch_assembler.h"
#include "wal/log_chain.h"

namespace varve {
namespace {

struct FoundLog {
  LogFile file;
  std::optional<LogHeader> header;  // empty: damaged
};

class Salvage {
 public:
  Salvage(FileSystem* fs, const ReplayRequest& request, const ApplyBatch& apply)
      : fs_(fs), request_(request), apply_(apply) {
    result_.last_sequence = request.wal_sequence;
    result_.largest_sequence = request.wal_sequence;
  }

  absl::StatusOr<ReplayResult> Run();

 private:
  // Where the salvage of one log stands.
  struct Progress {
    LogEnd kept;                       // behind the last batch that was kept
    std::optional<Sequence> sequence;  // the last one known not to be missing; empty if nothing is known
    std::string trouble;               // the first since then
    uint64_t trouble_offset = 0;
    Sequence last_read = 0;  // of any valid record
    bool ended = false;      // at zeros or the end of the file, not at something invalid
  };

  // The logs from which anything may be wanted, the oldest first.
  absl::StatusOr<std::vector<FoundLog>> FindLogs();
  void ReportMissingLogs(const std::vector<FoundLog>& logs);
  absl::StatusOr<std::unique_ptr<LogReader>> OpenReader(const FoundLog& log);
  // The last sequence of a log, as its successor states it; empty if none does.
  std::optional<Sequence> StatedEnd(const std::vector<FoundLog>& logs, uint64_t number) const;
  absl::Status SalvageLog(const FoundLog& log, std::optional<Sequence> stated_end);
  // Notes in the account of the log being read that so many bytes, and the sequences behind `kept` up to `last` (none
  // if that is not known), are dropped.
  void Drop(uint64_t bytes, Sequence kept, Sequence last, std::string_view why);
  absl::Status KeepBatch(const LogFile& file, absl::Span<const LogRecord> batch, Progress* progress);
  void ReportEnd(const LogFile& file, std::optional<Sequence> stated_end, LogReader* reader, Progress* progress);
  void CheckManifest(const std::vector<FoundLog>& logs);

  void Report(std::string line) { result_.salvage_report.push_back(std::move(line)); }
  // "sequences 5 to 9 are missing", or that all of them lie in segments.
  std::string MissingSequences(Sequence kept, Sequence last) const;
  void SawSequence(Sequence sequence) { result_.largest_sequence = std::max(result_.largest_sequence, sequence); }

  FileSystem* const fs_;
  const ReplayRequest& request_;
  const ApplyBatch& apply_;
  ReplayResult result_;
};

absl::StatusOr<ReplayResult> Salvage::Run() {
  ASSIGN_OR_RETURN(const std::vector<FoundLog> logs, FindLogs());
  if (!logs.empty()) result_.first_needed_log = logs.front().file.number;
  ReportMissingLogs(logs);
  for (const FoundLog& log : logs) {
    RETURN_IF_ERROR(SalvageLog(log, StatedEnd(logs, log.file.number)));
    ++result_.logs_read;
  }
  CheckManifest(logs);
  return std::move(result_);
}

absl::StatusOr<std::vector<FoundLog>> Salvage::FindLogs() {
  std::vector<FoundLog> logs;
  for (const LogFile& file : NewestFirst(request_)) {
    absl::StatusOr<std::unique_ptr<LogReader>> reader = OpenLog(fs_, file, request_);
    if (!reader.ok()) {
      if (!absl::IsDataLoss(reader.status())) return reader.status();
      Report(std::string(reader.status().message()));
      logs.push_back({file, std::nullopt});
      continue;
    }
    const LogHeader& header = (*reader)->header();
    logs.push_back({file, header});
    SawSequence(header.first_sequence - 1);
    const LogEnd& previous = header.previous;
    const Sequence last_before = previous.number != 0 ? previous.last_sequence : header.first_sequence - 1;
    if (last_before <= request_.wal_sequence) break;
  }
  std::reverse(logs.begin(), logs.end());
  return logs;
}

std::string Salvage::MissingSequences(Sequence kept, Sequence last) const {
  const Sequence wanted = std::max(kept, request_.wal_sequence);
  if (last <= wanted) return "no sequence behind " + std::to_string(request_.wal_sequence) + " is missing";
  return "sequences " + std::to_string(wanted + 1) + " to " + std::to_string(last) + " are missing";
}

std::optional<Sequence> Salvage::StatedEnd(const std::vector<FoundLog>& logs, uint64_t number) const {
  for (const FoundLog& log : logs) {
    if (log.header && log.header->previous.number == number) return log.header->previous.last_sequence;
  }
  if (request_.closed.has_value() && request_.closed->number == number) return request_.closed->last_sequence;
  return std::nullopt;
}

void Salvage::ReportMissingLogs(const std::vector<FoundLog>& logs) {
  for (const FoundLog& log : logs) {
    if (!log.header) continue;
    const LogEnd& previous = log.header->previous;
    const Sequence last_before = previous.number != 0 ? previous.last_sequence : log.header->first_sequence - 1;
    const bool is_there = std::any_of(logs.begin(), logs.end(),
                                      [&](const FoundLog& other) { return other.file.number == previous.number; });
    if (is_there || last_before <= request_.wal_sequence) continue;
    const std::string which =
        previous.number != 0 ? "log " + std::to_string(previous.number) : "any log before " + log.file.path;
    Report(which + " is missing: sequences up to " + std::to_string(last_before) + " may have been there");
  }
}

absl::StatusOr<std::unique_ptr<LogReader>> Salvage::OpenReader(const FoundLog& log) {
  if (log.header) return LogReader::Open(fs_, log.file.path);
  LogHeader header;
  header.number = log.file.number;
  header.collection = request_.collection;
  header.secret = request_.secret;
  return LogReader::OpenWithHeader(fs_, log.file.path, header);
}

void Salvage::Drop(uint64_t bytes, Sequence kept, Sequence last, std::string_view why) {
  result_.dropped_bytes += bytes;
  SalvagedLog& account = result_.salvaged.back();
  account.dropped_bytes += bytes;
  if (account.why.empty()) account.why = std::string(why);
  const Sequence wanted = std::max(kept, request_.wal_sequence);
  if (last <= wanted) return;
  if (account.first_dropped == 0) account.first_dropped = wanted + 1;
  account.last_dropped = std::max(account.last_dropped, last);
}

absl::Status Salvage::SalvageLog(const FoundLog& log, std::optional<Sequence> stated_end) {
  ASSIGN_OR_RETURN(const std::unique_ptr<LogReader> reader, OpenReader(log));
  result_.salvaged.push_back({.number = log.file.number, .bytes = reader->file_size()});
  if (!log.header) result_.salvaged.back().why = "its header is damaged";
  Progress progress;
  progress.kept = {log.file.number, reader->offset(), reader->header_crc(), reader->header().first_sequence - 1};
  if (log.header) progress.sequence = progress.last_read = progress.kept.last_sequence;

  BatchAssembler assembler;
  LogRecord record;
  const auto trouble = [&progress](uint64_t offset, std::string_view reason) {
    if (!progress.trouble.empty()) return;
    progress.trouble = std::string(reason);
    progress.trouble_offset = offset;
  };
  for (;;) {
    const absl::StatusOr<LogReader::Outcome> outcome = reader->Read(&record);
    if (!outcome.ok() && !absl::IsDataLoss(outcome.status())) return outcome.status();
    if (outcome.ok() && *outcome == LogReader::Outcome::kEnd) {
      progress.ended = true;
      if (assembler.open()) trouble(reader->offset(), "the log ends within a batch");
      break;
    }
    if (!outcome.ok() || *outcome == LogReader::Outcome::kInvalid) {
      trouble(reader->offset(), outcome.ok() ? reader->invalid_reason() : outcome.status().ToString());
      assembler.Clear();
      ASSIGN_OR_RETURN(const bool found, reader->SkipToNextRecord(progress.last_read));
      if (!found) break;
      continue;
    }
    progress.last_read = record.sequence;
    const uint64_t offset = record.offset;
    if (assembler.open() && (record.flags & kFirstOfBatch) != 0) {
      trouble(offset, "a batch begins within another");
      assembler.Clear();
    }
    const BatchAssembler::Step step = assembler.Add(std::move(record));
    if (step == BatchAssembler::Step::kMisplaced) trouble(offset, "the batch of this record has lost its beginning");
    if (step == BatchAssembler::Step::kComplete) RETURN_IF_ERROR(KeepBatch(log.file, assembler.batch(), &progress));
  }
  SawSequence(progress.last_read);
  ReportEnd(log.file, stated_end, reader.get(), &progress);
  result_.newest = progress.kept;
  return absl::OkStatus();
}

absl::Status Salvage::KeepBatch(const LogFile& file, absl::Span<const LogRecord> batch, Progress* progress) {
  const LogRecord& first = batch.front();
  const LogRecord& last = batch.back();
  if (last.sequence > request_.up_to) return absl::OkStatus();
  const Sequence kept = progress->sequence.value_or(result_.last_sequence);
  if (!progress->trouble.empty() && kept != first.sequence - 1) {
    Report(file.path + ": bytes " + std::to_string(progress->kept.length) + " to " + std::to_string(first.offset) +
           " dropped: at offset " + std::to_string(progress->trouble_offset) + ": " + progress->trouble + ": " +
           MissingSequences(kept, first.sequence - 1));
    Drop(first.offset - progress->kept.length, kept, first.sequence - 1, progress->trouble);
  }
  progress->trouble.clear();
  progress->kept = {file.number, last.end, last.header_crc, last.sequence};
  progress->sequence = last.sequence;

  result_.last_sequence = std::max(result_.last_sequence, last.sequence);
  const absl::Span<const LogRecord> wanted = RecordsBehind(batch, request_.wal_sequence);
  if (wanted.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(apply_(wanted));
  result_.records += wanted.size();
  result_.salvaged.back().records += wanted.size();
  ++result_.salvaged.back().batches;
  return absl::OkStatus();
}

void Salvage::ReportEnd(const LogFile& file, std::optional<Sequence> stated_end, LogReader* reader,
                        Progress* progress) {
  // What should have been there: as the next log says, or else the largest sequence that is to be seen.
  Sequence expected = progress->last_read;
  uint64_t data_end = reader->offset();
  if (!progress->ended) {
    const absl::StatusOr<LogLookAhead> ahead = reader->LookAhead(progress->kept.length, progress->last_read);
    data_end = ahead.ok() ? ahead->data_end : reader->file_size();
    if (ahead.ok()) expected = std::max(expected, ahead->largest_sequence);
  }
  SawSequence(expected);
  if (stated_end.has_value()) expected = *stated_end;

  const Sequence kept = progress->sequence.value_or(result_.last_sequence);
  if (progress->trouble.empty()) {
    if (expected <= kept) return;
    progress->trouble = "the log ends early";
    progress->trouble_offset = progress->kept.length;
  }
  const uint64_t dropped = data_end - std::min(data_end, progress->kept.length);
  const bool is_known = stated_end.has_value() || expected > kept;
  Drop(dropped, kept, is_known ? expected : 0, progress->trouble);
  Report(file.path + ": bytes " + std::to_string(progress->kept.length) + " to " +
         std::to_string(progress->kept.length + dropped) + " dropped: at offset " +
         std::to_string(progress->trouble_offset) + ": " + progress->trouble + ": " +
         (is_known ? MissingSequences(kept, expected) : "which sequences they held is unknown"));
}

void Salvage::CheckManifest(const std::vector<FoundLog>& logs) {
  Sequence stated = request_.durable_sequence;
  if (request_.closed.has_value()) stated = std::max(stated, request_.closed->last_sequence);
  if (stated > result_.last_sequence) {
    Report("the logs end at sequence " + std::to_string(result_.last_sequence) +
           ": the manifest states that all up to " + std::to_string(stated) + " is durable");
  }
  result_.ended_cleanly = result_.salvage_report.empty() && request_.closed.has_value() &&
                          (logs.empty() || (logs.back().file.number == request_.closed->number &&
                                            result_.newest->length == request_.closed->length));
}

}  // namespace

absl::StatusOr<ReplayResult> SalvageLogs(FileSystem* fs, const ReplayRequest& request, const ApplyBatch& apply) {
  return Salvage(fs, request, apply).Run();
}

}  // namespace varve
