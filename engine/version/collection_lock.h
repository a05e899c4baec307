// The lock of the one writer of a directory.
#ifndef VARVE_ENGINE_VERSION_COLLECTION_LOCK_H_
#define VARVE_ENGINE_VERSION_COLLECTION_LOCK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "varve/clock.h"
#include "varve/file_system.h"

namespace varve {

// What a lock file says of its holder, for people.
std::string LockNote(Clock* clock);

// Errors: FailedPrecondition with the holder's note if another writer has the collection.
absl::StatusOr<std::unique_ptr<FileLock>> LockCollection(FileSystem* fs, Clock* clock, const std::string& directory);

}  // namespace varve

#endif  // VARVE_ENGINE_VERSION_COLLECTION_LOCK_H_
