// Appends records to one log file. A record that Append has accepted survives a crash of the process; one whose
// position a successful Sync has covered survives a loss of power. No other promise is made, and none is needed:
// recovery drops a torn tail and refuses damage before it (log_recovery.h).
//
// After the first failed write (but for one refused whole for want of space) or the first failed sync the writer is
// poisoned: every later call returns that first error. The kernel may have dropped the dirty pages, so that trying
// again could report a success that did not happen.
//
// Append and Finish: one caller at a time. Sync, SyncTo and the getters: thread-safe beside them; at most one fdatasync
// is in flight, and whoever comes meanwhile joins the next.
#ifndef VARVE_WAL_LOG_WRITER_H_
#define VARVE_WAL_LOG_WRITER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/clock.h"
#include "varve/file_system.h"
#include "wal/log_format.h"

namespace varve {

// One record to append. The payload, at most kMaxLogPayloadBytes, is compressed by the writer where that makes it
// clearly smaller.
struct LogEntry {
  LogEntryType type = LogEntryType::kInsert;
  std::string_view payload;
  bool first_of_batch = true;
  bool last_of_batch = true;
};

// One fdatasync that the writer made.
struct LogSync {
  uint64_t bytes = 0;        // that became durable thereby; 0 if it failed
  int64_t microseconds = 0;  // that it took
  absl::Status status;
};

struct LogWriterOptions {
  uint64_t preallocate_bytes = 4u << 20;  // reserved ahead of the end; tried, never required
  // Called after each sync, by the thread that made it, without locks; needs a clock. May be empty.
  std::function<void(const LogSync& sync)> on_sync;
  Clock* clock = nullptr;
};

class LogWriter {
 public:
  // Publishes a new, empty log (tmp, header, fsync, rename, directory fsync).
  // Errors: Internal for a header that no log may have; those of the file system. Some of these leave the new file in
  // place: a log of another number, naming the same predecessor, may then be made in its stead.
  static absl::StatusOr<std::unique_ptr<LogWriter>> Create(FileSystem* fs, const std::string& path,
                                                           const LogHeader& header,
                                                           const LogWriterOptions& options = {});
  virtual ~LogWriter() = default;

  // Appends one group with one write(2); the last record is marked as the last of its sync group. Records get the
  // sequences last_sequence() + 1, + 2 ... A batch begins and ends in the group.
  // Errors: ResourceExhausted with poisoned() still OK if nothing was written (no space): the group may be tried again
  // or dropped. InvalidArgument for a payload above the limit: nothing was written. Anything else poisons.
  virtual absl::Status Append(absl::Span<const LogEntry> group) = 0;

  // Returns when everything appended before the call is durable.
  virtual absl::Status Sync() = 0;
  // Returns when the bytes up to `position` (a former size()) are durable; at once if they are.
  virtual absl::Status SyncTo(uint64_t position) = 0;

  // Cuts the file to its used length, syncs and closes it, in every mode; nothing can be appended afterwards. Calling
  // it again returns the same.
  virtual absl::StatusOr<LogEnd> Finish() = 0;

  virtual uint64_t number() const = 0;
  virtual uint64_t size() const = 0;           // bytes used: where the next record goes
  virtual uint64_t synced_size() const = 0;    // bytes known durable
  virtual Sequence last_sequence() const = 0;  // of the last record; first_sequence - 1 if there is none
  virtual absl::Status poisoned() const = 0;   // the first final error, else OK
};

}  // namespace varve

#endif  // VARVE_WAL_LOG_WRITER_H_
