// Replay of the logs of a collection: which logs are needed, in which order, where the last one ends, and whether an
// invalid record is the torn tail of an unsynced write or damage to acknowledged data. The policy is
// docs/file_format.md, "Torn or damaged?"; this is its one implementation, used by Open, read-only openers, verify and
// backup.
#ifndef VARVE_WAL_LOG_RECOVERY_H_
#define VARVE_WAL_LOG_RECOVERY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/file_system.h"
#include "wal/log_format.h"
#include "wal/log_reader.h"

namespace varve {

// A log file found in the directory.
struct LogFile {
  uint64_t number = 0;
  std::string path;
};

struct ReplayRequest {
  std::vector<LogFile> logs;  // in any order
  Uuid collection;
  Uuid secret;
  Sequence wal_sequence = 0;  // replay starts behind it
  // Witnesses from the manifest: everything up to durable_sequence was durable; it ends at durable_offset of
  // durable_log (0: of no log). durable_sequence is that of something logged, never a number that a recovery left out.
  Sequence durable_sequence = 0;
  uint64_t durable_log = 0;
  uint64_t durable_offset = 0;
  // The manifest's closed_log: the newest log of that number must match it to the byte.
  std::optional<LogEnd> closed;  // number, length, last_sequence (final_crc is not compared)
  // A writer is alive: the first invalid record of the newest log is simply the end.
  bool writer_is_live = false;
  bool salvage = false;
  // Batches behind it are left alone, and so is what stands in the logs behind them: whoever asks for less than all
  // does not judge the rest.
  Sequence up_to = kMaxSequence;
};

// What a salvage kept and dropped of one log.
struct SalvagedLog {
  uint64_t number = 0;
  uint64_t bytes = 0;
  uint64_t batches = 0;  // complete ones with something behind wal_sequence
  uint64_t records = 0;  // of them, those behind it
  uint64_t dropped_bytes = 0;
  Sequence first_dropped = 0;  // 0: nothing behind wal_sequence is missing, or it is unknown
  Sequence last_dropped = 0;
  std::string why;  // the first thing wrong; empty: nothing
};

struct ReplayResult {
  uint64_t logs_read = 0;
  uint64_t records = 0;  // replayed (behind wal_sequence, in complete batches)
  uint64_t dropped_bytes = 0;
  std::string dropped_reason;               // why the tail was dropped; empty if nothing was
  std::vector<std::string> salvage_report;  // one line for each thing left out or not there; empty: nothing is wrong
  std::vector<SalvagedLog> salvaged;        // of a salvage: every log read
  Sequence last_sequence = 0;               // of the last accepted record, or wal_sequence
  Sequence largest_sequence = 0;            // seen in any valid record or header, dropped ones included
  std::map<uint64_t, Sequence> log_ends;    // the last sequence of each log that was read to its end
  uint64_t first_needed_log = 0;            // older ones are garbage; 0: none is needed
  // The newest log and where its last complete batch ends. Empty if there is no log, or none that matters: all that the
  // manifest vouches for lies in segments, and it knows of a log newer than any that is there.
  std::optional<LogEnd> newest;
  uint64_t newest_vouched_offset =
      0;                       // bytes of the newest log known durable from inside it (its last record's synced_up_to)
  bool ended_cleanly = false;  // `closed` was given and matched
};

// Calls `apply` with the records of each complete batch behind wal_sequence, in order; stops at its first error.
// Reads; never changes a file.
// Errors: DataLoss (damage, a missing link) unless request.salvage; Unimplemented; what `apply` returns.
using ApplyBatch = std::function<absl::Status(absl::Span<const LogRecord> batch)>;
absl::StatusOr<ReplayResult> ReplayLogs(FileSystem* fs, const ReplayRequest& request, const ApplyBatch& apply);

// What recovery does to the newest log before the store takes writes: cuts it behind its last complete batch, writes
// the bytes between `newest_vouched_offset` and that end again in place (a clean page after a failed fsync proves
// nothing), and syncs. With pad_to 4096 it rewrites nothing. Idempotent. Not for the result of a salvage. Errors: those
// of the file system; DataLoss if the log is no longer what replay found.
absl::Status SealRecoveredLog(FileSystem* fs, const std::string& path, const ReplayResult& result, uint32_t pad_to);

}  // namespace varve

#endif  // VARVE_WAL_LOG_RECOVERY_H_
