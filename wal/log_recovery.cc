#include "wal/log_recovery.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/seeded_bug.h"
#include "base/status.h"
#include "wal/batch_assembler.h"
#include "wal/log_chain.h"
#include "wal/log_salvage.h"

namespace varve {
namespace {

// Where the records of one log were found to end, and what they say.
struct Ending {
  LogEnd end;                   // behind the last complete batch
  uint64_t offset = 0;          // where reading stopped
  bool invalid = false;         // something that is no valid record stands there
  bool far_enough = false;      // reading stopped because no more was asked for
  std::string trouble;          // why the log does not end there as a log should; empty if it does
  Sequence last_read = 0;       // of the last valid record, be its batch complete or not
  uint64_t claim = 0;           // the largest synced_up_to of a valid record
  uint64_t vouched_offset = 0;  // the same, of records in complete batches
};

class Replay {
 public:
  Replay(FileSystem* fs, const ReplayRequest& request, const ApplyBatch& apply)
      : fs_(fs), request_(request), apply_(apply) {}

  absl::StatusOr<ReplayResult> Run();

 private:
  absl::StatusOr<Ending> ReplayLog(const LogFile& file, LogReader* reader);
  absl::Status Apply(absl::Span<const LogRecord> batch);
  // A log that has a successor was cut and synced before that one's header was written: it ends as stated there.
  absl::Status CheckFinished(const LogFile& file, const LogReader& reader, const Ending& ending,
                             const LogHeader& successor) const;
  absl::Status CheckClosed(const LogFile& file, const LogReader& reader, const Ending& ending) const;
  // Torn or damaged?
  absl::Status JudgeNewest(const LogFile& file, LogReader* reader, const Ending& ending);
  void SawSequence(Sequence sequence) { result_.largest_sequence = std::max(result_.largest_sequence, sequence); }

  FileSystem* const fs_;
  const ReplayRequest& request_;
  const ApplyBatch& apply_;
  ReplayResult result_;
};

absl::StatusOr<ReplayResult> Replay::Run() {
  result_.last_sequence = request_.wal_sequence;
  result_.largest_sequence = request_.wal_sequence;
  if (request_.up_to <= request_.wal_sequence) return std::move(result_);
  ASSIGN_OR_RETURN(const std::vector<ChainedLog> chain, FindNeededLogs(fs_, request_));
  if (chain.empty()) {
    // What the manifest vouches for lies in segments, to the last log that it knows of.
    result_.ended_cleanly = request_.closed.has_value();
    return std::move(result_);
  }
  result_.first_needed_log = chain.front().file.number;
  for (size_t i = 0; i < chain.size(); ++i) {
    const LogFile& file = chain[i].file;
    if (chain[i].header.first_sequence > request_.up_to) break;
    ASSIGN_OR_RETURN(const std::unique_ptr<LogReader> reader, OpenLog(fs_, file, request_));
    SawSequence(reader->header().first_sequence - 1);
    ASSIGN_OR_RETURN(const Ending ending, ReplayLog(file, reader.get()));
    SawSequence(ending.last_read);
    ++result_.logs_read;
    if (ending.far_enough) {
      result_.newest = ending.end;
      break;
    }
    result_.log_ends[file.number] = ending.end.last_sequence;
    if (i + 1 < chain.size()) {
      RETURN_IF_ERROR(CheckFinished(file, *reader, ending, chain[i + 1].header));
    } else {
      RETURN_IF_ERROR(JudgeNewest(file, reader.get(), ending));
      result_.newest = ending.end;
      result_.newest_vouched_offset = ending.vouched_offset;
    }
  }
  if (request_.durable_log == 0 && result_.last_sequence < request_.durable_sequence) {
    return DataLossAt(chain.back().file.path, result_.newest.value_or(LogEnd{}).length,
                      "the logs end at sequence " + std::to_string(result_.last_sequence) +
                          ": the manifest states that all up to " + std::to_string(request_.durable_sequence) +
                          " is durable");
  }
  return std::move(result_);
}

absl::StatusOr<Ending> Replay::ReplayLog(const LogFile& file, LogReader* reader) {
  Ending ending;
  ending.end = {file.number, reader->offset(), reader->header_crc(), reader->header().first_sequence - 1};
  ending.vouched_offset = reader->offset();  // a log is published with its header synced
  ending.last_read = ending.end.last_sequence;
  BatchAssembler assembler;
  LogRecord record;
  LogReader::Outcome outcome;
  for (;;) {
    if (ending.end.last_sequence >= request_.up_to) {
      ending.far_enough = true;
      return ending;
    }
    ASSIGN_OR_RETURN(outcome, reader->Read(&record));
    if (outcome != LogReader::Outcome::kRecord) break;
    if (record.sequence > request_.up_to) {
      ending.far_enough = true;
      return ending;
    }
    ending.last_read = record.sequence;
    ending.claim = std::max(ending.claim, record.synced_up_to);
    const uint64_t offset = record.offset;
    const BatchAssembler::Step step = assembler.Add(std::move(record));
    if (step == BatchAssembler::Step::kMisplaced) {
      return DataLossAt(file.path, offset, "record neither begins a batch where one may begin nor continues one");
    }
    if (step == BatchAssembler::Step::kIncomplete) continue;
    RETURN_IF_ERROR(Apply(assembler.batch()));
    const LogRecord& last = assembler.batch().back();
    ending.end = {file.number, last.end, last.header_crc, last.sequence};
    ending.vouched_offset = std::max(ending.vouched_offset, ending.claim);
  }
  if (assembler.open() && VARVE_SEEDED_BUG(kHalfBatch)) RETURN_IF_ERROR(Apply(assembler.batch()));
  ending.offset = reader->offset();
  ending.invalid = outcome == LogReader::Outcome::kInvalid;
  if (ending.invalid) {
    ending.trouble = std::string(reader->invalid_reason());
  } else if (assembler.open()) {
    ending.trouble = "the log ends within a batch";
  }
  return ending;
}

absl::Status Replay::Apply(absl::Span<const LogRecord> batch) {
  result_.last_sequence = std::max(result_.last_sequence, batch.back().sequence);
  const absl::Span<const LogRecord> wanted = RecordsBehind(batch, request_.wal_sequence);
  if (wanted.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(apply_(wanted));
  result_.records += wanted.size();
  return absl::OkStatus();
}

std::string Describe(const LogEnd& end) {
  return std::to_string(end.length) + " bytes and sequence " + std::to_string(end.last_sequence);
}

absl::Status Replay::CheckFinished(const LogFile& file, const LogReader& reader, const Ending& ending,
                                   const LogHeader& successor) const {
  const std::string stated =
      ": log " + std::to_string(successor.number) + " states that it ends at " + Describe(successor.previous);
  if (!ending.trouble.empty()) return DataLossAt(file.path, ending.offset, ending.trouble + stated);
  if (ending.end != successor.previous || reader.file_size() != ending.end.length) {
    return DataLossAt(
        file.path, ending.end.length,
        "the log ends at " + Describe(ending.end) + ", the file at " + std::to_string(reader.file_size()) + stated);
  }
  if (request_.closed.has_value() && request_.closed->number == file.number) {
    RETURN_IF_ERROR(CheckClosed(file, reader, ending));
  }
  if (request_.durable_log == file.number && request_.durable_offset > ending.end.length) {
    return DataLossAt(
        file.path, ending.end.length,
        "the log ends here: the manifest states that it is durable up to " + std::to_string(request_.durable_offset));
  }
  return absl::OkStatus();
}

absl::Status Replay::CheckClosed(const LogFile& file, const LogReader& reader, const Ending& ending) const {
  const std::string stated = ": the manifest states that it was closed at " + Describe(*request_.closed);
  if (!ending.trouble.empty()) return DataLossAt(file.path, ending.offset, ending.trouble + stated);
  if (ending.end.length != request_.closed->length || ending.end.last_sequence != request_.closed->last_sequence ||
      reader.file_size() != ending.end.length) {
    return DataLossAt(
        file.path, ending.end.length,
        "the log ends at " + Describe(ending.end) + ", the file at " + std::to_string(reader.file_size()) + stated);
  }
  return absl::OkStatus();
}

absl::Status Replay::JudgeNewest(const LogFile& file, LogReader* reader, const Ending& ending) {
  if (request_.closed.has_value() && request_.closed->number == file.number) {
    RETURN_IF_ERROR(CheckClosed(file, *reader, ending));
    result_.ended_cleanly = true;
  }
  if (request_.writer_is_live) return absl::OkStatus();

  uint64_t claim = ending.claim;
  std::string witness = "a record before it";
  uint64_t data_end = ending.offset;
  if (ending.invalid) {
    ASSIGN_OR_RETURN(const LogLookAhead ahead, reader->LookAhead(ending.offset, ending.last_read));
    SawSequence(ahead.largest_sequence);
    data_end = ahead.data_end;
    if (ahead.claim > claim) {
      claim = ahead.claim;
      witness = "a record behind it";
    }
  }
  if (request_.durable_log == file.number && request_.durable_offset > claim) {
    claim = request_.durable_offset;
    witness = "the manifest";
  }
  const std::string trouble = ending.trouble.empty() ? "the log ends" : ending.trouble;
  if (claim > ending.end.length || (VARVE_SEEDED_BUG(kTornIsDamage) && data_end > ending.end.length)) {
    return DataLossAt(file.path, ending.offset,
                      trouble + ": " + witness + " states that the log is durable up to " + std::to_string(claim));
  }
  if (data_end > ending.end.length) {
    result_.dropped_bytes = data_end - ending.end.length;
    result_.dropped_reason = file.path + ": at offset " + std::to_string(ending.offset) + ": " + trouble;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ReplayResult> ReplayLogs(FileSystem* fs, const ReplayRequest& request, const ApplyBatch& apply) {
  if (request.salvage) return SalvageLogs(fs, request, apply);
  return Replay(fs, request, apply).Run();
}

}  // namespace varve
