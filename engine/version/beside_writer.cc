#include "engine/version/beside_writer.h"

#include "base/publish.h"
#include "base/status.h"
#include "engine/version/file_names.h"
#include "engine/version/manifest.h"

namespace varve {
namespace {

// A writer may replace files while they are opened: the manifest is then read again, so often at most.
constexpr int kMaxTries = 64;

}  // namespace

bool WriterIsLive(FileSystem* fs, const std::string& directory) {
  return fs->IsLocked(JoinPath(directory, kLockName)).value_or(false);
}

uint64_t PublishedGeneration(FileSystem* fs, const std::string& directory) {
  const absl::StatusOr<LoadedManifest> manifest = LoadManifest(fs, directory);
  return manifest.ok() ? manifest->manifest.generation() : 0;
}

absl::Status TryBesideWriter(FileSystem* fs, const std::string& directory,
                             const std::function<absl::StatusOr<uint64_t>(bool writer_is_live)>& attempt) {
  absl::Status status;
  bool moved = false;
  for (int tries = 0; tries < kMaxTries; ++tries) {
    const uint64_t before = PublishedGeneration(fs, directory);
    const bool live = WriterIsLive(fs, directory);
    const absl::StatusOr<uint64_t> opened = attempt(live);
    status = opened.status();
    if (opened.ok()) {
      if (PublishedGeneration(fs, directory) == *opened) return status;
      continue;
    }
    if (!absl::IsNotFound(status) && !absl::IsDataLoss(status)) return status;
    moved = PublishedGeneration(fs, directory) != before;
    if (!moved && !WriterIsLive(fs, directory)) break;
  }
  if (status.ok()) return status;
  if (moved) {
    return Unavailable(directory + ": its writer replaces files faster than they can be opened; open it again later");
  }
  if (absl::IsNotFound(status)) return DataLoss("a file that is needed is missing: " + std::string(status.message()));
  return status;
}

}  // namespace varve
