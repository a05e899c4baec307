// Metrics as they are shown: families of samples, and their two spellings.
#ifndef VARVE_ENGINE_OBSERVE_METRIC_FAMILY_H_
#define VARVE_ENGINE_OBSERVE_METRIC_FAMILY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/observe/histogram.h"

namespace varve {

enum class MetricType : uint8_t { kCounter, kGauge, kHistogram };
// Of `value`: kMicros are shown as seconds.
enum class MetricUnit : uint8_t { kNone, kMicros };

struct MetricSample {
  std::vector<std::pair<std::string_view, std::string>> labels;
  uint64_t value = 0;          // counters and gauges
  HistogramReading histogram;  // histograms
};

struct MetricFamily {
  std::string_view name;
  std::string_view help;
  MetricType type = MetricType::kCounter;
  MetricUnit unit = MetricUnit::kNone;
  std::vector<MetricSample> samples;
};

// Prometheus' text format 0.0.4. Every sample gets the label `collection` before its own.
std::string ToPrometheusText(const std::vector<MetricFamily>& families, std::string_view collection);

// {"collection":C,"metrics":{NAME:[{"labels":{..},"value":V} or {"labels":{..},"count":N,"sum":S,"buckets":[{"le":B,
// "count":N}..]}]}}. Counts of buckets are cumulative; the last bucket, with "le" null, has no bound.
std::string ToMetricsJson(const std::vector<MetricFamily>& families, std::string_view collection);

}  // namespace varve

#endif  // VARVE_ENGINE_OBSERVE_METRIC_FAMILY_H_
