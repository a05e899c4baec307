#include "engine/observe/property_reader.h"

#include <algorithm>
#include <utility>

#include "engine/observe/metric_family.h"
#include "engine/observe/metric_report.h"
#include "engine/observe/stats_json.h"
#include "varve/properties.h"

namespace varve {
namespace {

using NumberOf = uint64_t CollectionStats::*;

// The properties that are one number of the stats.
constexpr std::pair<std::string_view, NumberOf> kNumbers[] = {
    {"varve.live-rows", &CollectionStats::live_rows},
    {"varve.dead-rows", &CollectionStats::dead_rows},
    {"varve.memtable-bytes", &CollectionStats::memtable_bytes},
    {"varve.memtable-rows", &CollectionStats::memtable_rows},
    {"varve.frozen-memtables", &CollectionStats::frozen_memtables},
    {"varve.disk-bytes", &CollectionStats::disk_bytes},
    {"varve.log-bytes", &CollectionStats::log_bytes},
    {"varve.last-sequence", &CollectionStats::last_sequence},
    {"varve.durable-sequence", &CollectionStats::durable_sequence},
    {"varve.generation", &CollectionStats::generation},
    {"varve.num-snapshots", &CollectionStats::snapshots},
    {"varve.oldest-snapshot-sequence", &CollectionStats::oldest_snapshot_sequence},
    {"varve.held-memory-bytes", &CollectionStats::held_memory_bytes},
    {"varve.held-file-bytes", &CollectionStats::held_file_bytes},
};

}  // namespace

bool IsProperty(std::string_view name) {
  return std::any_of(kProperties.begin(), kProperties.end(),
                     [name](const Property& property) { return property.name == name; });
}

std::optional<std::string> ReadProperty(std::string_view name, const CollectionStats& stats,
                                        const CollectionMetrics& metrics, std::string_view collection) {
  for (const auto& [number_name, number] : kNumbers) {
    if (name == number_name) return std::to_string(stats.*number);
  }
  if (name == "varve.num-segments") return std::to_string(stats.segments.size());
  if (name == "varve.stall-reason") return std::string(StallReasonName(stats.stall_reason));
  if (name == "varve.last-background-error") return stats.last_background_error;
  if (name == "varve.metrics") return ToPrometheusText(ReportMetrics(stats, metrics), collection);
  if (name == "varve.metrics-json") return ToMetricsJson(ReportMetrics(stats, metrics), collection);
  JsonWriter json;
  if (name == "varve.segments") {
    WriteSegments(stats.segments, &json);
    return json.Take();
  }
  if (name == "varve.stats") {
    WriteStats(stats, &json);
    return json.Take();
  }
  return std::nullopt;
}

}  // namespace varve
