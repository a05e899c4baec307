#include "engine/admin/backup.h"

#include "base/status.h"
#include "engine/admin/verify.h"
#include "engine/version/beside_writer.h"
#include "engine/version/collection_copy.h"
#include "varve/clock.h"

namespace varve {
namespace {

CopyRequest MakeRequest(const std::string& from, const std::string& to, const BackupOptions& options) {
  CopyRequest request;
  request.fs = options.file_system != nullptr ? options.file_system : FileSystem::Default();
  request.clock = options.clock != nullptr ? options.clock : Clock::Default();
  request.from = from;
  request.to = to;
  request.progress = options.progress;
  return request;
}

absl::Status CheckUndamaged(FileSystem* fs, const std::string& backup) {
  VerifyOptions options;
  options.file_system = fs;
  ASSIGN_OR_RETURN(const VerifyReport report, VerifyPath(backup, options));
  if (report.ok) return absl::OkStatus();
  const std::string count = std::to_string(report.damage.size());
  if (report.damage.empty()) return DataLoss(backup + ": is damaged, nothing was restored");
  const VerifyDamage& first = report.damage.front();
  return DataLoss(backup + ": is damaged, nothing was restored: " + count + " damages, the first: " + first.file +
                  ": at offset " + std::to_string(first.offset) + ": " + first.what);
}

}  // namespace

absl::StatusOr<BackupResult> BackupCollection(const std::string& directory, const std::string& destination,
                                              const BackupOptions& options) {
  return CopyCollection(MakeRequest(directory, destination, options));
}

absl::StatusOr<BackupResult> RestoreCollection(const std::string& backup, const std::string& directory,
                                               const BackupOptions& options) {
  CopyRequest request = MakeRequest(backup, directory, options);
  request.link = false;
  // What is verified must be what is copied.
  if (WriterIsLive(request.fs, backup)) {
    return FailedPrecondition(backup + ": is open for writing: restore from a backup that nobody writes to");
  }
  RETURN_IF_ERROR(CheckUndamaged(request.fs, backup));
  return CopyCollection(request);
}

}  // namespace varve
