// How a collection is opened, written and read. Nothing here is stored in the files (see schema.h for what is).
#ifndef VARVE_OPTIONS_H_
#define VARVE_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace varve {

class Clock;
class EventListener;
class Executor;
class FileSystem;
class MemoryBudget;
class RateLimiter;

// When an acknowledged write is durable against a loss of power. Against a crash of the process alone every
// acknowledged write is durable in every mode. In every mode what survives is a prefix of the acknowledged operations.
struct SyncMode {
  enum class Kind : uint8_t {
    kPerOp,     // every acknowledged write; concurrent writers share one fdatasync
    kEveryN,    // at most n - 1 acknowledged operations are lost
    kInterval,  // at most the last `interval_ms` milliseconds are lost
    kOnFlush,   // everything since the last flush may be lost
  };
  Kind kind = Kind::kPerOp;
  uint64_t n = 1;            // kEveryN: operations, at least 1
  uint64_t interval_ms = 0;  // kInterval: milliseconds, at least 1

  static SyncMode PerOp() { return {}; }
  static SyncMode EveryN(uint64_t n) { return {Kind::kEveryN, n, 0}; }
  static SyncMode Interval(uint64_t ms) { return {Kind::kInterval, 1, ms}; }
  static SyncMode OnFlush() { return {Kind::kOnFlush, 1, 0}; }
  friend bool operator==(const SyncMode&, const SyncMode&) = default;
};

// "per_op", "every:N", "interval:MS", "on_flush". Empty for anything else.
std::optional<SyncMode> ParseSyncMode(std::string_view text);
std::string SyncModeName(const SyncMode& mode);

// When the checksums of a mapped segment are compared. Headers and footers are always checked at open.
enum class VerifyChecksums : uint8_t {
  kOnTouch,  // each 64 KiB block when it is first read (default; costs about 5 us per block, once)
  kAtOpen,   // all blocks at open: opening then costs time by the size of the data
  kNever,
};

// How segment files are read. kMapped: a bad sector is SIGBUS in the host. kRead: files are read into memory at open,
// so that it is a Status; costs the memory and the time.
enum class IoMode : uint8_t { kMapped, kRead };

// What Open does when the log or the manifest is damaged.
enum class RecoveryMode : uint8_t {
  kStrict,   // DataLoss, nothing is changed (default)
  kSalvage,  // keep all that verifies, and report exactly what was dropped
};

struct Options {
  // Seams. Null takes the process's own; what is given must outlive the collection.
  FileSystem* file_system = nullptr;
  Clock* clock = nullptr;
  Executor* executor = nullptr;        // background flushes; null: a thread of its own, of low priority
  Executor* merge_executor = nullptr;  // background merges; null: `executor`, or else another such thread

  // Shared with other collections. Null: a budget of memory_bytes of this collection's own.
  MemoryBudget* memory_budget = nullptr;
  // What merges may write per second, all bytes of their segments. Null: without a limit.
  RateLimiter* rate_limiter = nullptr;

  // Memory for memtables and builds (memory_budget.h). Less: smaller segments, more of them, and exact scans instead of
  // graphs where a graph cannot be built. At least 4 MiB; 0: without a limit.
  size_t memory_bytes = size_t{1} << 30;
  // Threads for one index build. Default: as many as `executor` has; without one, one per processor.
  int threads = 0;
  // A memtable is frozen and flushed at this many bytes, or when it and those that wait (max_frozen_memtables) may
  // together fill three eighths of the memory budget. Larger: fewer, larger segments, more memory, longer recovery.
  size_t memtable_bytes = size_t{256} << 20;
  // Or at this many rows: a search reads something of every one of them. 0: as many as fill 8 MiB with vectors, between
  // 4,096 and 65,536, or, if all fields keep codes of them (f32 of at least 64 dimensions under l2, ip or cosine), as
  // many as fill 8 MiB with codes, up to 262,144: the scan of a memtable takes about as long as a few graph searches.
  uint32_t memtable_rows = 0;
  // A log is rotated, and the memtable flushed, at this many bytes even if the memtable is small (deletes).
  uint64_t wal_max_bytes = uint64_t{1} << 30;
  // Frozen memtables waiting for their flush; writers wait beyond it.
  int max_frozen_memtables = 1;
  // Merges run in the background, as MergePolicy finds them due. Off: only Merge() merges.
  bool background_merges = true;
  // With more segments than this the smallest are merged whatever their sizes, and writers are slowed; with twice as
  // many they wait. Fewer: faster searches, more rewriting. At least 4.
  int max_segments = 32;
  // 8, or 4096 for disks that may damage bytes beside those being written when the power fails.
  uint32_t wal_pad_to = 8;
  // Overrides the schema's sync mode.
  std::optional<SyncMode> sync;
  VerifyChecksums verify_checksums = VerifyChecksums::kOnTouch;
  IoMode io = IoMode::kMapped;
  RecoveryMode recovery = RecoveryMode::kStrict;
  // Seed of index builds. With one thread the same rows and seed give the same graph, bit for bit.
  uint64_t seed = 42;
  // Told what the collection does (event_listener.h). None: nothing is spent on it.
  std::vector<std::shared_ptr<EventListener>> listeners;
  // A search that takes at least so many microseconds is told to the listeners, with how each part was searched. 0:
  // off, and a search pays one comparison; else it reads the clock twice for each part.
  int64_t slow_search_microseconds = 0;
};

enum class ReadOnlyLog : uint8_t {
  kReplay,     // replays the complete batches of the log into a private memtable (default)
  kPublished,  // only those up to the state that the manifest publishes: a loss of power takes nothing of it back
};

struct ReadOnlyOptions {
  FileSystem* file_system = nullptr;
  Clock* clock = nullptr;
  ReadOnlyLog log = ReadOnlyLog::kReplay;
  VerifyChecksums verify_checksums = VerifyChecksums::kOnTouch;
  IoMode io = IoMode::kMapped;
  RecoveryMode recovery = RecoveryMode::kStrict;
  std::vector<std::shared_ptr<EventListener>> listeners;  // as in Options
  int64_t slow_search_microseconds = 0;                   // as in Options
};

struct WriteOptions {
  // Makes this write durable before it is acknowledged, whatever the sync mode.
  bool sync = false;
};

}  // namespace varve

#endif  // VARVE_OPTIONS_H_
