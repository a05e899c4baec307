#include "engine/admin/verify_logs.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/status.h"
#include "engine/admin/log_payload.h"
#include "engine/version/manifest_files.h"
#include "wal/log_reader.h"

namespace varve {
namespace {

// What a pass over one log found.
struct ScannedLog {
  std::string name;
  LogHeader header;
  LogEnd end;            // as its successor's header would state it
  bool invalid = false;  // the pass ended at something that is no record
  std::string invalid_reason;
};

class LogVerifier {
 public:
  LogVerifier(VerifyRun* run, const std::vector<DirectoryEntry>& entries, const pb::Manifest& manifest,
              std::set<std::string>* named)
      : run_(run), entries_(entries), manifest_(manifest), named_(named) {}

  absl::Status ScanAll() {
    for (const DirectoryEntry& entry : entries_) {
      if (entry.kind != FileKind::kLog) continue;
      RETURN_IF_ERROR(Scan(entry));
    }
    std::sort(scanned_.begin(), scanned_.end(),
              [](const ScannedLog& a, const ScannedLog& b) { return a.end.number < b.end.number; });
    return absl::OkStatus();
  }

  // Replays for `manifest` and returns the first log it needs (0: none), or nothing if the replay stopped.
  // Only the manifest in force is `reported` on.
  absl::StatusOr<std::optional<FileId>> Replay(const pb::Manifest& manifest, bool reported) {
    ASSIGN_OR_RETURN(ReplayRequest request, MakeReplayRequest(run_->directory(), entries_, manifest));
    request.writer_is_live = run_->live();
    const absl::StatusOr<ReplayResult> result =
        ReplayLogs(run_->fs(), request, [](absl::Span<const LogRecord>) { return absl::OkStatus(); });
    if (!result.ok()) {
      if (reported) RETURN_IF_ERROR(ReportStop(result.status()));
      return std::optional<FileId>();
    }
    if (reported && result->dropped_bytes != 0 && !run_->live()) {
      const std::string newest =
          result->newest.has_value() ? LogName(result->newest->number) : std::string(kLogDirectory);
      std::string_view reason = result->dropped_reason;
      if (const std::string prefix = run_->PathOf(newest) + ": "; reason.starts_with(prefix)) {
        reason.remove_prefix(prefix.size());
      }
      run_->AddWarning(newest,
                       "torn tail of " + std::to_string(result->dropped_bytes) + " bytes: " + std::string(reason));
    }
    if (reported && run_->live() && result->newest.has_value()) {
      run_->AddWarning(LogName(result->newest->number), "a writer is at work: what lies behind offset " +
                                                            std::to_string(result->newest->length) + " was left out");
    }
    return std::optional<FileId>(result->first_needed_log);
  }

  std::vector<pb::SegmentEntry> TakeIngested() { return std::move(ingested_); }

  // Marks the logs from `first_needed` on, and judges the others, which no replay has read.
  void CheckUnneeded(FileId first_needed) {
    for (size_t i = 0; i < scanned_.size(); ++i) {
      const ScannedLog& log = scanned_[i];
      const bool newest = i + 1 == scanned_.size();
      if (newest || (first_needed != 0 && log.end.number >= first_needed)) {
        named_->insert(log.name);
        continue;
      }
      const LogEnd& stated = scanned_[i + 1].header.previous;
      if (stated.number == log.end.number && !(stated == log.end)) {
        run_->AddDamage(log.name, log.end.length, "records",
                        log.invalid ? log.invalid_reason : "the log does not end where the one behind it says");
      } else if (log.invalid) {
        run_->AddWarning(log.name, "no longer needed, and not a log from offset " + std::to_string(log.end.length) +
                                       " on: " + log.invalid_reason);
      }
    }
  }

 private:
  // A failed replay: where a record is invalid that is the place, else what the replay says of the chain.
  absl::Status ReportStop(const absl::Status& status) {
    if (!absl::IsDataLoss(status) && !absl::IsNotFound(status) && !absl::IsUnimplemented(status)) return status;
    // A log that was listed is removed by its writer, be it behind the publication whose manifest has been read.
    const bool removed = run_->live() && absl::IsNotFound(status);
    if (removed || run_->HasMovedOn()) return Aborted("the writer has moved on from these logs");
    for (const ScannedLog& log : scanned_) {
      const std::string& name = log.name;
      if (log.invalid && status.message().find(name) != std::string::npos) {
        run_->AddDamage(name, log.end.length, "records",
                        log.invalid_reason + " (" + std::string(status.message()) + ")");
        return absl::OkStatus();
      }
    }
    for (const DirectoryEntry& entry : entries_) {
      if (entry.kind == FileKind::kLog && status.message().find(entry.name) != std::string::npos) {
        return run_->AddStatus(entry.name, status);
      }
    }
    run_->AddDamage(kLogDirectory, 0, "chain", std::string(status.message()));
    return absl::OkStatus();
  }

  absl::Status Scan(const DirectoryEntry& entry) {
    run_->CountFile(entry.name);
    const absl::StatusOr<std::unique_ptr<LogReader>> reader = LogReader::Open(run_->fs(), run_->PathOf(entry.name));
    if (!reader.ok()) {
      if (run_->live() && absl::IsNotFound(reader.status())) return absl::OkStatus();
      return run_->AddStatus(entry.name, reader.status());
    }
    ScannedLog log;
    log.name = entry.name;
    log.header = (*reader)->header();
    if (log.header.number != entry.id || log.header.collection.ToHex() != manifest_.collection_uuid()) {
      run_->AddDamage(entry.name, 0, "header", "the log of another collection, or another log of this one");
    }
    RETURN_IF_ERROR(ReadRecords(reader->get(), &log));
    scanned_.push_back(std::move(log));
    return absl::OkStatus();
  }

  absl::Status ReadRecords(LogReader* reader, ScannedLog* log) {
    log->end = {log->header.number, kLogHeaderBytes, reader->header_crc(), log->header.first_sequence - 1};
    while (true) {
      LogRecord record;
      const absl::StatusOr<LogReader::Outcome> outcome = reader->Read(&record);
      if (!outcome.ok()) return run_->AddStatus(log->name, outcome.status());
      log->end.length = reader->offset();
      if (*outcome == LogReader::Outcome::kInvalid) {
        log->invalid = true;
        log->invalid_reason = std::string(reader->invalid_reason());
      }
      if (*outcome != LogReader::Outcome::kRecord) return absl::OkStatus();
      log->end.final_crc = record.header_crc;
      log->end.last_sequence = record.sequence;
      CheckPayload(record, log->name);
    }
  }

  void CheckPayload(const LogRecord& record, const std::string& name) {
    const absl::StatusOr<LogPayload> payload = DecodeLogPayload(record, &manifest_.config());
    if (!payload.ok()) {
      run_->AddDamage(name, record.offset, "record", std::string(payload.status().message()));
      return;
    }
    const auto* control = std::get_if<pb::LogControl>(&*payload);
    if (control == nullptr || !control->has_segment_ingested()) return;
    const pb::SegmentEntry& segment = control->segment_ingested().segment();
    named_->insert(SegmentName(segment.id()));
    if (record.sequence <= manifest_.wal_sequence()) return;
    const bool in_manifest = std::any_of(manifest_.segments().begin(), manifest_.segments().end(),
                                         [&](const pb::SegmentEntry& entry) { return entry.id() == segment.id(); });
    if (in_manifest) return;
    if (Crc32cFromHex(segment.footer_crc()).ok()) {
      ingested_.push_back(segment);
    } else {
      run_->AddDamage(name, record.offset, "record", "segment_ingested: footer_crc is no checksum");
    }
  }

  VerifyRun* const run_;
  const std::vector<DirectoryEntry>& entries_;
  const pb::Manifest& manifest_;
  std::set<std::string>* const named_;
  std::vector<ScannedLog> scanned_;         // by number
  std::vector<pb::SegmentEntry> ingested_;  // that replay opens and the manifest does not name
};

}  // namespace

absl::Status VerifyLogs(VerifyRun* run, const std::vector<DirectoryEntry>& entries, const pb::Manifest& manifest,
                        const pb::Manifest* checkpoint, std::set<std::string>* named,
                        std::vector<pb::SegmentEntry>* ingested) {
  LogVerifier verifier(run, entries, manifest, named);
  RETURN_IF_ERROR(verifier.ScanAll());
  ASSIGN_OR_RETURN(const std::optional<FileId> needed, verifier.Replay(manifest, /*reported=*/true));
  FileId first_needed = needed.value_or(1);  // after a replay that stopped, every log may be needed
  if (checkpoint != nullptr && checkpoint->wal_sequence() < manifest.wal_sequence()) {
    ASSIGN_OR_RETURN(const std::optional<FileId> older, verifier.Replay(*checkpoint, /*reported=*/false));
    if (older.value_or(0) != 0 && (first_needed == 0 || *older < first_needed)) first_needed = *older;
  }
  verifier.CheckUnneeded(first_needed);
  *ingested = verifier.TakeIngested();
  return absl::OkStatus();
}

absl::Status VerifyLogAlone(VerifyRun* run, const std::string& name) {
  run->CountFile(name);
  const absl::StatusOr<std::unique_ptr<LogReader>> reader = LogReader::Open(run->fs(), run->PathOf(name));
  if (!reader.ok()) return run->AddStatus(name, reader.status());
  Sequence last = (*reader)->header().first_sequence - 1;
  while (true) {
    LogRecord record;
    const absl::StatusOr<LogReader::Outcome> outcome = (*reader)->Read(&record);
    if (!outcome.ok()) return run->AddStatus(name, outcome.status());
    if (*outcome == LogReader::Outcome::kEnd) return absl::OkStatus();
    if (*outcome == LogReader::Outcome::kInvalid) break;
    last = record.sequence;
    const absl::StatusOr<LogPayload> payload = DecodeLogPayload(record, nullptr);
    if (!payload.ok()) run->AddDamage(name, record.offset, "record", std::string(payload.status().message()));
  }
  const uint64_t end = (*reader)->offset();
  const absl::StatusOr<uint64_t> claim = (*reader)->FindDurabilityClaim(end, last);
  if (!claim.ok()) return run->AddStatus(name, claim.status());
  if (*claim > end) {
    run->AddDamage(name, end, "records",
                   std::string((*reader)->invalid_reason()) + ": a later record says that this was durable");
  } else {
    run->AddWarning(name, "not a log from offset " + std::to_string(end) +
                              " on: " + std::string((*reader)->invalid_reason()) +
                              "; a torn tail, unless the manifest says otherwise");
  }
  return absl::OkStatus();
}

}  // namespace varve
