#include "engine/version/collection_lock.h"

#include <unistd.h>

#include "base/publish.h"
#include "base/seeded_bug.h"
#include "base/status.h"
#include "engine/version/file_names.h"

namespace varve {

std::string LockNote(Clock* clock) {
  char host[256] = "";
  (void)::gethostname(host, sizeof(host) - 1);
  return "pid " + std::to_string(::getpid()) + " on " + host + " since " +
         std::to_string(clock->WallMicros() / 1'000'000) + "\n";
}

absl::StatusOr<std::unique_ptr<FileLock>> LockCollection(FileSystem* fs, Clock* clock, const std::string& directory) {
  absl::StatusOr<std::unique_ptr<FileLock>> lock = fs->Lock(JoinPath(directory, kLockName), LockNote(clock));
  if (absl::IsFailedPrecondition(lock.status())) {
    if (VARVE_SEEDED_BUG(kTwoWriters)) return std::make_unique<FileLock>();
    return Annotate(lock.status(), directory + ": another writer has the collection");
  }
  return lock;
}

}  // namespace varve
