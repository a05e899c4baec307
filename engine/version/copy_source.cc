#include "engine/version/copy_source.h"

#include <utility>

#include "base/publish.h"
#include "base/status.h"
#include "engine/version/beside_writer.h"
#include "engine/version/file_names.h"
#include "engine/version/manifest.h"

namespace varve {
namespace {

absl::Status OpenInto(FileSystem* fs, const std::string& directory, const std::string& name,
                      std::vector<OpenFile>* files) {
  ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, fs->OpenForRead(JoinPath(directory, name)));
  files->push_back({name, std::move(file)});
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
  ASSIGN_OR_RETURN(const std::vector<DirectoryEntry> entries, ListCollection(fs, directory));
  for (const DirectoryEntry& entry : entries) {
    if (entry.kind == FileKind::kLog) RETURN_IF_ERROR(OpenInto(fs, directory, entry.name, &source.logs));
  }
  // Logs are removed only behind a newer manifest: if there is none yet, all that this one needs were there.
  if (!pinned && PublishedGeneration(fs, directory) != source.manifest.generation()) {
    return NotFound(directory + ": the manifest has moved on");
  }
  return source;
}

}  // namespace

absl::StatusOr<CopySource> OpenCopySource(FileSystem* fs, const std::string& directory, bool pinned) {
  if (pinned) {
    ASSIGN_OR_RETURN(CopySource source, OpenGeneration(fs, directory, pinned));
    source.writer_is_live = true;
    return source;
  }
  CopySource source;
  RETURN_IF_ERROR(TryBesideWriter(fs, directory, [&](bool writer_is_live) -> absl::StatusOr<uint64_t> {
    ASSIGN_OR_RETURN(source, OpenGeneration(fs, directory, pinned));
    source.writer_is_live = writer_is_live;
    return source.manifest.generation();
  }));
  return source;
}

}  // namespace varve
