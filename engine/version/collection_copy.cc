#include "engine/version/collection_copy.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/directories.h"
#include "base/publish.h"
#include "base/status.h"
#include "engine/version/checkpoint.h"
#include "engine/version/copy_source.h"
#include "engine/version/file_names.h"
#include "engine/version/manifest.h"
#include "engine/version/manifest_files.h"
#include "log.pb.h"
#include "segment/segment.h"
#include "varve/clock.h"
#include "wal/log_recovery.h"

namespace varve {
namespace {

constexpr size_t kCopyBytes = size_t{1} << 20;

// Whether a collection may be put there: nothing, or an empty directory.
absl::Status CheckVacant(FileSystem* fs, const std::string& path) {
  const absl::StatusOr<FileInfo> info = fs->Stat(path);
  if (absl::IsNotFound(info.status())) return absl::OkStatus();
  RETURN_IF_ERROR(info.status());
  if (!info->is_directory) return AlreadyExists(path + ": is a file: expected a new or an empty directory");
  ASSIGN_OR_RETURN(const std::vector<std::string> names, fs->List(path));
  if (names.empty()) return absl::OkStatus();
  return AlreadyExists(path + ": is not empty (" + names.front() + "): expected a new or an empty directory");
}

// Whether all in a directory may be the remains of a copy that was not finished.
absl::Status CheckIsRemains(FileSystem* fs, const std::string& staging) {
  const auto foreign = [&](const std::string& name) {
    return AlreadyExists(staging + ": holds " + name + ", which no copy makes: move it away");
  };
  ASSIGN_OR_RETURN(const std::vector<std::string> names, fs->List(staging));
  for (std::string_view name : names) {
    if (name.ends_with(kTemporarySuffix)) name.remove_suffix(kTemporarySuffix.size());
    const bool ours = name == kLockName || name == kManifestName || name == kManifestBackupName ||
                      name == kLogDirectory || name == kSegmentDirectory || name == kCheckpointDirectory;
    if (!ours) return foreign(std::string(name));
  }
  ASSIGN_OR_RETURN(const std::vector<DirectoryEntry> entries, ListCollection(fs, staging));
  for (const DirectoryEntry& entry : entries) {
    if (entry.kind == FileKind::kUnknown) return foreign(entry.name);
  }
  return absl::OkStatus();
}

// Makes one copy under a name that says that it is not finished. Thread-compatible.
class Copier {
 public:
  Copier(const CopyRequest& request, std::string staging) : request_(request), staging_(std::move(staging)) {}

  // Makes and locks an empty directory; what an earlier copy left there is removed.
  absl::Status Prepare();
  absl::Status Fill(const CopySource& source);
  // All of it is durable and has its final name when this returns.
  absl::Status Publish();
  void Discard();

  const BackupResult& result() const { return result_; }

 private:
  absl::Status Copy(const OpenFile& from);
  absl::Status LinkOrCopy(const OpenFile& from);
  // Copies the logs that are needed, as they are at a clean close; `manifest` will say so.
  absl::Status CopyLogs(const CopySource& source, pb::Manifest* manifest);
  absl::StatusOr<ReplayResult> Replay(const CopySource& source, pb::Manifest* manifest);
  // The segments of bulk loads that the logs name and the manifest does not: they belong to the logs.
  absl::Status CopyIngested(const CopySource& source, absl::Span<const LogRecord> batch, pb::Manifest* manifest);
  absl::Status RemoveLogsBelow(FileId first);
  absl::Status CutLog(const LogEnd& end);
  absl::Status WriteManifest(const CopySource& source, pb::Manifest manifest);
  std::string PathOf(std::string_view name) const { return JoinPath(staging_, name); }

  const CopyRequest& request_;
  FileSystem* const fs_ = request_.fs;
  const std::string staging_;
  std::unique_ptr<FileLock> lock_;
  BackupResult result_;
};

absl::Status Copier::Prepare() {
  const absl::Status made = fs_->CreateDirectory(staging_);
  if (!made.ok() && !absl::IsAlreadyExists(made)) return made;
  if (absl::IsAlreadyExists(made)) RETURN_IF_ERROR(CheckIsRemains(fs_, staging_));
  absl::StatusOr<std::unique_ptr<FileLock>> lock = fs_->Lock(PathOf(kLockName), "a copy is being made\n");
  if (!lock.ok()) return Annotate(lock.status(), request_.to + ": another copy is being made there");
  lock_ = *std::move(lock);
  ASSIGN_OR_RETURN(const std::vector<std::string> names, fs_->List(staging_));
  for (const std::string& name : names) {
    if (name != kLockName) RETURN_IF_ERROR(RemoveTree(fs_, PathOf(name)));
  }
  for (const std::string_view folder : {kLogDirectory, kSegmentDirectory, kCheckpointDirectory}) {
    RETURN_IF_ERROR(fs_->CreateDirectory(PathOf(folder)));
  }
  return absl::OkStatus();
}

absl::Status Copier::Fill(const CopySource& source) {
  for (const OpenFile& file : source.files) RETURN_IF_ERROR(LinkOrCopy(file));
  pb::Manifest manifest = source.manifest;
  RETURN_IF_ERROR(CopyLogs(source, &manifest));
  return WriteManifest(source, std::move(manifest));
}

absl::Status Copier::LinkOrCopy(const OpenFile& from) {
  // Another file system, too many links, or gone since it was opened: whatever forbids a link, a copy will do.
  if (!request_.link || !fs_->Link(JoinPath(request_.from, from.name), PathOf(from.name)).ok()) return Copy(from);
  ++result_.files_linked;
  return absl::OkStatus();
}

absl::Status Copier::Copy(const OpenFile& from) {
  ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> to, fs_->CreateFile(PathOf(from.name)));
  const auto append = [&](std::string_view bytes) -> absl::Status {
    RETURN_IF_ERROR(to->Append(bytes).status);
    result_.bytes_copied += bytes.size();
    if (request_.progress) request_.progress(bytes.size());
    return absl::OkStatus();
  };
  // A log grows meanwhile; what is behind may speak of files that were not opened.
  if (!from.contents.empty()) {
    RETURN_IF_ERROR(append(from.contents));
  } else {
    std::string buffer(kCopyBytes, '\0');
    while (to->Size() < from.size) {
      const size_t wanted = std::min<uint64_t>(buffer.size(), from.size - to->Size());
      ASSIGN_OR_RETURN(const size_t read, from.file->Read(to->Size(), wanted, buffer.data()));
      if (read == 0) break;  // the log was cut
      RETURN_IF_ERROR(append(std::string_view(buffer).substr(0, read)));
    }
  }
  RETURN_IF_ERROR(to->Sync());
  RETURN_IF_ERROR(to->Close());
  ++result_.files_copied;
  return absl::OkStatus();
}

absl::StatusOr<ReplayResult> Copier::Replay(const CopySource& source, pb::Manifest* manifest) {
  ASSIGN_OR_RETURN(const std::vector<DirectoryEntry> entries, ListCollection(fs_, staging_));
  ASSIGN_OR_RETURN(ReplayRequest request, MakeReplayRequest(staging_, entries, *manifest));
  request.writer_is_live = source.writer_is_live;
  return ReplayLogs(fs_, request,
                    [&](absl::Span<const LogRecord> batch) { return CopyIngested(source, batch, manifest); });
}

absl::Status Copier::CopyIngested(const CopySource& source, absl::Span<const LogRecord> batch, pb::Manifest* manifest) {
  for (const LogRecord& record : batch) {
    pb::LogControl control;
    if (record.type != LogEntryType::kControl) continue;
    if (!control.ParseFromString(record.payload)) {
      return DataLoss("log record at offset " + std::to_string(record.offset) + ": control entry cannot be decoded");
    }
    if (!control.has_segment_ingested()) continue;
    const pb::SegmentEntry& entry = control.segment_ingested().segment();
    const std::string name = SegmentName(entry.id());
    const auto is_it = [&](const OpenFile& file) { return file.name == name; };
    if (std::any_of(source.files.begin(), source.files.end(), is_it)) continue;
    const auto found = std::find_if(source.unnamed.begin(), source.unnamed.end(), is_it);
    if (found == source.unnamed.end()) return DataLoss(name + ": a log names it, and it is missing");
    RETURN_IF_ERROR(LinkOrCopy(*found));
    ASSIGN_OR_RETURN(const SegmentExpectation expected, ExpectSegment(*manifest, entry));
    RETURN_IF_ERROR(Segment::Open(fs_, PathOf(name), expected, VerifyChecksums::kOnTouch, IoMode::kMapped).status());
    manifest->set_next_file_id(std::max<FileId>(manifest->next_file_id(), entry.id() + 1));
  }
  return absl::OkStatus();
}

absl::Status Copier::CopyLogs(const CopySource& source, pb::Manifest* manifest) {
  for (const OpenFile& log : source.logs) RETURN_IF_ERROR(Copy(log));
  ASSIGN_OR_RETURN(const ReplayResult replay, Replay(source, manifest));
  result_.sequence = std::max<Sequence>(manifest->wal_sequence(), replay.last_sequence);
  manifest->set_last_sequence(std::max<Sequence>(manifest->last_sequence(), replay.largest_sequence));
  manifest->clear_closed_log();
  pb::ClosedLog* closed = manifest->mutable_closed_log();  // number 0: there is no log
  const bool all_in_segments = replay.records == 0 && manifest->durable_sequence() <= manifest->wal_sequence();
  if (!replay.newest.has_value() || all_in_segments) {
    manifest->set_durable_log(0);
    manifest->set_durable_offset(0);
    return RemoveLogsBelow(std::numeric_limits<FileId>::max());
  }
  const LogEnd& end = *replay.newest;
  // Beside a live writer the end of the log is taken as it comes, but never short of what was durable.
  if (manifest->durable_log() == end.number && manifest->durable_offset() > end.length) {
    return DataLossAt(JoinPath(request_.from, LogName(end.number)), end.length,
                      "the log ends here: the manifest states that it is durable up to " +
                          std::to_string(manifest->durable_offset()));
  }
  RETURN_IF_ERROR(RemoveLogsBelow(replay.first_needed_log));
  RETURN_IF_ERROR(CutLog(end));
  closed->set_number(end.number);
  closed->set_length(end.length);
  closed->set_last_sequence(end.last_sequence);
  manifest->set_durable_sequence(std::max<Sequence>(manifest->durable_sequence(), end.last_sequence));
  manifest->set_durable_log(end.number);
  manifest->set_durable_offset(end.length);
  manifest->set_last_sequence(std::max<Sequence>(manifest->last_sequence(), end.last_sequence));
  manifest->set_next_file_id(std::max<FileId>(manifest->next_file_id(), end.number + 1));
  return absl::OkStatus();
}

absl::Status Copier::RemoveLogsBelow(FileId first) {
  ASSIGN_OR_RETURN(const std::vector<DirectoryEntry> entries, ListCollection(fs_, staging_));
  for (const DirectoryEntry& entry : entries) {
    if (entry.kind == FileKind::kLog && entry.id < first) RETURN_IF_ERROR(fs_->RemoveFile(PathOf(entry.name)));
  }
  return absl::OkStatus();
}

absl::Status Copier::CutLog(const LogEnd& end) {
  ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> log, fs_->OpenForAppend(PathOf(LogName(end.number))));
  RETURN_IF_ERROR(log->Truncate(end.length));
  RETURN_IF_ERROR(log->Sync());
  return log->Close();
}

absl::Status Copier::WriteManifest(const CopySource& source, pb::Manifest manifest) {
  // The copy is another collection of the same family: it gets a name of its own when it is first written to.
  if (!manifest.instance().empty()) manifest.set_restored_from(manifest.instance());
  manifest.clear_instance();
  manifest.set_generation(source.largest_generation + 1);
  const FileId checkpoint_id = manifest.next_file_id();
  manifest.set_checkpoint_id(checkpoint_id);
  manifest.set_next_file_id(checkpoint_id + 1);
  manifest.set_modified_at(request_.clock->WallMicros());
  manifest.set_clock_reading(std::max<int64_t>(manifest.clock_reading(), request_.clock->WallMicros() / 1000));
  result_.generation = manifest.generation();
  // What the manifest will name is there and is what it says, or there is no manifest.
  RETURN_IF_ERROR(CheckNamedFiles(fs_, staging_, manifest));
  for (const std::string_view folder : {kLogDirectory, kSegmentDirectory}) {
    RETURN_IF_ERROR(fs_->SyncDirectory(PathOf(folder)));
  }
  pb::Checkpoint checkpoint;
  *checkpoint.mutable_manifest() = manifest;
  checkpoint.set_log_number(manifest.durable_log());
  checkpoint.set_log_offset(manifest.durable_offset());
  RETURN_IF_ERROR(WriteCheckpoint(fs_, staging_, checkpoint_id, checkpoint));
  return PublishManifest(fs_, staging_, manifest).status;
}

absl::Status Copier::Publish() {
  const absl::Status renamed = fs_->Rename(staging_, request_.to);
  if (!renamed.ok()) {
    // Something may have come to be there meanwhile; the kernel's message would not say so.
    RETURN_IF_ERROR(CheckVacant(fs_, request_.to));
    return renamed;
  }
  return fs_->SyncDirectory(DirectoryOf(request_.to));
}

void Copier::Discard() {
  // Not if another has it: then it is the other's.
  if (lock_ != nullptr) (void)RemoveTree(fs_, staging_);
}

}  // namespace

absl::Status CheckMayBeCopied(FileSystem* fs, const std::string& from, const std::string& to) {
  RETURN_IF_ERROR(CheckIsCollection(fs, from));
  if (to.empty()) return InvalidArgument("the destination's name is empty");
  if (to.starts_with(from + "/")) return InvalidArgument(to + ": lies within the collection " + from);
  return CheckVacant(fs, to);
}

absl::StatusOr<BackupResult> CopyCollection(const CopyRequest& given) {
  CopyRequest request = given;
  request.from = WithoutTrailingSlashes(request.from);
  request.to = WithoutTrailingSlashes(request.to);
  RETURN_IF_ERROR(CheckMayBeCopied(request.fs, request.from, request.to));
  // The files are held open from here on: no writer can take them away, however long the copy takes.
  ASSIGN_OR_RETURN(const CopySource source, OpenCopySource(request.fs, request.from, request.pinned));
  RETURN_IF_ERROR(MakeDirectories(request.fs, DirectoryOf(request.to)));
  Copier copier(request, request.to + std::string(kTemporarySuffix));
  absl::Status status = copier.Prepare();
  if (status.ok()) status = copier.Fill(source);
  if (status.ok()) status = copier.Publish();
  if (!status.ok()) {
    copier.Discard();
    return status;
  }
  return copier.result();
}

}  // namespace varve
