// LoadManifest: the manifest, or the file that stands in for it. Format: docs/file_format.md, "Manifest", "Fallback".
#include <algorithm>
#include <utility>

#include "base/publish.h"
#include "base/status.h"
#include "engine/version/checkpoint.h"
#include "engine/version/file_names.h"
#include "engine/version/manifest.h"
#include "engine/version/manifest_files.h"

namespace varve {
namespace {

struct Candidate {
  std::string name;
  pb::Manifest manifest;
};

// Damaged means a failed check or EIO, missing means ENOENT: all that a stand-in may be looked for.
bool IsMissingOrDamaged(const absl::Status& status) { return absl::IsNotFound(status) || absl::IsDataLoss(status); }

// The readable stand-ins for manifest.json, the highest generation first, and why the others are none.
struct StandIns {
  std::vector<Candidate> candidates;
  std::vector<std::string> refused;  // one line each
  absl::Status newer_version;        // the first that is of a later build, else OK
};

absl::Status AddStandIn(absl::StatusOr<pb::Manifest> manifest, const std::string& name, StandIns* stand_ins) {
  if (manifest.ok()) {
    stand_ins->candidates.push_back({name, *std::move(manifest)});
  } else if (absl::IsUnimplemented(manifest.status())) {
    if (stand_ins->newer_version.ok()) stand_ins->newer_version = manifest.status();
  } else if (IsMissingOrDamaged(manifest.status())) {
    stand_ins->refused.push_back(name + ": " + std::string(manifest.status().message()));
  } else {
    return manifest.status();
  }
  return absl::OkStatus();
}

absl::StatusOr<pb::Manifest> ReadEmbedded(FileSystem* fs, const std::string& directory, const DirectoryEntry& entry) {
  ASSIGN_OR_RETURN(pb::Checkpoint checkpoint, ReadCheckpoint(fs, JoinPath(directory, entry.name)));
  if (checkpoint.manifest().checkpoint_id() != entry.id) {
    return DataLoss(entry.name + ": holds checkpoint " + std::to_string(checkpoint.manifest().checkpoint_id()));
  }
  return std::move(*checkpoint.mutable_manifest());
}

absl::StatusOr<StandIns> ReadStandIns(FileSystem* fs, const std::string& directory,
                                      const std::vector<DirectoryEntry>& entries) {
  StandIns stand_ins;
  RETURN_IF_ERROR(
      AddStandIn(ReadManifestFile(fs, directory, kManifestBackupName), std::string(kManifestBackupName), &stand_ins));
  for (const DirectoryEntry& entry : entries) {
    if (entry.kind != FileKind::kCheckpoint) continue;
    RETURN_IF_ERROR(AddStandIn(ReadEmbedded(fs, directory, entry), entry.name, &stand_ins));
  }
  // Stable: of equal generations manifest.json.1 goes first.
  std::stable_sort(
      stand_ins.candidates.begin(), stand_ins.candidates.end(),
      [](const Candidate& a, const Candidate& b) { return a.manifest.generation() > b.manifest.generation(); });
  return stand_ins;
}

// What a witness must have to count beside the manifest that is used.
enum class WitnessRule : uint8_t {
  // manifest.json is used: publications behind it may have failed on the way, so only what they say of the log counts.
  kLogSynced,
  // An older candidate stands in: the newer one was in force, and what it held must not be missing.
  kEverything,
};

// Adds to the manifest what candidates of later generations of the same collection witness: how far the store was
// durable, how far the counters had gone, how the log was closed (a log once closed is never changed again). Without it
// an older candidate whose logs have been collected would pass for a complete, shorter store.
void AddWitnesses(const std::vector<Candidate>& candidates, WitnessRule rule, pb::Manifest* manifest) {
  const uint64_t generation = manifest->generation();
  uint64_t closed_generation = generation;
  for (const Candidate& candidate : candidates) {
    const pb::Manifest& witness = candidate.manifest;
    if (witness.generation() <= generation || witness.collection_uuid() != manifest->collection_uuid() ||
        witness.log_secret() != manifest->log_secret()) {
      continue;
    }
    if (witness.has_closed_log() && witness.generation() > closed_generation) {
      closed_generation = witness.generation();
      *manifest->mutable_closed_log() = witness.closed_log();
    }
    // A publication whose wal_sequence has passed what is visible need not have synced the log.
    const bool log_synced = witness.durable_log() != 0 && witness.durable_sequence() > witness.wal_sequence();
    if (witness.durable_sequence() > manifest->durable_sequence() && (log_synced || rule == WitnessRule::kEverything)) {
      manifest->set_durable_sequence(witness.durable_sequence());
      manifest->set_durable_log(witness.durable_log());
      manifest->set_durable_offset(witness.durable_offset());
    }
    if (witness.wal_sequence() > manifest->durable_sequence() && rule == WitnessRule::kEverything) {
      manifest->set_durable_sequence(witness.wal_sequence());
      manifest->set_durable_log(0);
      manifest->set_durable_offset(0);
    }
    manifest->set_last_sequence(std::max(manifest->last_sequence(), witness.last_sequence()));
    manifest->set_next_file_id(std::max(manifest->next_file_id(), witness.next_file_id()));
    manifest->set_clock_reading(std::max(manifest->clock_reading(), witness.clock_reading()));
  }
}

// Whether everything that belongs to the manifest is there. Whether a writer is alive makes no difference here: what it
// is appending claims no durability beyond itself.
absl::Status CheckComplete(FileSystem* fs, const std::string& directory, const std::vector<DirectoryEntry>& entries,
                           const pb::Manifest& manifest) {
  RETURN_IF_ERROR(CheckNamedFiles(fs, directory, manifest));
  ASSIGN_OR_RETURN(const ReplayRequest request, MakeReplayRequest(directory, entries, manifest));
  return ReplayLogs(fs, request, [](absl::Span<const LogRecord>) { return absl::OkStatus(); }).status();
}

// Whether the directory holds, or once held, a collection: its subdirectories have files that only one makes.
bool HasRemains(const std::vector<DirectoryEntry>& entries) {
  return std::any_of(entries.begin(), entries.end(), [](const DirectoryEntry& entry) {
    return entry.kind != FileKind::kUnknown && entry.name.find('/') != std::string::npos;
  });
}

absl::StatusOr<LoadedManifest> FallBack(FileSystem* fs, const std::string& directory, ManifestChoice choice,
                                        const std::vector<DirectoryEntry>& entries, StandIns stand_ins,
                                        const absl::Status& reason) {
  RETURN_IF_ERROR(stand_ins.newer_version);
  const auto take = [&](const Candidate& candidate, pb::Manifest manifest) {
    LoadedManifest loaded;
    loaded.manifest = std::move(manifest);
    loaded.source = candidate.name;
    loaded.fallback_reason = std::string(reason.message());
    loaded.largest_generation = stand_ins.candidates.front().manifest.generation();
    return loaded;
  };
  for (const Candidate& candidate : stand_ins.candidates) {
    pb::Manifest manifest = candidate.manifest;
    AddWitnesses(stand_ins.candidates, WitnessRule::kEverything, &manifest);
    const absl::Status complete = CheckComplete(fs, directory, entries, manifest);
    if (complete.ok()) return take(candidate, std::move(manifest));
    if (!IsMissingOrDamaged(complete)) return complete;
    stand_ins.refused.push_back(candidate.name + ": " + std::string(complete.message()));
  }
  if (choice == ManifestChoice::kSalvage && !stand_ins.candidates.empty()) {
    return take(stand_ins.candidates.front(), stand_ins.candidates.front().manifest);
  }
  std::string message = directory + ": no manifest can be used: " + std::string(reason.message());
  for (const std::string& refused : stand_ins.refused) message += "; " + refused;
  return DataLoss(message);
}

}  // namespace

absl::StatusOr<LoadedManifest> LoadManifest(FileSystem* fs, const std::string& directory, ManifestChoice choice) {
  absl::StatusOr<pb::Manifest> manifest = ReadManifestFile(fs, directory, kManifestName);
  if (!manifest.ok() && !IsMissingOrDamaged(manifest.status())) return manifest.status();
  ASSIGN_OR_RETURN(const std::vector<DirectoryEntry> entries, ListCollection(fs, directory));
  ASSIGN_OR_RETURN(StandIns stand_ins, ReadStandIns(fs, directory, entries));

  if (manifest.ok()) {
    LoadedManifest loaded;
    loaded.source = std::string(kManifestName);
    loaded.largest_generation = manifest->generation();
    for (const Candidate& candidate : stand_ins.candidates) {
      loaded.largest_generation = std::max(loaded.largest_generation, candidate.manifest.generation());
    }
    loaded.manifest = *std::move(manifest);
    AddWitnesses(stand_ins.candidates, WitnessRule::kLogSynced, &loaded.manifest);
    return loaded;
  }
  const absl::StatusOr<FileInfo> backup = fs->Stat(JoinPath(directory, kManifestBackupName));
  if (!backup.ok() && !absl::IsNotFound(backup.status())) return backup.status();
  if (absl::IsNotFound(manifest.status()) && !backup.ok() && !HasRemains(entries)) {
    return NotFound(directory + ": no collection");
  }
  return FallBack(fs, directory, choice, entries, std::move(stand_ins), manifest.status());
}

absl::Status CheckIsCollection(FileSystem* fs, const std::string& directory) {
  const absl::StatusOr<FileInfo> info = fs->Stat(directory);
  if (absl::IsNotFound(info.status())) return NotFound(directory + ": there is no such directory");
  RETURN_IF_ERROR(info.status());
  if (!info->is_directory) return FailedPrecondition(directory + ": is not a directory, expected a collection");
  for (std::string_view manifest : {kManifestName, kManifestBackupName}) {
    if (fs->Stat(JoinPath(directory, manifest)).ok()) return absl::OkStatus();
  }
  // Without a manifest, other files of a collection are the remains of a damaged one, for LoadManifest to judge.
  ASSIGN_OR_RETURN(const std::vector<DirectoryEntry> files, ListCollection(fs, directory));
  for (const DirectoryEntry& file : files) {
    if (file.kind != FileKind::kUnknown && file.kind != FileKind::kTemporary) return absl::OkStatus();
  }
  return FailedPrecondition(directory + ": is not a collection (it has no " + std::string(kManifestName) + ")");
}

}  // namespace varve
