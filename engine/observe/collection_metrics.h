// What a collection counts while it is open. Whoever does something counts it here, where it happens; nobody decides
// anything by it. What it holds (rows, segments, memory) is not counted but looked up when asked (metric_report.h).
#ifndef VARVE_ENGINE_OBSERVE_COLLECTION_METRICS_H_
#define VARVE_ENGINE_OBSERVE_COLLECTION_METRICS_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/observe/histogram.h"
#include "varve/stats.h"
#include "varve/types.h"
#include "varve/write_batch.h"

namespace varve {

// The parts of opening a collection.
enum class OpenPhase : uint8_t {
  kManifest,  // find the newest state
  kSegments,  // map what it names
  kLog,       // replay
  kTakeOver,  // writers: seal the log, publish, flush where that must come first
};
inline constexpr size_t kOpenPhases = 4;

// Counters of searches. Threads that search at once count in different shards, so that they do not contend for cache
// lines. Thread-safe.
class SearchMetrics {
 public:
  SearchMetrics();

  // `slot` spreads the threads: any number that differs between those that search at once.
  void Record(size_t slot, bool exact, bool filtered, int64_t micros, uint64_t distances) {
    Shard& shard = shards_[slot % kShards];
    shard.seconds[exact][filtered].Observe(micros);
    shard.distances.Add(distances);
  }

  HistogramReading Read(bool exact, bool filtered) const;
  uint64_t distances() const;

 private:
  static constexpr size_t kShards = 16;
  struct alignas(64) Shard {
    Shard();
    DurationHistogram seconds[2][2];  // by exact and filtered
    Counter distances;
  };
  const std::unique_ptr<Shard[]> shards_;
};

// Thread-safe.
class CollectionMetrics {
 public:
  CollectionMetrics();

  // Acknowledged operations, by WriteBatch::Kind.
  std::array<Counter, 5> writes;
  SearchMetrics searches;
  Counter slow_searches;

  Counter log_bytes;
  DurationHistogram log_sync;
  Counter log_syncs;

  Counter flushes;          // that succeeded; so for merges
  Counter flush_bytes_in;   // of memtables
  Counter flush_bytes_out;  // of segments
  DurationHistogram flush;  // however they ended; so for merges
  Counter merges;
  Counter merge_bytes_in;
  Counter merge_bytes_out;
  DurationHistogram merge;
  Counter bitmap_bytes;
  Counter load_bytes;  // of the segments of bulk loads
  // Time of building, by IndexType.
  std::array<DurationHistogram, 8> index_build;

  std::array<Counter, kStallReasons> stall_micros;
  std::atomic<StallReason> stall_now{StallReason::kNone};

  Counter corruptions;
  Counter background_errors;
  // Of the last opening; written before the collection is handed out.
  std::array<Counter, kOpenPhases> open_micros;

  uint64_t total_stall_micros() const;
  void CountOpening(OpenPhase phase, int64_t micros) {
    open_micros[static_cast<size_t>(phase)].Add(static_cast<uint64_t>(std::max<int64_t>(micros, 0)));
  }
};

}  // namespace varve

#endif  // VARVE_ENGINE_OBSERVE_COLLECTION_METRICS_H_
