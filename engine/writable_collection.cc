#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/directories.h"
#include "base/publish.h"
#include "base/seeded_bug.h"
#include "base/status.h"
#include "engine/background/bulk_loader.h"
#include "engine/collection_impl.h"
#include "engine/observe/observer.h"
#include "engine/version/collection_copy.h"
#include "engine/version/collection_lock.h"
#include "engine/version/file_collector.h"
#include "engine/version/file_names.h"
#include "engine/version/manifest.h"
#include "engine/version/schema_codec.h"
#include "engine/write/filtered_delete.h"
#include "wal/log_reader.h"

namespace varve {
namespace {

// Added to the largest sequence after anything but a clean close, so that the number of a write that was lost is never
// given again.
constexpr Sequence kSequenceSkip = Sequence{1} << 32;

constexpr size_t kMinMemoryBytes = size_t{4} << 20;

FileSystem* FileSystemOf(const Options& options) {
  return options.file_system != nullptr ? options.file_system : FileSystem::Default();
}

Clock* ClockOf(const Options& options) { return options.clock != nullptr ? options.clock : Clock::Default(); }

absl::Status ValidateOptions(const Options& options) {
  if (options.wal_pad_to != 8 && options.wal_pad_to != 4096) {
    return InvalidArgument("wal_pad_to is " + std::to_string(options.wal_pad_to) + ", expected 8 or 4096");
  }
  if (options.memtable_bytes < (size_t{1} << 16)) return InvalidArgument("memtable_bytes is below 64 KiB");
  if (options.wal_max_bytes < options.memtable_bytes) return InvalidArgument("wal_max_bytes is below memtable_bytes");
  if (options.max_frozen_memtables < 1) return InvalidArgument("max_frozen_memtables is below 1");
  if (options.memory_budget == nullptr && options.memory_bytes != 0 && options.memory_bytes < kMinMemoryBytes) {
    return InvalidArgument("memory_bytes is below 4 MiB");
  }
  if (options.max_segments < 4) return InvalidArgument("max_segments is below 4");
  if (options.threads < 0) return InvalidArgument("threads is negative");
  return absl::OkStatus();
}

// A collection may be made in an empty directory, or over what a failed Create left: LOCK and empty folders.
absl::Status CheckVacant(FileSystem* fs, const std::string& directory) {
  ASSIGN_OR_RETURN(const FileInfo info, fs->Stat(directory));
  if (!info.is_directory) return FailedPrecondition(directory + ": is not a directory");
  ASSIGN_OR_RETURN(const std::vector<std::string> names, fs->List(directory));
  for (const std::string& name : names) {
    if (name == kManifestName || name == kManifestBackupName) {
      return AlreadyExists(directory + ": holds a collection already");
    }
  }
  for (const std::string& name : names) {
    if (name == kLockName) continue;
    bool vacant = false;
    if (name == kLogDirectory || name == kSegmentDirectory || name == kCheckpointDirectory) {
      ASSIGN_OR_RETURN(const std::vector<std::string> inside, fs->List(JoinPath(directory, name)));
      vacant = inside.empty();
    } else if (name == std::string(kManifestName) + std::string(kTemporarySuffix) ||
               name == std::string(kManifestBackupName) + std::string(kTemporarySuffix)) {
      vacant = true;
    }
    if (!vacant) return AlreadyExists(directory + ": is not empty (" + name + ")");
  }
  return absl::OkStatus();
}

absl::StatusOr<pb::Manifest> FirstManifest(const Schema& schema, Clock* clock) {
  pb::Manifest manifest;
  manifest.set_version(kFormatVersion);
  ASSIGN_OR_RETURN(const Uuid uuid, Uuid::Random());
  ASSIGN_OR_RETURN(const Uuid secret, Uuid::Random());
  ASSIGN_OR_RETURN(const Uuid instance, Uuid::Random());
  manifest.set_collection_uuid(uuid.ToHex());
  manifest.set_log_secret(secret.ToHex());
  manifest.set_instance(instance.ToHex());
  *manifest.mutable_config() = EncodeSchema(schema);
  if (const FieldSpec* field = schema.DefaultDenseField(); field != nullptr) {
    manifest.set_index_type(static_cast<pb::IndexType>(field->index.type));
    manifest.set_dimension(field->dimension);
  }
  manifest.set_next_file_id(1);
  manifest.set_created_at(clock->WallMicros());
  manifest.set_modified_at(clock->WallMicros());
  manifest.set_clock_reading(clock->WallMicros() / 1000);
  manifest.set_generation(1);
  manifest.mutable_closed_log();  // there is no log: as after a clean close
  return manifest;
}

// Whether the newest log belongs to a disk that may damage bytes beside those being written.
bool NewestLogIsPadded(const CollectionState& state, const RecoveredCollection& recovered) {
  if (!recovered.loaded.replay.newest.has_value()) return false;
  const std::string path = JoinPath(state.directory, LogName(recovered.loaded.replay.newest->number));
  const absl::StatusOr<std::unique_ptr<LogReader>> log = LogReader::Open(state.fs, path);
  return log.ok() && (*log)->header().pad_to != 8;
}

// A copy that was never written to (a backup) still has the name and the log secret of what it was copied from.
bool IsUnclaimedCopy(const RecoveredCollection& recovered) { return recovered.manifest.instance().empty(); }

// Whether nothing that follows may build on the logs that are there: they were salvaged, or are another collection's.
bool GoesBehindItsLogs(const Options& options, const RecoveredCollection& recovered) {
  return options.recovery == RecoveryMode::kSalvage || IsUnclaimedCopy(recovered);
}

// Whoever made the copy may have died between giving the directory its name and making that durable. A directory above
// that may not be read is one in which the copy was not made by this user.
absl::Status SyncPlaceOfCopy(FileSystem* fs, const std::string& directory) {
  if (VARVE_SEEDED_BUG(kPlaceOfCopy)) return absl::OkStatus();
  const absl::Status synced = fs->SyncDirectory(DirectoryOf(WithoutTrailingSlashes(directory)));
  return absl::IsPermissionDenied(synced) ? absl::OkStatus() : synced;
}

// Nothing recovered may be written over: the counter of generations goes on above all that was seen.
pb::Manifest WithGeneration(pb::Manifest manifest, uint64_t at_least) {
  manifest.set_generation(std::max(manifest.generation(), at_least));
  return manifest;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Collection>> WritableCollection::Create(const std::string& directory,
                                                                       const Schema& schema, const Options& options) {
  RETURN_IF_ERROR(ValidateOptions(options));
  ASSIGN_OR_RETURN(Schema valid, ValidateSchema(schema));
  if (options.sync.has_value()) valid.sync = *options.sync;
  if (directory.empty()) return InvalidArgument("the directory's name is empty");
  FileSystem* fs = FileSystemOf(options);
  Clock* clock = ClockOf(options);
  RETURN_IF_ERROR(MakeDirectories(fs, directory));
  RETURN_IF_ERROR(CheckVacant(fs, directory));
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<FileLock> lock, LockCollection(fs, clock, directory));
    RETURN_IF_ERROR(CheckVacant(fs, directory));
    for (std::string_view folder : {kLogDirectory, kSegmentDirectory, kCheckpointDirectory}) {
      const absl::Status made = fs->CreateDirectory(JoinPath(directory, folder));
      if (!made.ok() && !absl::IsAlreadyExists(made)) return made;
    }
    RETURN_IF_ERROR(fs->SyncDirectory(directory));
    ASSIGN_OR_RETURN(const pb::Manifest manifest, FirstManifest(valid, clock));
    RETURN_IF_ERROR(PublishManifest(fs, directory, manifest).status);
  }
  return Open(directory, options);
}

absl::StatusOr<std::unique_ptr<Collection>> WritableCollection::Open(const std::string& directory,
                                                                     const Options& options) {
  RETURN_IF_ERROR(ValidateOptions(options));
  FileSystem* fs = FileSystemOf(options);
  Clock* clock = ClockOf(options);
  // Opening must not leave a LOCK in a directory that is no collection.
  RETURN_IF_ERROR(CheckIsCollection(fs, directory));
  ASSIGN_OR_RETURN(std::unique_ptr<FileLock> lock, LockCollection(fs, clock, directory));
  RecoverySettings settings;
  settings.options = options;
  absl::StatusOr<RecoveredCollection> found = RecoverCollection(fs, clock, directory, settings);
  if (!found.ok() && VARVE_SEEDED_BUG(kLeakedLock)) (void)lock.release();
  if (!found.ok()) ObserveDamage(EventDispatcher(options.listeners), directory, found.status());
  ASSIGN_OR_RETURN(RecoveredCollection recovered, std::move(found));
  const int64_t recovered_us = clock->MonotonicMicros();
  if (!recovered.manifest.features_to_write().empty()) {
    return Unimplemented(directory + ": was written with feature " + Quoted(recovered.manifest.features_to_write(0)) +
                         ", which this version cannot write; it can be opened read-only");
  }
  RETURN_IF_ERROR(MakeFolders(*recovered.state));
  if (GoesBehindItsLogs(options, recovered)) {
    // What counts is in memory; the logs are left as they are, and none of them is a predecessor of what follows.
    recovered.loaded.replay.newest.reset();
    recovered.loaded.logs.clear();
    recovered.loaded.clean_close = false;
  } else {
    RETURN_IF_ERROR(SealNewestLog(recovered));
  }
  if (std::max(recovered.loaded.visible, recovered.loaded.replay.largest_sequence) > kMaxSequence - 2 * kSequenceSkip) {
    return DataLoss(directory + ": sequences have come to the end of their range");
  }
  std::unique_ptr<CollectionState> state = std::move(recovered.state);
  std::unique_ptr<WritableCollection> collection(new WritableCollection(std::move(state), recovered, std::move(lock)));
  ObserveRecovery(*collection->state_);
  RETURN_IF_ERROR(collection->TakeOver(recovered));
  collection->state_->metrics->CountOpening(OpenPhase::kTakeOver, clock->MonotonicMicros() - recovered_us);
  return collection;
}

WritableCollection::WritableCollection(std::unique_ptr<CollectionState> state, const RecoveredCollection& recovered,
                                       std::unique_ptr<FileLock> lock)
    : CollectionImpl(std::move(state)),
      lock_(std::move(lock)),
      log_(state_.get(), recovered.loaded.replay.newest.value_or(LogEnd{}), recovered.loaded.logs),
      publisher_(state_.get(), &log_, WithGeneration(recovered.manifest, recovered.largest_generation),
                 recovered.manifest.checkpoint_id()),
      maintenance_(state_.get(), &publisher_),
      writes_(state_.get(), &log_, state_->options.sync.value_or(state_->schema.sync),
              {[this] { maintenance_.RequestFlush(); }, [this] { return maintenance_.flush_status(); },
               [this] { return maintenance_.merges_run(); }, [this] { return maintenance_.settled_segments(); },
               [this] { return state_->budget->AskLargest(this); }}),
      generation_at_open_(recovered.manifest.generation()) {}

WritableCollection::~WritableCollection() { (void)Close(); }

absl::Status WritableCollection::TakeOver(const RecoveredCollection& recovered) {
  if (GoesBehindItsLogs(state_->options, recovered)) return TakeOverBehindLogs(recovered);
  const LoadedView& loaded = recovered.loaded;
  const bool flush_first = !loaded.clean_close && loaded.replay.records > 0 && NewestLogIsPadded(*state_, recovered);
  if (!loaded.clean_close) {
    const Sequence largest = std::max(state_->visible.load(), loaded.replay.largest_sequence);
    state_->visible.store(largest + (VARVE_SEEDED_BUG(kReusedSequences) ? 0 : kSequenceSkip));
  }
  if (!loaded.clean_close && !flush_first) {
    RETURN_IF_ERROR(
        publisher_.PublishRecovered(state_->visible.load(), /*nothing_to_replay=*/loaded.replay.records == 0));
  }
  const pb::Manifest manifest = publisher_.manifest();
  CollectionGarbage garbage;
  garbage.manifest = &manifest;
  garbage.first_needed_log = loaded.replay.first_needed_log;
  if (loaded.replay.records == 0 && loaded.replay.newest.has_value()) {
    garbage.first_needed_log = std::max(garbage.first_needed_log, loaded.replay.newest->number);
  }
  garbage.keep_in_lost_and_found = recovered.fell_back;
  for (const FileId id : loaded.ingested) state_->file_ids.Hold(id);
  garbage.in_use = [this](FileId id) { return state_->file_ids.IsPending(id); };
  RemoveGarbage(state_->fs, state_->directory, garbage);
  publisher_.SetWritePath(&writes_);
  maintenance_.Start(&writes_);
  state_->budget->AddHolder(this);
  is_holder_ = true;
  // A padded log is not written again by recovery, so that what was replayed may be in the page cache alone: nothing
  // may build on it before it lies in segments.
  if (flush_first) return maintenance_.Flush().status();
  // A long chain of logs is folded into segments, so that the next recovery is short. On a disk without room for them
  // the collection opens all the same.
  constexpr uint64_t kMaxLogs = 4;
  if (loaded.replay.logs_read > kMaxLogs || !loaded.ingested.empty()) (void)maintenance_.Flush();
  return log_.poison();
}

absl::Status WritableCollection::TakeOverBehindLogs(const RecoveredCollection& recovered) {
  // Of a copy too: what it was copied from may have given the numbers behind these to writes that the copy lacks.
  state_->visible.store(std::max(state_->visible.load(), recovered.loaded.replay.largest_sequence) + kSequenceSkip);
  if (IsUnclaimedCopy(recovered)) RETURN_IF_ERROR(SyncPlaceOfCopy(state_->fs, state_->directory));
  const FileId first_new = state_->file_ids.next();
  publisher_.SetWritePath(&writes_);
  publisher_.HoldGarbage(true);
  for (const FileId id : recovered.loaded.ingested) state_->file_ids.Hold(id);
  maintenance_.Start(&writes_);
  state_->budget->AddHolder(this);
  is_holder_ = true;
  // Everything goes into segments, and the next recovery begins behind all logs: it will be an ordinary one.
  RETURN_IF_ERROR(maintenance_.Flush().status());
  if (state_->options.recovery == RecoveryMode::kSalvage) {
    // The segments that could not be kept leave the manifest though nothing was flushed in their place.
    Publication kept;
    kept.fold_all = true;
    RETURN_IF_ERROR(publisher_.Publish(std::move(kept)));
  }
  RETURN_IF_ERROR(publisher_.PublishRecovered(state_->visible.load(), /*nothing_to_replay=*/true));
  const pb::Manifest manifest = publisher_.manifest();
  CollectionGarbage garbage;
  garbage.manifest = &manifest;
  // A merge may have begun in the background: what it makes is not what was found.
  garbage.in_use = [this, first_new](FileId id) { return id >= first_new || state_->file_ids.IsPending(id); };
  garbage.first_needed_log = first_new;
  garbage.keep_in_lost_and_found = recovered.fell_back;
  RemoveGarbage(state_->fs, state_->directory, garbage);
  publisher_.HoldGarbage(false);
  return IsUnclaimedCopy(recovered) ? TakeIdentity() : absl::OkStatus();
}

absl::Status WritableCollection::TakeIdentity() {
  // A log of the old secret beside a manifest with the new one would be taken for another collection's.
  ASSIGN_OR_RETURN(const std::vector<DirectoryEntry> files, ListCollection(state_->fs, state_->directory));
  for (const DirectoryEntry& file : files) {
    if (file.kind == FileKind::kLog) RETURN_IF_ERROR(state_->fs->RemoveFile(JoinPath(state_->directory, file.name)));
  }
  RETURN_IF_ERROR(SyncLostAndFound(state_->fs, state_->directory));
  RETURN_IF_ERROR(state_->fs->SyncDirectory(JoinPath(state_->directory, kLogDirectory)));
  CollectionIdentity identity;
  ASSIGN_OR_RETURN(identity.instance, Uuid::Random());
  ASSIGN_OR_RETURN(identity.secret, Uuid::Random());
  RETURN_IF_ERROR(publisher_.PublishRecovered(state_->visible.load(), /*nothing_to_replay=*/true, identity));
  state_->secret = identity.secret;  // no log has been begun yet
  return absl::OkStatus();
}

absl::Status WritableCollection::Write(const WriteBatch& batch, const WriteOptions& options) {
  RETURN_IF_ERROR(CheckOpen());
  const absl::Status status = ObserveDamage(*state_, writes_.Write(batch, options));
  if (status.ok()) maintenance_.WriteHappened();
  return status;
}

absl::StatusOr<uint64_t> WritableCollection::DeleteWhere(const Filter& filter, const DeleteWhereOptions& options) {
  RETURN_IF_ERROR(CheckOpen());
  absl::StatusOr<uint64_t> deleted = DeleteMatchingRows(state_.get(), &writes_, filter, options);
  maintenance_.WriteHappened();
  if (!deleted.ok()) return ObserveDamage(*state_, deleted.status());
  return deleted;
}

absl::StatusOr<std::unique_ptr<BulkLoad>> WritableCollection::NewBulkLoad(const BulkLoadOptions& options) {
  RETURN_IF_ERROR(CheckOpen());
  return std::make_unique<BulkLoader>(state_.get(), &writes_, &maintenance_, &closed_, options);
}

absl::StatusOr<MaintenanceResult> WritableCollection::Flush() {
  RETURN_IF_ERROR(CheckOpen());
  return maintenance_.Flush();
}

absl::StatusOr<MaintenanceResult> WritableCollection::Merge(bool full) {
  RETURN_IF_ERROR(CheckOpen());
  return maintenance_.Merge(full);
}

absl::StatusOr<MaintenanceResult> WritableCollection::Checkpoint() {
  RETURN_IF_ERROR(CheckOpen());
  return maintenance_.Checkpoint();
}

size_t WritableCollection::MemtableBytes() const {
  const ViewRegistry::Pin pin = state_->views->PinCurrent(state_->visible);
  return pin.view().memtables.front()->bytes();
}

void WritableCollection::RequestFlush() { maintenance_.RequestFreezeAndFlush(); }

absl::StatusOr<BackupResult> WritableCollection::Backup(const std::string& destination) {
  RETURN_IF_ERROR(CheckOpen());
  CopyRequest request;
  request.fs = state_->fs;
  request.clock = ClockOf(state_->options);
  request.from = state_->directory;
  request.to = destination;
  // Flushes and merges go on, but leave their inputs where they are until the copy has them.
  request.pinned = true;
  publisher_.HoldGarbage(true);
  absl::StatusOr<BackupResult> result = CopyCollection(request);
  publisher_.HoldGarbage(false);
  return result;
}

absl::Status WritableCollection::Sync() {
  RETURN_IF_ERROR(CheckOpen());
  return log_.Sync();
}

absl::Status WritableCollection::SetSyncMode(const SyncMode& mode) {
  RETURN_IF_ERROR(CheckOpen());
  return writes_.SetSyncMode(mode);
}

CollectionStats WritableCollection::Stats() {
  CollectionStats stats = CollectionImpl::Stats();
  const pb::Manifest manifest = publisher_.manifest();
  stats.generation = manifest.generation();
  stats.checkpoint_id = manifest.checkpoint_id();
  stats.durable_sequence = std::max(manifest.durable_sequence(), manifest.wal_sequence());
  stats.log_number = log_.number();
  stats.log_bytes = log_.size();
  stats.disk_bytes += stats.log_bytes;
  stats.flushes = maintenance_.flushes();
  stats.merges = maintenance_.merges();
  for (const absl::Status& status : {maintenance_.merge_status(), maintenance_.flush_status()}) {
    if (!status.ok()) stats.last_background_error = status.ToString();
  }
  return stats;
}

absl::Status WritableCollection::Close() {
  if (closed_.exchange(true)) return absl::OkStatus();
  if (is_holder_) state_->budget->RemoveHolder(this);
  maintenance_.Stop();
  absl::Status status = log_.poison();
  if (status.ok()) writes_.RunExclusive([&] { status = log_.Rotate(); });
  if (status.ok() && (log_.wrote() || publisher_.manifest().generation() != generation_at_open_)) {
    Publication last;
    last.closed_log = log_.end();
    status = publisher_.Publish(std::move(last));
  }
  log_.ReportEvents();
  return status;
}

}  // namespace varve
