#include "base/publish.h"

#include "base/status.h"

namespace varve {
namespace {

std::string TemporaryName(const std::string& path) { return path + std::string(kTemporarySuffix); }

// Leaves no half-made file behind. Its own failure is not reported: the caller has a better error, and leftovers are
// collected at the next open.
absl::Status Abandon(FileSystem* fs, const std::string& path, absl::Status status) {
  fs->RemoveFile(TemporaryName(path)).IgnoreError();
  return status;
}

absl::Status SyncCloseRename(FileSystem* fs, WritableFile* file, const std::string& path) {
  RETURN_IF_ERROR(file->Sync());
  RETURN_IF_ERROR(file->Close());
  return fs->Rename(TemporaryName(path), path);
}

}  // namespace

absl::Status PublishTemporary(FileSystem* fs, WritableFile* file, const std::string& path) {
  if (absl::Status status = SyncCloseRename(fs, file, path); !status.ok()) return Abandon(fs, path, std::move(status));
  return fs->SyncDirectory(DirectoryOf(path));
}

absl::Status PublishFile(FileSystem* fs, const std::string& path, std::string_view contents, bool sync_directory) {
  ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, fs->CreateFile(TemporaryName(path)));
  if (absl::Status status = file->Append(contents).status; !status.ok()) return Abandon(fs, path, std::move(status));
  if (absl::Status status = SyncCloseRename(fs, file.get(), path); !status.ok()) {
    return Abandon(fs, path, std::move(status));
  }
  return sync_directory ? fs->SyncDirectory(DirectoryOf(path)) : absl::OkStatus();
}

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string JoinPath(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.empty() && path.back() != '/') path += '/';
  return path.append(name);
}

absl::StatusOr<std::string> ReadWholeFile(FileSystem* fs, const std::string& path, uint64_t max_bytes) {
  ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> file, fs->OpenForRead(path));
  ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  if (size > max_bytes) {
    return DataLoss(path + ": file has " + std::to_string(size) + " bytes: expected at most " +
                    std::to_string(max_bytes));
  }
  std::string contents(size, '\0');
  ASSIGN_OR_RETURN(const size_t read, file->Read(0, contents.size(), contents.data()));
  contents.resize(read);  // fewer if the file was cut meanwhile
  return contents;
}

}  // namespace varve
