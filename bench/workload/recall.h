// Recall of a collection's searches against its own exact ones, over one state; and of the exact ones against a
// comparison with every vector outside it.
#ifndef VARVE_BENCH_WORKLOAD_RECALL_H_
#define VARVE_BENCH_WORKLOAD_RECALL_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "bench/workload/findings.h"
#include "bench/workload/key_model.h"
#include "bench/workload/workload.h"
#include "varve/collection.h"

namespace varve::churn {

// The mean over the settings' first `recall_queries` queries, all of one snapshot. A hit counts if it is as near as the
// exact answer's last, so that equal distances make no difference.
absl::StatusOr<double> MeasureRecall(const Workload& workload, Collection* collection);

// Of a collection that nobody writes to any more: scans it, and compares what it holds with the model key by key, and
// the exact answers of some queries with the nearest of what the scan gave. Gives the number of records.
absl::StatusOr<uint64_t> CheckContents(const Workload& workload, const KeyModel& model, Collection* collection,
                                       Findings* findings);

}  // namespace varve::churn

#endif  // VARVE_BENCH_WORKLOAD_RECALL_H_
