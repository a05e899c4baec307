#include "engine/version/recovery.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/publish.h"
#include "base/seeded_bug.h"
#include "base/status.h"
#include "engine/version/file_names.h"
#include "engine/version/log_replayer.h"
#include "engine/version/manifest.h"
#include "engine/version/part_opener.h"
#include "engine/version/schema_codec.h"
#include "engine/version/segment_salvage.h"

namespace varve {
namespace {

// A named file that is not there is damage; a read-only opener tells it from the writer's progress by reading the
// manifest again, so the code stays NotFound for it.
absl::Status MissingFile(const absl::Status& status, bool read_only) {
  if (!absl::IsNotFound(status) || read_only) return status;
  return DataLoss("a file that the manifest names is missing: " + std::string(status.message()));
}

ReplayRequest MakeReplayRequest(const pb::Manifest& manifest, const CollectionState& state, bool writer_is_live,
                                const std::vector<DirectoryEntry>& files) {
  ReplayRequest request;
  for (const DirectoryEntry& file : files) {
    if (file.kind == FileKind::kLog) request.logs.push_back({file.id, JoinPath(state.directory, file.name)});
  }
  request.collection = state.uuid;
  request.secret = state.secret;
  request.wal_sequence = manifest.wal_sequence();
  request.durable_sequence = manifest.durable_sequence();
  request.durable_log = manifest.durable_log();
  request.durable_offset = manifest.durable_offset();
  if (manifest.has_closed_log() && manifest.closed_log().number() != 0) {
    request.closed = LogEnd{manifest.closed_log().number(), manifest.closed_log().length(), Crc32c{},
                            manifest.closed_log().last_sequence()};
  }
  request.writer_is_live = writer_is_live;
  request.salvage = state.options.recovery == RecoveryMode::kSalvage;
  return request;
}

absl::StatusOr<std::unique_ptr<CollectionState>> MakeState(FileSystem* fs, Clock* clock, const std::string& directory,
                                                           const Options& options, const pb::Manifest& manifest) {
  ASSIGN_OR_RETURN(const std::vector<DirectoryEntry> files, ListCollection(fs, directory));
  ASSIGN_OR_RETURN(Schema schema, DecodeSchema(manifest.config(), kManifestName));
  FileId next = manifest.next_file_id();
  for (const DirectoryEntry& file : files) {
    if (!VARVE_SEEDED_BUG(kReusedFileId)) next = std::max(next, file.id + 1);
  }
  auto state = std::make_unique<CollectionState>(fs, directory, options, std::move(schema), clock,
                                                 manifest.clock_reading(), next);
  ASSIGN_OR_RETURN(state->uuid, Uuid::FromHex(manifest.collection_uuid()));
  ASSIGN_OR_RETURN(state->secret, Uuid::FromHex(manifest.log_secret()));
  return state;
}

// Replays into the view and notes what was found.
absl::Status Replay(const CollectionState& state, const pb::Manifest& manifest, const RecoverySettings& settings,
                    SegmentSalvage* salvage, LoadedView* loaded) {
  // Listed after the manifest was read: a log that the manifest needs is there, or the manifest has moved on.
  ASSIGN_OR_RETURN(const std::vector<DirectoryEntry> files, ListCollection(state.fs, state.directory));
  ReplayRequest request = MakeReplayRequest(manifest, state, settings.writer_is_live, files);
  // Bitmaps and merges hold the deaths up to that sequence: what took the place of the dead is in the log alone, which
  // was made durable as far before the manifest was published.
  if (settings.published_only) request.up_to = manifest.last_sequence();
  LogReplayer replayer(state, loaded->view.get(), salvage);
  ASSIGN_OR_RETURN(loaded->replay, ReplayLogs(state.fs, request, [&](absl::Span<const LogRecord> batch) {
                     return MissingFile(replayer.Apply(batch), settings.read_only);
                   }));
  for (const LogFile& log : request.logs) {
    const auto end = loaded->replay.log_ends.find(log.number);
    loaded->logs[log.number] = end != loaded->replay.log_ends.end() ? end->second : loaded->replay.last_sequence;
  }
  loaded->clean_close =
      manifest.has_closed_log() && (loaded->replay.ended_cleanly || !loaded->replay.newest.has_value());
  loaded->visible = std::max(loaded->visible, loaded->replay.last_sequence);
  loaded->ingested = replayer.ingested();
  return absl::OkStatus();
}

// Adds to the account of the logs, which the replay has made, that of the segments.
void AddAccount(const SegmentSalvage& salvage, LoadedView* loaded) {
  loaded->salvaged = salvage.account();
  for (const SalvagedLog& log : loaded->replay.salvaged) {
    SalvagedFile file;
    file.file = LogName(log.number);
    file.rows_kept = log.records;
    file.batches_kept = log.batches;
    file.bytes = log.bytes;
    file.bytes_dropped = log.dropped_bytes;
    file.first_dropped = log.first_dropped;
    file.last_dropped = log.last_dropped;
    file.why = log.why;
    loaded->salvaged.push_back(std::move(file));
  }
  std::vector<std::string>& report = loaded->replay.salvage_report;
  report.insert(report.end(), salvage.report().begin(), salvage.report().end());
}

std::shared_ptr<const SegmentHandle> FindOpen(const ReadView* reuse, const pb::SegmentEntry& entry) {
  if (reuse == nullptr) return nullptr;
  for (const SegmentPart& part : reuse->segments) {
    if (part.entry.id() == entry.id() && part.entry.footer_crc() == entry.footer_crc()) return part.handle;
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<LoadedView> LoadView(const CollectionState& state, const pb::Manifest& manifest,
                                    const RecoverySettings& settings, const ReadView* reuse) {
  LoadedView loaded;
  const int64_t start = state.clock.MonotonicMicros();
  loaded.view = std::make_unique<ReadView>();
  loaded.view->memtables.push_back(state.NewMemtable());
  std::optional<SegmentSalvage> salvage;
  if (settings.options.recovery == RecoveryMode::kSalvage) {
    salvage.emplace(state, loaded.view.get());
    RETURN_IF_ERROR(salvage->AddNamed(manifest));
  }
  for (const pb::SegmentEntry& entry : manifest.segments()) {
    if (salvage.has_value()) break;
    absl::StatusOr<SegmentPart> part = OpenPart(state, entry, FindOpen(reuse, entry));
    if (!part.ok()) return MissingFile(part.status(), settings.read_only);
    loaded.view->segments.push_back(*std::move(part));
  }
  loaded.visible = manifest.last_sequence();
  loaded.opened_us = state.clock.MonotonicMicros() - start;
  RETURN_IF_ERROR(Replay(state, manifest, settings, salvage.has_value() ? &*salvage : nullptr, &loaded));
  if (salvage.has_value()) AddAccount(*salvage, &loaded);
  loaded.replayed_us = state.clock.MonotonicMicros() - start - loaded.opened_us;
  return loaded;
}

absl::StatusOr<RecoveredCollection> RecoverCollection(FileSystem* fs, Clock* clock, const std::string& directory,
                                                      const RecoverySettings& settings) {
  const int64_t start = clock->MonotonicMicros();
  const ManifestChoice choice =
      settings.options.recovery == RecoveryMode::kSalvage ? ManifestChoice::kSalvage : ManifestChoice::kComplete;
  ASSIGN_OR_RETURN(LoadedManifest manifest, LoadManifest(fs, directory, choice));
  const int64_t manifest_us = clock->MonotonicMicros() - start;
  RecoveredCollection recovered;
  recovered.manifest = std::move(manifest.manifest);
  recovered.largest_generation = manifest.largest_generation;
  recovered.fell_back = !manifest.fallback_reason.empty() || settings.options.recovery == RecoveryMode::kSalvage;
  ASSIGN_OR_RETURN(recovered.state, MakeState(fs, clock, directory, settings.options, recovered.manifest));
  CollectionState& state = *recovered.state;
  ASSIGN_OR_RETURN(recovered.loaded, LoadView(state, recovered.manifest, settings, nullptr));
  state.visible.store(recovered.loaded.visible);
  state.views = std::make_unique<ViewRegistry>(std::move(recovered.loaded.view));
  RecoveryInfo& info = state.recovery;
  if (!manifest.fallback_reason.empty()) {
    info.fallback = manifest.source;
    info.fallback_reason = manifest.fallback_reason;
  }
  info.logs = recovered.loaded.replay.logs_read;
  info.records = recovered.loaded.replay.records;
  info.dropped_bytes = recovered.loaded.replay.dropped_bytes;
  info.dropped_reason = recovered.loaded.replay.dropped_reason;
  info.salvage_report = recovered.loaded.replay.salvage_report;
  info.salvaged = std::move(recovered.loaded.salvaged);
  info.microseconds = clock->MonotonicMicros() - start;
  state.metrics->CountOpening(OpenPhase::kManifest, manifest_us);
  state.metrics->CountOpening(OpenPhase::kSegments, recovered.loaded.opened_us);
  state.metrics->CountOpening(OpenPhase::kLog, recovered.loaded.replayed_us);
  return recovered;
}

absl::Status MakeFolders(const CollectionState& state) {
  for (std::string_view folder : {kLogDirectory, kSegmentDirectory, kCheckpointDirectory}) {
    const absl::Status made = state.fs->CreateDirectory(JoinPath(state.directory, folder));
    if (absl::IsAlreadyExists(made)) continue;
    RETURN_IF_ERROR(made);
  }
  if (VARVE_SEEDED_BUG(kFoundNames)) return absl::OkStatus();
  // What was found may have been named by a process that died before the name was durable. Recovery builds on the
  // manifest and on the logs; of all other files only the manifest's names count, which were durable before it was.
  RETURN_IF_ERROR(state.fs->SyncDirectory(JoinPath(state.directory, kLogDirectory)));
  return state.fs->SyncDirectory(state.directory);
}

absl::Status SealNewestLog(const RecoveredCollection& recovered) {
  const CollectionState& state = *recovered.state;
  const LoadedView& loaded = recovered.loaded;
  if (!loaded.replay.newest.has_value() || loaded.clean_close) return absl::OkStatus();
  const std::string path = JoinPath(state.directory, LogName(loaded.replay.newest->number));
  const absl::Status sealed = SealRecoveredLog(state.fs, path, loaded.replay, state.options.wal_pad_to);
  return VARVE_SEEDED_BUG(kSealErrorIgnored) ? absl::OkStatus() : sealed;
}

}  // namespace varve
