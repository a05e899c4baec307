#include <algorithm>
#include <utility>

#include "base/seeded_bug.h"
#include "base/status.h"
#include "engine/collection_impl.h"
#include "engine/observe/observer.h"
#include "engine/version/beside_writer.h"
#include "engine/version/collection_copy.h"
#include "engine/version/file_collector.h"
#include "engine/version/manifest.h"

namespace varve {
namespace {

RecoverySettings SettingsOf(const ReadOnlyOptions& options) {
  RecoverySettings settings;
  settings.options.verify_checksums = options.verify_checksums;
  settings.options.io = options.io;
  settings.options.recovery = options.recovery;
  settings.options.listeners = options.listeners;
  settings.options.slow_search_microseconds = options.slow_search_microseconds;
  settings.read_only = true;
  settings.published_only = options.log == ReadOnlyLog::kPublished;
  return settings;
}

absl::Status ReadOnlyError(const std::string& directory) {
  return FailedPrecondition(directory + ": the collection is open read-only");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Collection>> ReadOnlyCollection::Open(const std::string& directory,
                                                                     const ReadOnlyOptions& options) {
  FileSystem* fs = options.file_system != nullptr ? options.file_system : FileSystem::Default();
  Clock* clock = options.clock != nullptr ? options.clock : Clock::Default();
  RETURN_IF_ERROR(CheckIsCollection(fs, directory));
  RecoverySettings settings = SettingsOf(options);
  RecoveredCollection recovered;
  const absl::Status found = TryBesideWriter(fs, directory, [&](bool writer_is_live) -> absl::StatusOr<uint64_t> {
    settings.writer_is_live = writer_is_live;
    ASSIGN_OR_RETURN(recovered, RecoverCollection(fs, clock, directory, settings));
    return recovered.manifest.generation();
  });
  ObserveDamage(EventDispatcher(options.listeners), directory, found);
  RETURN_IF_ERROR(found);
  ObserveRecovery(*recovered.state);
  if (VARVE_SEEDED_BUG(kReaderRemoves)) {
    CollectionGarbage garbage;
    garbage.manifest = &recovered.manifest;
    RemoveGarbage(fs, directory, garbage);
  }
  return std::unique_ptr<Collection>(new ReadOnlyCollection(std::move(recovered), options));
}

ReadOnlyCollection::ReadOnlyCollection(RecoveredCollection recovered, const ReadOnlyOptions& options)
    : CollectionImpl(std::move(recovered.state)), options_(options) {
  absl::MutexLock lock(&refresh_mutex_);
  manifest_ = recovered.manifest;
  newest_log_ = recovered.loaded.replay.newest.value_or(LogEnd{});
}

absl::Status ReadOnlyCollection::Refresh() {
  RETURN_IF_ERROR(CheckOpen());
  return ObserveDamage(*state_, MoveForward());
}

absl::Status ReadOnlyCollection::MoveForward() {
  absl::MutexLock lock(&refresh_mutex_);
  RecoverySettings settings = SettingsOf(options_);
  LoadedView loaded;
  pb::Manifest fresh;
  RETURN_IF_ERROR(TryBesideWriter(state_->fs, state_->directory, [&](bool writer_is_live) -> absl::StatusOr<uint64_t> {
    settings.writer_is_live = writer_is_live;
    ASSIGN_OR_RETURN(const LoadedManifest manifest, LoadManifest(state_->fs, state_->directory));
    if (manifest.manifest.collection_uuid() != state_->uuid.ToHex()) {
      return FailedPrecondition(state_->directory + ": is another collection now; open it anew");
    }
    fresh = manifest.manifest;
    ASSIGN_OR_RETURN(loaded, LoadView(*state_, manifest.manifest, settings, state_->views->current()));
    return fresh.generation();
  }));
  if (fresh.generation() < manifest_.generation()) return absl::OkStatus();  // never backwards
  manifest_ = std::move(fresh);
  newest_log_ = loaded.replay.newest.value_or(LogEnd{});
  // A reader that has the old view and the new sequence sees the old state whole; the other way round it would not.
  state_->visible.store(std::max(state_->visible.load(), loaded.visible));
  state_->views->Install(std::move(loaded.view));
  return absl::OkStatus();
}

CollectionStats ReadOnlyCollection::Stats() {
  CollectionStats stats = CollectionImpl::Stats();
  absl::MutexLock lock(&refresh_mutex_);
  stats.generation = manifest_.generation();
  stats.checkpoint_id = manifest_.checkpoint_id();
  stats.durable_sequence = std::max(manifest_.durable_sequence(), manifest_.wal_sequence());
  stats.log_number = newest_log_.number;
  stats.log_bytes = newest_log_.length;
  stats.disk_bytes += stats.log_bytes;
  return stats;
}

absl::Status ReadOnlyCollection::Write(const WriteBatch&, const WriteOptions&) {
  return ReadOnlyError(state_->directory);
}
absl::StatusOr<uint64_t> ReadOnlyCollection::DeleteWhere(const Filter&, const DeleteWhereOptions&) {
  return ReadOnlyError(state_->directory);
}
absl::StatusOr<std::unique_ptr<BulkLoad>> ReadOnlyCollection::NewBulkLoad(const BulkLoadOptions&) {
  return ReadOnlyError(state_->directory);
}
absl::StatusOr<MaintenanceResult> ReadOnlyCollection::Flush() { return ReadOnlyError(state_->directory); }
absl::StatusOr<MaintenanceResult> ReadOnlyCollection::Merge(bool) { return ReadOnlyError(state_->directory); }
absl::StatusOr<MaintenanceResult> ReadOnlyCollection::Checkpoint() { return ReadOnlyError(state_->directory); }
absl::Status ReadOnlyCollection::Sync() { return ReadOnlyError(state_->directory); }
absl::Status ReadOnlyCollection::SetSyncMode(const SyncMode&) { return ReadOnlyError(state_->directory); }

absl::StatusOr<BackupResult> ReadOnlyCollection::Backup(const std::string& destination) {
  RETURN_IF_ERROR(CheckOpen());
  CopyRequest request;
  request.fs = state_->fs;
  request.clock = options_.clock != nullptr ? options_.clock : Clock::Default();
  request.from = state_->directory;
  request.to = destination;
  return CopyCollection(request);
}

absl::Status ReadOnlyCollection::Close() {
  closed_.store(true, std::memory_order_release);
  return absl::OkStatus();
}

}  // namespace varve
