// What a collection says of itself. Value types.
#ifndef VARVE_STATS_H_
#define VARVE_STATS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "varve/types.h"

namespace varve {

struct SegmentFieldInfo {
  std::string name;
  IndexType index = IndexType::kFlat;
  CompressionType compression = CompressionType::kNone;
  std::string why;  // IndexPolicy's reason
};

struct SegmentInfo {
  FileId id = 0;
  uint32_t level = 0;
  uint64_t rows = 0;
  uint64_t live_rows = 0;
  uint64_t bytes = 0;
  Sequence smallest_sequence = 0;
  Sequence largest_sequence = 0;
  std::vector<SegmentFieldInfo> fields;
};

// What a salvage kept and dropped of one file.
struct SalvagedFile {
  std::string file;            // relative to the collection
  uint64_t rows_kept = 0;      // of a segment: live rows; of a log: records of complete batches that were replayed
  uint64_t rows_dropped = 0;   // of a segment; what a log lost has no rows to count: bytes and sequences
  uint64_t batches_kept = 0;   // of a log
  uint64_t bytes = 0;          // of the file; 0: it is not there
  uint64_t bytes_dropped = 0;  // of a log; of a segment that gave no row, all
  Sequence first_dropped = 0;  // the writes that were dropped have sequences from here ...
  Sequence last_dropped = 0;   // ... to here; 0: none was, or it is unknown
  std::string why;             // what is wrong with it; empty: nothing, and all was kept
};

// What the last Open did.
struct RecoveryInfo {
  uint64_t logs = 0;           // read
  uint64_t records = 0;        // replayed
  uint64_t dropped_bytes = 0;  // of a torn tail, or by a salvage
  std::string dropped_reason;
  std::string fallback;  // the file that stood in for a bad manifest.json; empty: none was needed
  std::string fallback_reason;
  std::vector<std::string> salvage_report;  // of a salvage: a line for each thing dropped or missing
  std::vector<SalvagedFile> salvaged;       // and every file that it read, good or not
  int64_t microseconds = 0;
};

// Why writers are slowed or wait.
enum class StallReason : uint8_t {
  kNone = 0,
  kMemtables = 1,  // too many memtables wait for their flush
  kMemory = 2,     // the memory budget is used up
  kSegments = 3,   // merges are behind: there are too many segments
};
inline constexpr size_t kStallReasons = 4;
// "none", "memtables", "memory", "segments".
std::string_view StallReasonName(StallReason reason);

struct CollectionStats {
  uint64_t live_rows = 0;  // over segments and memtables; rows that have expired but are not yet reclaimed count
  uint64_t dead_rows = 0;  // in segments, waiting for a merge
  uint64_t memtable_rows = 0;
  uint64_t memtable_bytes = 0;
  uint64_t frozen_memtables = 0;
  uint64_t disk_bytes = 0;  // segments, bitmaps and logs
  uint64_t log_bytes = 0;
  uint64_t log_number = 0;  // 0: no log yet
  Sequence last_sequence = 0;
  Sequence durable_sequence = 0;  // survives a loss of power
  uint64_t generation = 0;
  FileId checkpoint_id = 0;
  uint64_t pinned_views = 0;
  uint64_t flushes = 0;
  uint64_t merges = 0;
  uint64_t stall_microseconds = 0;                // writers were slowed or waited
  StallReason stall_reason = StallReason::kNone;  // why they do now
  // Written since the collection was opened. Their sum by the bytes of the vectors put is the write amplification.
  uint64_t bytes_logged = 0;
  uint64_t bytes_flushed = 0;  // segments made by flushes
  uint64_t bytes_loaded = 0;   // segments made by bulk loads
  uint64_t bytes_merged = 0;   // segments made by merges
  uint64_t bytes_bitmaps = 0;  // deletion bitmaps
  uint64_t syncs = 0;          // of the log: calls of fdatasync
  uint64_t corruptions = 0;    // reads and jobs that failed with DataLoss
  // What snapshots and readers hold that is no part of the newest state.
  uint64_t snapshots = 0;
  Sequence oldest_snapshot_sequence = 0;  // 0: there is no snapshot
  uint64_t held_memory_bytes = 0;         // memtables
  uint64_t held_segments = 0;             // whose files stay for them
  uint64_t held_file_bytes = 0;           // of these segments
  std::string last_background_error;
  std::vector<SegmentInfo> segments;
  RecoveryInfo recovery;
};

// What Flush, Merge and Checkpoint did.
struct MaintenanceResult {
  std::vector<FileId> segments_added;
  std::vector<FileId> segments_removed;
  uint64_t rows_written = 0;
  uint64_t rows_dropped = 0;
  uint64_t bytes_written = 0;
  FileId checkpoint_id = 0;
  uint64_t generation = 0;
};

}  // namespace varve

#endif  // VARVE_STATS_H_
