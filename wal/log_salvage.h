// Replay of damaged logs that keeps every complete batch that verifies and reports what it had to leave out. Part of
// log_recovery.h, whose ReplayLogs comes here when the caller asked for salvage.
#ifndef VARVE_WAL_LOG_SALVAGE_H_
#define VARVE_WAL_LOG_SALVAGE_H_

#include "absl/status/statusor.h"
#include "varve/file_system.h"
#include "wal/log_recovery.h"

namespace varve {

// As ReplayLogs, but damage is reported, not returned: behind a record that is invalid or cannot be read it goes on at
// the next valid record header, in a log with a damaged header too. No difference is made between torn and damaged.
// Errors: Unimplemented; what `apply` returns; errors of the file system other than EIO.
absl::StatusOr<ReplayResult> SalvageLogs(FileSystem* fs, const ReplayRequest& request, const ApplyBatch& apply);

}  // namespace varve

#endif  // VARVE_WAL_LOG_SALVAGE_H_
