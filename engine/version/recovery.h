// From a directory to a running state: reads the manifest, opens what it names, replays the log. For writers it then
// seals the log and publishes a fresh generation; for read-only openers it changes nothing.
// The rules are docs/recovery.md.
#ifndef VARVE_ENGINE_VERSION_RECOVERY_H_
#define VARVE_ENGINE_VERSION_RECOVERY_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/version/collection_state.h"
#include "manifest.pb.h"
#include "varve/options.h"
#include "wal/log_recovery.h"

namespace varve {

struct RecoverySettings {
  Options options;
  bool read_only = false;
  bool published_only = false;  // replay no batch behind the manifest's last sequence
  bool writer_is_live = false;
};

// The parts that a manifest names, with the log replayed over them.
struct LoadedView {
  std::unique_ptr<ReadView> view;
  Sequence visible = 0;
  ReplayResult replay;
  std::map<FileId, Sequence> logs;     // the log files there are, and a bound on their last sequences
  int64_t opened_us = 0;               // time to open what the manifest names, microseconds
  int64_t replayed_us = 0;             // time to replay the log, microseconds
  std::vector<FileId> ingested;        // segments that the log names and the manifest does not
  std::vector<SalvagedFile> salvaged;  // of a salvage: every segment, bitmap and log that was read
  bool clean_close = false;            // the last writer closed, and nothing has changed since
};

// `reuse` (may be null) lends the open segments that both have. Reads; changes no file.
absl::StatusOr<LoadedView> LoadView(const CollectionState& state, const pb::Manifest& manifest,
                                    const RecoverySettings& settings, const ReadView* reuse);

// What was found. The view is installed in the state.
struct RecoveredCollection {
  std::unique_ptr<CollectionState> state;
  pb::Manifest manifest;
  LoadedView loaded;       // its view has moved into the state
  bool fell_back = false;  // or salvaged: leftovers go to lost+found/
  uint64_t largest_generation = 0;
};

// Reads; changes no file.
// Errors: NotFound, FailedPrecondition (not a collection), DataLoss, Unimplemented.
absl::StatusOr<RecoveredCollection> RecoverCollection(FileSystem* fs, Clock* clock, const std::string& directory,
                                                      const RecoverySettings& settings);

// For a writer, which holds the lock: makes the folders that are missing, and
absl::Status MakeFolders(const CollectionState& state);
// cuts the newest log behind its last complete batch, writes it again where it may not be on the disk, and syncs it.
absl::Status SealNewestLog(const RecoveredCollection& recovered);

}  // namespace varve

#endif  // VARVE_ENGINE_VERSION_RECOVERY_H_
