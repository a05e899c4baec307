// Backups made and brought back without an open collection: what `varve backup` and `varve restore` do.
#ifndef VARVE_ENGINE_ADMIN_BACKUP_H_
#define VARVE_ENGINE_ADMIN_BACKUP_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "varve/collection.h"
#include "varve/file_system.h"

namespace varve {

struct BackupOptions {
  FileSystem* file_system = nullptr;  // null: the operating system's
  Clock* clock = nullptr;
  // Called with the bytes that were copied since the last call. May be empty.
  std::function<void(uint64_t bytes)> progress;
};

// As Collection::Backup, beside the collection's writer in another process, or without one.
absl::StatusOr<BackupResult> BackupCollection(const std::string& directory, const std::string& destination,
                                              const BackupOptions& options);

// Reads and checks every byte of `backup` (any collection that nobody writes to), then copies it, linking nothing, into
// `directory`, which must not exist or be an empty directory. The copy appears when it is whole and durable. It takes
// an identity and a log secret of its own when it is first opened for writing.
// Errors: as BackupCollection; DataLoss if the backup is damaged; FailedPrecondition if it is open for writing.
absl::StatusOr<BackupResult> RestoreCollection(const std::string& backup, const std::string& directory,
                                               const BackupOptions& options);

}  // namespace varve

#endif  // VARVE_ENGINE_ADMIN_BACKUP_H_
