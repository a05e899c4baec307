#include "engine/version/file_collector.h"

#include <algorithm>
#include <set>
#include <vector>

#include "base/publish.h"
#include "base/seeded_bug.h"
#include "base/status.h"
#include "engine/version/file_names.h"

namespace varve {
namespace {

// Checkpoints first, segments last: what stays behind after a crash in between is never a name without its file.
int RemovalOrder(FileKind kind) {
  switch (kind) {
    case FileKind::kCheckpoint:
      return 0;
    case FileKind::kLog:
      return 1;
    case FileKind::kBitmap:
    case FileKind::kAttachment:
      return 2;
    case FileKind::kSegment:
      return 3;
    case FileKind::kTemporary:
    case FileKind::kUnknown:
      return 4;
  }
  return 4;
}

void Discard(FileSystem* fs, const std::string& directory, const std::string& name, bool keep) {
  const std::string path = JoinPath(directory, name);
  if (!keep) {
    (void)fs->RemoveFile(path);
    return;
  }
  const std::string lost = JoinPath(directory, kLostAndFoundDirectory);
  (void)fs->CreateDirectory(lost);
  (void)fs->Rename(path, JoinPath(lost, name.substr(name.rfind('/') + 1)));
}

}  // namespace

void RemoveGarbage(FileSystem* fs, const std::string& directory, const CollectionGarbage& garbage) {
  absl::StatusOr<std::vector<DirectoryEntry>> entries = ListCollection(fs, directory);
  if (!entries.ok()) return;
  std::set<FileId> named;
  for (const pb::SegmentEntry& segment : garbage.manifest->segments()) {
    named.insert(segment.id());
    if (segment.has_bitmap()) named.insert(segment.bitmap().file_id());
    for (const pb::AttachmentEntry& attachment : segment.attachments()) named.insert(attachment.file_id());
  }
  std::vector<FileId> checkpoints;
  for (const DirectoryEntry& entry : *entries) {
    if (entry.kind == FileKind::kCheckpoint) checkpoints.push_back(entry.id);
  }
  std::sort(checkpoints.rbegin(), checkpoints.rend());
  constexpr size_t kKeptCheckpoints = 2;
  for (size_t i = 0; i < std::min(checkpoints.size(), kKeptCheckpoints); ++i) named.insert(checkpoints[i]);

  std::stable_sort(entries->begin(), entries->end(), [](const DirectoryEntry& a, const DirectoryEntry& b) {
    return RemovalOrder(a.kind) < RemovalOrder(b.kind);
  });
  for (const DirectoryEntry& entry : *entries) {
    if (entry.kind == FileKind::kUnknown || named.contains(entry.id)) continue;
    if (entry.kind == FileKind::kTemporary && VARVE_SEEDED_BUG(kLeftovers)) continue;
    if (garbage.in_use && garbage.in_use(entry.id)) continue;
    if (entry.kind == FileKind::kLog && entry.id >= garbage.first_needed_log) continue;
    // What lies in lost+found is evidence; a half-written file is none.
    Discard(fs, directory, entry.name, garbage.keep_in_lost_and_found && entry.kind != FileKind::kTemporary);
  }
}

absl::Status SyncLostAndFound(FileSystem* fs, const std::string& directory) {
  const std::string lost = JoinPath(directory, kLostAndFoundDirectory);
  const absl::StatusOr<FileInfo> info = fs->Stat(lost);
  if (absl::IsNotFound(info.status())) return absl::OkStatus();
  RETURN_IF_ERROR(info.status());
  return fs->SyncDirectory(lost);
}

}  // namespace varve
