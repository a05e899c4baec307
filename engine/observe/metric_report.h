// The metrics of one collection: which there are, what they are called, and where their values come from. Names are
// Prometheus' style: prefix varve_, base units, _total for what only grows. A name, once released, keeps its meaning.
#ifndef VARVE_ENGINE_OBSERVE_METRIC_REPORT_H_
#define VARVE_ENGINE_OBSERVE_METRIC_REPORT_H_

#include <vector>

#include "engine/observe/collection_metrics.h"
#include "engine/observe/metric_family.h"
#include "varve/stats.h"

namespace varve {

// Always the same families and samples in the same order, whatever their values.
std::vector<MetricFamily> ReportMetrics(const CollectionStats& stats, const CollectionMetrics& metrics);

}  // namespace varve

#endif  // VARVE_ENGINE_OBSERVE_METRIC_REPORT_H_
