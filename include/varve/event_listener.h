// What a collection tells of its inner life while it runs: flushes, merges, index builds, syncs, stalls, damage, slow
// searches. An embedder derives from EventListener, overrides what it wants to hear, and puts the object into
// Options::listeners or ReadOnlyOptions::listeners.
//
// Callbacks run on the thread that does the work, and the work waits for them: the thread that flushes or merges (a
// background thread, or the caller of Flush, Merge and Checkpoint), a thread of an index build, the writer that leads a
// group, the reader that met damage or was slow. Several may run at once, for one or for several collections.
//
// A callback may read the collection and ask for Stats, GetProperty and MetricsText: no lock that these take is held.
// (While Open runs there is no collection yet; while Close runs only these three answer.) It must not write to it, load
// into it, nor call Flush, Merge, Checkpoint, Backup, Sync, SetSyncMode or Close, nor drop it: these wait for the
// thread that called, or for one that waits for it. It must not throw. None is called once Close has returned.
//
// A begin is always followed by its end, on the same thread, whatever the outcome.
#ifndef VARVE_EVENT_LISTENER_H_
#define VARVE_EVENT_LISTENER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "varve/schema.h"
#include "varve/search.h"
#include "varve/stats.h"
#include "varve/types.h"

namespace varve {

// A memtable is written into a segment.
struct FlushInfo {
  std::string directory;  // of the collection, as it was opened; so in all that follows
  uint64_t memtable_rows = 0;
  uint64_t memtable_bytes = 0;
  // Known at the end:
  FileId segment = 0;  // 0: there was none to write, since no row of the memtable was live, or it failed
  uint64_t rows = 0;
  uint64_t bytes = 0;  // of the segment
  int64_t microseconds = 0;
  absl::Status status;
};

// Segments are folded into one.
struct MergeInfo {
  std::string directory;
  std::vector<FileId> inputs;
  uint64_t rows_in = 0;  // live and dead
  uint64_t bytes_in = 0;
  // Known at the end:
  std::vector<FileId> outputs;  // empty: no row was left, or it failed
  uint64_t rows_out = 0;
  uint64_t bytes_out = 0;
  int64_t microseconds = 0;
  absl::Status status;
};

// The index of one field of one segment is built, as part of a flush or a merge.
struct IndexBuildInfo {
  std::string directory;
  FileId segment = 0;
  std::string field;
  IndexType index = IndexType::kFlat;
  uint64_t done = 0;  // vectors
  uint64_t of = 0;    // vectors
  // Known at the end:
  int64_t microseconds = 0;
  absl::Status status;
};

// Writers are slowed or wait.
struct StallInfo {
  std::string directory;
  StallReason reason = StallReason::kNone;
  int64_t microseconds = 0;  // at the end: how long
};

// Bytes were not what was written. Told each time that a read or a job fails for it, and of what Open found, also if
// Open fails.
struct CorruptionInfo {
  std::string directory;
  std::string file;  // its path; empty if the status does not name one
  absl::Status status;
};

// A log was made durable: one fdatasync.
struct SyncInfo {
  std::string directory;
  FileId log = 0;
  uint64_t bytes = 0;  // that became durable thereby
  int64_t microseconds = 0;
  absl::Status status;  // not OK: also an OnBackgroundError
};

// Something failed for which no caller may be there to be told.
struct BackgroundErrorInfo {
  std::string directory;
  std::string_view work;  // "flush", "merge"; "log": from here on every write fails until the collection is reopened
  absl::Status status;
};

// A search took at least Options::slow_search_microseconds.
struct SlowSearchInfo {
  std::string directory;
  std::vector<std::string> fields;
  size_t k = 0;
  ParamMap params;  // as they were given, such as ef
  bool exact = false;
  bool filtered = false;  // restricted to a namespace, or by a filter
  uint64_t distances = 0;
  int64_t microseconds = 0;
  std::string plan;                // of all parts, in words: "2 HNSW (index), 1 MEMTABLE (scan)"
  std::vector<PartProfile> parts;  // how each was searched
  absl::Status status;
};

// Every method does nothing unless it is overridden. Implementations must be thread-safe.
class EventListener {
 public:
  virtual ~EventListener() = default;

  virtual void OnFlushBegin(const FlushInfo& /*info*/) {}
  virtual void OnFlushEnd(const FlushInfo& /*info*/) {}

  virtual void OnMergeBegin(const MergeInfo& /*info*/) {}
  virtual void OnMergeEnd(const MergeInfo& /*info*/) {}

  virtual void OnIndexBuildBegin(const IndexBuildInfo& /*info*/) {}
  // Now and then, about a hundred times at most; one at a time, but from any thread of the build.
  virtual void OnIndexBuildProgress(const IndexBuildInfo& /*info*/) {}
  virtual void OnIndexBuildEnd(const IndexBuildInfo& /*info*/) {}

  virtual void OnStallBegin(const StallInfo& /*info*/) {}
  virtual void OnStallEnd(const StallInfo& /*info*/) {}

  virtual void OnSync(const SyncInfo& /*info*/) {}
  virtual void OnCorruption(const CorruptionInfo& /*info*/) {}
  virtual void OnBackgroundError(const BackgroundErrorInfo& /*info*/) {}
  virtual void OnSlowSearch(const SlowSearchInfo& /*info*/) {}
};

}  // namespace varve

#endif  // VARVE_EVENT_LISTENER_H_
