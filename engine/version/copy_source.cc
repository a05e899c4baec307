#include "engine/version/copy_source.h"

#include <set>
#include <utility>

#include "base/publish.h"
#include "base/status.h"
#include "engine/version/beside_writer.h"
#include "engine/version/file_names.h"
#include "engine/version/manifest.h"
#include "wal/log_format.h"

namespace varve {
namespace {

// A writer may replace files while they are opened: the manifest is then read again, so often at most.
constexpr int kMaxCopyTries = 256;

absl::Status OpenInto(FileSystem* fs, const std::string& directory, const std::string& name,
                      std::vector<OpenFile>* files) {
  ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, fs->OpenForRead(JoinPath(directory, name)));
  ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  files->push_back({name, std::move(file), size, /*contents=*/""});
  return absl::OkStatus();
}

absl::Status OpenLogs(FileSystem* fs, const std::string& directory, CopySource* source) {
  ASSIGN_OR_RETURN(const std::vector<DirectoryEntry> entries, ListCollection(fs, directory));
  for (const DirectoryEntry& entry : entries) {
    if (entry.kind != FileKind::kLog) continue;
    RETURN_IF_ERROR(OpenInto(fs, directory, entry.name, &source->logs));
    OpenFile& log = source->logs.back();
    // The first records of a log lie within the length that it is made with.
    if (log.size > kLogInitialBytes) continue;
    log.contents.resize(log.size);
    ASSIGN_OR_RETURN(const size_t read, log.file->Read(0, log.contents.size(), log.contents.data()));
    log.contents.resize(read);
  }
  return absl::OkStatus();
}

// A bulk load publishes its segment before it logs it: looked for after the logs were opened, it is there.
absl::Status OpenUnnamed(FileSystem* fs, const std::string& directory, CopySource* source) {
  std::set<std::string> named;
  for (const OpenFile& file : source->files) named.insert(file.name);
  ASSIGN_OR_RETURN(const std::vector<DirectoryEntry> entries, ListCollection(fs, directory));
  for (const DirectoryEntry& entry : entries) {
    if (entry.kind != FileKind::kSegment || named.contains(entry.name)) continue;
    // One that is gone again was the output of a merge that failed, or garbage.
    const absl::Status opened = OpenInto(fs, directory, entry.name, &source->unnamed);
    if (!opened.ok() && !absl::IsNotFound(opened)) return opened;
  }
  return absl::OkStatus();
}

absl::StatusOr<CopySource> OpenGeneration(FileSystem* fs, const std::string& directory, bool pinned) {
  CopySource source;
  ASSIGN_OR_RETURN(LoadedManifest loaded, LoadManifest(fs, directory));
  source.manifest = std::move(loaded.manifest);
  source.largest_generation = loaded.largest_generation;
  if (!source.manifest.features_to_write().empty()) {
    return Unimplemented(directory + ": was written with feature " + Quoted(source.manifest.features_to_write(0)) +
                         ", which this version cannot copy");
  }
  for (const pb::SegmentEntry& entry : source.manifest.segments()) {
    RETURN_IF_ERROR(OpenInto(fs, directory, SegmentName(entry.id()), &source.files));
    if (!entry.has_bitmap()) continue;
    RETURN_IF_ERROR(OpenInto(fs, directory, BitmapName(entry.id(), entry.bitmap().file_id()), &source.files));
  }
  RETURN_IF_ERROR(OpenLogs(fs, directory, &source));
  RETURN_IF_ERROR(OpenUnnamed(fs, directory, &source));
  if (pinned || loaded.source != kManifestName) return source;
  // Logs are removed only behind a newer manifest: if there is none yet, all that this one needs were there.
  ASSIGN_OR_RETURN(const pb::Manifest now, ReadManifestFile(fs, directory, kManifestName));
  if (now.generation() != source.manifest.generation()) return Aborted(directory + ": the manifest has moved on");
  return source;
}

}  // namespace

absl::StatusOr<CopySource> OpenCopySource(FileSystem* fs, const std::string& directory, bool pinned) {
  if (pinned) {
    ASSIGN_OR_RETURN(CopySource source, OpenGeneration(fs, directory, pinned));
    source.writer_is_live = true;
    return source;
  }
  absl::Status status;
  for (int tries = 0; tries < kMaxCopyTries; ++tries) {
    const uint64_t before = PublishedGeneration(fs, directory);
    const bool live = WriterIsLive(fs, directory);
    absl::StatusOr<CopySource> source = OpenGeneration(fs, directory, pinned);
    if (source.ok()) {
      source->writer_is_live = live;
      return source;
    }
    status = source.status();
    if (absl::IsAborted(status)) continue;
    if (!absl::IsNotFound(status) && !absl::IsDataLoss(status)) return status;
    // Without a writer that may have done it, it is damage.
    if (PublishedGeneration(fs, directory) == before && !live && !WriterIsLive(fs, directory)) {
      return DataLoss("a file that is needed is missing or damaged: " + std::string(status.message()));
    }
  }
  if (!absl::IsDataLoss(status)) {
    return Unavailable(directory + ": its writer replaces files faster than they can be opened; try again later");
  }
  return status;
}

}  // namespace varve
