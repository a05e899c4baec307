// Which logs a replay needs. Format: docs/file_format.md, "Which logs are needed".
//
// Each log's header names its predecessor, and states where that one ends. The chain is followed from the newest log
// backwards to the first one whose predecessor's records all lie in segments. Stateless; thread-safe.
#ifndef VARVE_WAL_LOG_CHAIN_H_
#define VARVE_WAL_LOG_CHAIN_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/file_system.h"
#include "wal/log_reader.h"
#include "wal/log_recovery.h"

namespace varve {

struct ChainedLog {
  LogFile file;
  LogHeader header;
};

// The needed logs, the newest last; none if everything that the manifest vouches for lies in segments and it vouches
// for a log newer than any that is there. Errors: NotFound if a file is gone; DataLoss that names the missing log or
// the damaged file; Unimplemented.
absl::StatusOr<std::vector<ChainedLog>> FindNeededLogs(FileSystem* fs, const ReplayRequest& request);

// Opens a log and makes sure that it is the one that it should be: of this number, collection and secret.
// Errors: NotFound; DataLoss; Unimplemented.
absl::StatusOr<std::unique_ptr<LogReader>> OpenLog(FileSystem* fs, const LogFile& file, const ReplayRequest& request);

// request.logs by number, the newest first.
std::vector<LogFile> NewestFirst(const ReplayRequest& request);

}  // namespace varve

#endif  // VARVE_WAL_LOG_CHAIN_H_
