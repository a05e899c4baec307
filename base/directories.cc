#include "base/directories.h"

#include <utility>
#include <vector>

#include "base/publish.h"
#include "base/seeded_bug.h"
#include "base/status.h"

namespace varve {

namespace {

// Makes what is missing, and the names of that durable.
absl::Status MakeMissing(FileSystem* fs, const std::string& directory) {
  absl::Status made = fs->CreateDirectory(directory);
  const std::string parent = DirectoryOf(directory);
  if (absl::IsNotFound(made) && parent != directory) {
    RETURN_IF_ERROR(MakeMissing(fs, parent));
    made = fs->CreateDirectory(directory);
  }
  if (absl::IsAlreadyExists(made)) return absl::OkStatus();
  RETURN_IF_ERROR(made);
  return fs->SyncDirectory(parent);
}

}  // namespace

absl::Status MakeDirectories(FileSystem* fs, const std::string& directory) {
  RETURN_IF_ERROR(MakeMissing(fs, directory));
  if (VARVE_SEEDED_BUG(kFoundDirectories)) return absl::OkStatus();
  // What was there may have been made by a process that died before its name was durable. Directories that are not
  // ours to read may refuse.
  std::string child = directory;
  for (std::string parent = DirectoryOf(child); parent != child; parent = DirectoryOf(child)) {
    fs->SyncDirectory(parent).IgnoreError();
    child = std::move(parent);
  }
  return absl::OkStatus();
}

absl::Status RemoveTree(FileSystem* fs, const std::string& path) {
  // A file or a link to anything goes at the first try; only a directory refuses.
  const absl::Status removed = fs->RemoveFile(path);
  if (removed.ok() || absl::IsNotFound(removed)) return absl::OkStatus();
  const absl::StatusOr<FileInfo> info = fs->Stat(path);
  if (absl::IsNotFound(info.status())) return absl::OkStatus();
  if (!info.ok() || !info->is_directory) return removed;
  ASSIGN_OR_RETURN(const std::vector<std::string> names, fs->List(path));
  for (const std::string& name : names) RETURN_IF_ERROR(RemoveTree(fs, JoinPath(path, name)));
  const absl::Status gone = fs->RemoveDirectory(path);
  return absl::IsNotFound(gone) ? absl::OkStatus() : gone;
}

std::string WithoutTrailingSlashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace varve
