#include "engine/admin/verify.h"

#include <memory>
#include <optional>
#include <utility>

#include "base/publish.h"
#include "base/status.h"
#include "engine/admin/file_type.h"
#include "engine/admin/verify_collection.h"
#include "engine/admin/verify_logs.h"
#include "engine/admin/verify_run.h"
#include "engine/admin/verify_segments.h"
#include "engine/version/checkpoint.h"
#include "engine/version/file_names.h"
#include "engine/version/manifest.h"

namespace varve {
namespace {

// A live writer may remove files of the generation that is being read: the pass then begins again, so often at most.
constexpr int kMaxAttempts = 64;

bool IsWriterAlive(FileSystem* fs, const std::string& directory) {
  const absl::StatusOr<bool> locked = fs->IsLocked(JoinPath(directory, kLockName));
  return locked.ok() && *locked;
}

absl::StatusOr<VerifyReport> VerifyDirectory(FileSystem* fs, const std::string& directory, bool deep) {
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    const bool live = IsWriterAlive(fs, directory);
    VerifyRun run(fs, directory, deep, live);
    const absl::Status status = VerifyCollection(&run);
    if (absl::IsAborted(status)) continue;
    // What was found while a writer came up says nothing.
    const bool found = !status.ok() || run.damage_count() != 0;
    if (found && !live && IsWriterAlive(fs, directory)) continue;
    RETURN_IF_ERROR(status);
    return run.Take();
  }
  // Nothing was proven, so nothing is called damaged.
  return Unavailable(directory + ": its writer replaces files faster than they can be opened; verify it again later");
}

absl::StatusOr<VerifyReport> VerifyFile(FileSystem* fs, const std::string& path, bool deep) {
  VerifyRun run(fs, "", deep, /*live=*/false);
  ASSIGN_OR_RETURN(const StoredFileType type, TellFileType(fs, path));
  absl::Status status;
  switch (type) {
    case StoredFileType::kSegment:
      status = VerifySegmentFile(&run, path);
      break;
    case StoredFileType::kBitmap: {
      std::optional<RowSet> dead;
      status = VerifyBitmapFile(&run, path, nullptr, nullptr, &dead);
      break;
    }
    case StoredFileType::kLog:
      status = VerifyLogAlone(&run, path);
      break;
    case StoredFileType::kCheckpoint:
      run.CountFile(path);
      status = run.AddStatus(path, ReadCheckpoint(fs, path).status());
      break;
    case StoredFileType::kManifest:
      run.CountFile(path);
      status = run.AddStatus(path, ReadManifestFile(fs, "", path).status());
      break;
  }
  RETURN_IF_ERROR(status);
  return run.Take();
}

}  // namespace

absl::StatusOr<VerifyReport> VerifyPath(const std::string& path, const VerifyOptions& options) {
  FileSystem* fs = options.file_system != nullptr ? options.file_system : FileSystem::Default();
  ASSIGN_OR_RETURN(const FileInfo info, fs->Stat(path));
  return info.is_directory ? VerifyDirectory(fs, path, options.deep) : VerifyFile(fs, path, options.deep);
}

}  // namespace varve
