#include "engine/admin/verify_collection.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/publish.h"
#include "base/status.h"
#include "engine/admin/verify_logs.h"
#include "engine/admin/verify_segments.h"
#include "engine/version/checkpoint.h"
#include "engine/version/file_names.h"
#include "engine/version/manifest.h"
#include "engine/version/manifest_files.h"
#include "engine/version/schema_codec.h"

namespace varve {
namespace {

class CollectionVerifier {
 public:
  explicit CollectionVerifier(VerifyRun* run) : run_(run) {}

  absl::Status Verify() {
    absl::StatusOr<LoadedManifest> loaded = LoadManifest(run_->fs(), run_->directory());
    if (absl::IsNotFound(loaded.status())) return FailedPrecondition(run_->directory() + ": not a collection");
    if (!loaded.ok()) RETURN_IF_ERROR(run_->AddStatus(kManifestName, loaded.status()));
    if (loaded.ok()) run_->set_generation(loaded->manifest.generation());
    ASSIGN_OR_RETURN(entries_, ListCollection(run_->fs(), run_->directory()));
    RETURN_IF_ERROR(VerifyManifestFiles(loaded.ok()));
    RETURN_IF_ERROR(VerifyCheckpoints());
    if (loaded.ok()) {
      manifest_ = std::move(loaded->manifest);
      if (loaded->source != kManifestName) {
        run_->AddWarning(kManifestName, loaded->fallback_reason + "; " + loaded->source + " stands in for it");
      }
      RETURN_IF_ERROR(VerifyNamed());
    }
    RETURN_IF_ERROR(VerifyUnnamed());
    return ListRoot();
  }

 private:
  // Both copies, each by itself. Without the second the store is whole: a crash in the middle of Create leaves it so.
  absl::Status VerifyManifestFiles(bool usable) {
    std::string first_uuid;
    for (const std::string_view name : {kManifestName, kManifestBackupName}) {
      run_->CountFile(name);
      const absl::StatusOr<pb::Manifest> manifest = ReadManifestFile(run_->fs(), run_->directory(), name);
      const absl::Status& status = manifest.status();
      if (manifest.ok()) {
        if (first_uuid.empty()) first_uuid = manifest->collection_uuid();
        if (manifest->collection_uuid() != first_uuid) {
          run_->AddDamage(name, 0, "collection_uuid", "is not of the collection that manifest.json is of");
        }
      }
      if (absl::IsNotFound(status) && usable) {
        run_->AddWarning(name, "missing");
      } else {
        RETURN_IF_ERROR(run_->AddStatus(name, status));
      }
    }
    return absl::OkStatus();
  }

  absl::Status VerifyCheckpoints() {
    for (const DirectoryEntry& entry : entries_) {
      if (entry.kind != FileKind::kCheckpoint) continue;
      run_->CountFile(entry.name);
      absl::StatusOr<pb::Checkpoint> checkpoint = ReadCheckpoint(run_->fs(), run_->PathOf(entry.name));
      if (run_->live() && absl::IsNotFound(checkpoint.status())) continue;
      if (!checkpoint.ok()) {
        RETURN_IF_ERROR(run_->AddStatus(entry.name, checkpoint.status()));
      } else if (checkpoint->manifest().checkpoint_id() != entry.id) {
        run_->AddDamage(entry.name, 0, "manifest",
                        "holds checkpoint " + std::to_string(checkpoint->manifest().checkpoint_id()));
      } else {
        checkpoints_.emplace(entry.id, std::move(*checkpoint->mutable_manifest()));
      }
    }
    return absl::OkStatus();
  }

  // Everything that the manifest in force names, and the checkpoint that it names. What a live writer may remove is
  // opened first, and read after.
  absl::Status VerifyNamed() {
    VerifySchema();
    ASSIGN_OR_RETURN(std::vector<NamedSegment> segments, OpenNamedSegments(run_, manifest_, {}));
    Name(manifest_);
    for (const auto& [id, embedded] : checkpoints_) {
      if (embedded.collection_uuid() != manifest_.collection_uuid()) {
        run_->AddDamage(CheckpointName(id), 0, "manifest", "the checkpoint of another collection");
      }
    }
    // The files that only the newest checkpoint names are kept too, so that it can stand in for a lost manifest.
    const pb::Manifest* checkpoint = nullptr;
    std::vector<NamedSegment> older;
    if (manifest_.checkpoint_id() != 0) {
      RETURN_IF_ERROR(NameCheckpoints());
      const auto found = checkpoints_.find(manifest_.checkpoint_id());
      if (found != checkpoints_.end()) checkpoint = &found->second;
    }
    if (checkpoint != nullptr) {
      ASSIGN_OR_RETURN(older, OpenNamedSegments(run_, *checkpoint, named_));
      Name(*checkpoint);
    }
    std::vector<pb::SegmentEntry> ingested;
    RETURN_IF_ERROR(VerifyLogs(run_, entries_, manifest_, checkpoint, &named_, &ingested));
    ASSIGN_OR_RETURN(std::vector<NamedSegment> loaded, OpenIngested(ingested));
    VerifySegments(run_, &segments);
    VerifySegments(run_, &loaded);
    VerifySegments(run_, &older);
    VerifyEntries(run_, manifest_, segments);
    return VerifyKeysLiveOnce(run_, segments);
  }

  // The segments of bulk loads that no manifest names yet: replay would open them as the log names them.
  absl::StatusOr<std::vector<NamedSegment>> OpenIngested(const std::vector<pb::SegmentEntry>& entries) {
    pb::Manifest ingested;
    ingested.set_collection_uuid(manifest_.collection_uuid());
    for (const pb::SegmentEntry& entry : entries) *ingested.add_segments() = entry;
    return OpenNamedSegments(run_, ingested, {});
  }

  void VerifySchema() {
    const absl::StatusOr<Schema> schema = DecodeSchema(manifest_.config(), kManifestName);
    if (!schema.ok()) {
      run_->AddDamage(kManifestName, 0, "config", std::string(schema.status().message()));
      return;
    }
    // Both are copies of what the schema says of its first dense field.
    const auto field = std::find_if(schema->fields.begin(), schema->fields.end(),
                                    [](const FieldSpec& spec) { return spec.kind == FieldKind::kDense; });
    if (field == schema->fields.end()) return;
    if (manifest_.dimension() != field->dimension ||
        static_cast<int>(manifest_.index_type()) != static_cast<int>(field->index.type)) {
      run_->AddDamage(kManifestName, 0, "config", "dimension or index_type is not that of the first dense field");
    }
  }

  // The checkpoint of the manifest, which must be there, and the one before it, which is kept while it lasts.
  absl::Status NameCheckpoints() {
    const FileId newest = manifest_.checkpoint_id();
    const std::string name = CheckpointName(newest);
    named_.insert(name);
    FileId before = 0;
    bool found = false;
    for (const DirectoryEntry& entry : entries_) {
      if (entry.kind != FileKind::kCheckpoint) continue;
      if (entry.id < newest) before = std::max(before, entry.id);
      found = found || entry.id == newest;
    }
    if (before != 0) named_.insert(CheckpointName(before));
    return found ? absl::OkStatus() : run_->AddStatus(name, NotFound(name));
  }

  void Name(const pb::Manifest& manifest) {
    for (const pb::SegmentEntry& entry : manifest.segments()) {
      named_.insert(SegmentName(entry.id()));
      if (entry.has_bitmap()) named_.insert(BitmapName(entry.id(), entry.bitmap().file_id()));
    }
  }

  // Files that nothing names: what a crash leaves is no damage, but a published file that does not read is. Beside a
  // live writer they are files in the making, and vanish.
  absl::Status VerifyUnnamed() {
    for (const DirectoryEntry& entry : entries_) {
      if (named_.contains(entry.name) || run_->live()) continue;
      RETURN_IF_ERROR(VerifyUnnamedFile(entry));
      run_->AddWarning(entry.name, WhyUnnamed(entry.kind));
    }
    return absl::OkStatus();
  }

  static std::string_view WhyUnnamed(FileKind kind) {
    switch (kind) {
      case FileKind::kTemporary:
        return "left by a write that was not finished";
      case FileKind::kLog:
        return "no manifest needs it";
      case FileKind::kSegment:
      case FileKind::kBitmap:
      case FileKind::kCheckpoint:
        return "no manifest names it";
      case FileKind::kAttachment:
      case FileKind::kUnknown:
        break;
    }
    return "not a file of a collection";
  }

  absl::Status VerifyUnnamedFile(const DirectoryEntry& entry) {
    switch (entry.kind) {
      case FileKind::kSegment:
        return VerifySegmentFile(run_, entry.name);
      case FileKind::kBitmap: {
        std::optional<RowSet> dead;
        return VerifyBitmapFile(run_, entry.name, nullptr, nullptr, &dead);
      }
      case FileKind::kLog:
        // VerifyLogs has read it, unless there is no manifest to judge it by.
        return manifest_.generation() == 0 ? VerifyLogAlone(run_, entry.name) : absl::OkStatus();
      case FileKind::kCheckpoint:  // read by VerifyCheckpoints
      case FileKind::kAttachment:
      case FileKind::kTemporary:
      case FileKind::kUnknown:
        return absl::OkStatus();
    }
    return absl::OkStatus();
  }

  absl::Status ListRoot() {
    constexpr std::array<std::string_view, 6> kKnown = {kManifestName, kManifestBackupName, kLockName,
                                                        kLogDirectory, kSegmentDirectory,   kCheckpointDirectory};
    ASSIGN_OR_RETURN(std::vector<std::string> names, run_->fs()->List(run_->directory()));
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      if (std::find(kKnown.begin(), kKnown.end(), name) != kKnown.end()) continue;
      if (name.ends_with(kTemporarySuffix)) continue;  // one of entries_
      run_->AddWarning(name, name == kLostAndFoundDirectory ? "holds files that an earlier recovery set aside"
                                                            : "not a file of a collection");
    }
    return absl::OkStatus();
  }

  VerifyRun* const run_;
  std::vector<DirectoryEntry> entries_;
  pb::Manifest manifest_;                       // generation 0: none can be used
  std::map<FileId, pb::Manifest> checkpoints_;  // the readable ones, by number
  std::set<std::string> named_;
};

}  // namespace

absl::Status VerifyCollection(VerifyRun* run) { return CollectionVerifier(run).Verify(); }

}  // namespace varve
