// A collection under churn: loads it, replaces, deletes and inserts again every key while threads search, and says
// whether every answer was right, what recall was meanwhile, and what is left on the disk when merges have settled.
#ifndef VARVE_BENCH_WORKLOAD_CHURN_H_
#define VARVE_BENCH_WORKLOAD_CHURN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/workload/workload.h"

namespace varve::churn {

struct LatencySummary {
  uint64_t searches = 0;
  double p50_us = 0;
  double p99_us = 0;
};

struct DirectorySize {
  uint64_t bytes = 0;
  uint64_t files = 0;
};

struct ChurnReport {
  uint64_t rows = 0;       // loaded
  uint64_t live_rows = 0;  // at the end
  uint64_t operations = 0;
  uint64_t rows_put = 0;
  double load_seconds = 0;
  double churn_seconds = 0;
  double settle_seconds = 0;
  bool settled = false;

  double fresh_recall = 0;  // of the merged index of the load
  double minimal_recall = 1;
  double final_recall = 0;
  double rebuilt_recall = 0;  // of an index built of what was live at the end
  uint64_t recall_samples = 0;

  LatencySummary during;  // the churn, and until merges had settled
  uint64_t hits = 0;
  uint64_t judged_hits = 0;
  uint64_t short_answers = 0;

  DirectorySize directory;  // at the end
  DirectorySize rebuilt;
  uint64_t most_files = 0;
  uint64_t segments = 0;
  uint64_t segment_rows = 0;  // live, dead and expired
  uint64_t dead_rows = 0;
  uint64_t memtable_rows = 0;
  uint64_t raw_bytes = 0;  // of the vectors live at the end
  uint64_t put_bytes = 0;  // of the vectors put
  uint64_t merges = 0;
  uint64_t flushes = 0;
  uint64_t bytes_written = 0;  // since the load: log, flushes, merges, bitmaps
  double stall_seconds = 0;
  uint64_t held_segments = 0;

  uint64_t findings = 0;
  std::vector<std::string> broken;  // bounds, and the first of the findings

  double space_amplification() const;
  double space_over_raw() const;
  double write_amplification() const;
  // One line of JSON.
  std::string ToJson() const;
};

// Errors are those of loading and measuring; what a run finds wrong is in the report.
absl::StatusOr<ChurnReport> RunChurn(const ChurnSettings& settings, const bench::Matrix& base,
                                     const bench::Matrix& queries);

}  // namespace varve::churn

#endif  // VARVE_BENCH_WORKLOAD_CHURN_H_
