#include "engine/observe/metric_report.h"

#include <string>
#include <utility>

#include "index/field_index.h"
#include "index/index_registry.h"

namespace varve {
namespace {

constexpr std::array<std::string_view, 5> kOperationNames = {"put", "insert", "update", "delete", "delete_namespace"};
constexpr std::array<std::string_view, kOpenPhases> kPhaseNames = {"manifest", "segments", "log", "take_over"};

// A label and its value; for metrics that have several samples.
using Label = std::pair<std::string_view, std::string_view>;

class Report {
 public:
  // Begins a family, to which the samples that follow belong.
  Report& Counters(std::string_view name, std::string_view help, MetricUnit unit = MetricUnit::kNone) {
    return Begin({name, help, MetricType::kCounter, unit, {}});
  }
  Report& Gauges(std::string_view name, std::string_view help, MetricUnit unit = MetricUnit::kNone) {
    return Begin({name, help, MetricType::kGauge, unit, {}});
  }
  Report& Histograms(std::string_view name, std::string_view help) {
    return Begin({name, help, MetricType::kHistogram, MetricUnit::kMicros, {}});
  }
  Report& Add(uint64_t value, std::initializer_list<Label> labels = {}) {
    AddSample(labels).value = value;
    return *this;
  }
  Report& Add(HistogramReading reading, std::initializer_list<Label> labels = {}) {
    AddSample(labels).histogram = std::move(reading);
    return *this;
  }
  std::vector<MetricFamily> Take() { return std::move(families_); }

 private:
  Report& Begin(MetricFamily family) {
    families_.push_back(std::move(family));
    return *this;
  }
  MetricSample& AddSample(std::initializer_list<Label> labels) {
    MetricSample& sample = families_.back().samples.emplace_back();
    for (const auto& [name, value] : labels) sample.labels.emplace_back(name, value);
    return sample;
  }

  std::vector<MetricFamily> families_;
};

void ReportContents(const CollectionStats& stats, Report* report) {
  report->Gauges("varve_live_vectors", "Live records of segments and memtables.").Add(stats.live_rows);
  report->Gauges("varve_deleted_vectors", "Dead records of segments, waiting for a merge.").Add(stats.dead_rows);
  report->Gauges("varve_segments", "Segments: of the newest state, and kept only by readers of older ones.")
      .Add(stats.segments.size(), {{"state", "live"}})
      .Add(stats.held_segments, {{"state", "held"}});
  report->Gauges("varve_memtable_bytes", "Bytes of memtables.").Add(stats.memtable_bytes);
  report->Gauges("varve_frozen_memtables", "Memtables that wait for their flush.").Add(stats.frozen_memtables);
  report->Gauges("varve_disk_bytes", "Bytes of segments, deletion bitmaps and logs.").Add(stats.disk_bytes);
  report->Gauges("varve_snapshots", "Snapshots that live.").Add(stats.snapshots);
  report->Gauges("varve_held_bytes", "Kept only by snapshots and readers of older states.")
      .Add(stats.held_memory_bytes, {{"kind", "memory"}})
      .Add(stats.held_file_bytes, {{"kind", "file"}});
}

void ReportWrites(const CollectionMetrics& metrics, Report* report) {
  report->Counters("varve_writes_total", "Acknowledged operations.");
  for (size_t kind = 0; kind < kOperationNames.size(); ++kind) {
    report->Add(metrics.writes[kind].value(), {{"op", kOperationNames[kind]}});
  }
  report->Counters("varve_wal_bytes_total", "Bytes written to the log.").Add(metrics.log_bytes.value());
  report->Histograms("varve_wal_sync_seconds", "Time of making the log durable.").Add(metrics.log_sync.Read());
  report->Counters("varve_written_bytes_total", "Bytes written: log, segments by what made them, deletion bitmaps.")
      .Add(metrics.log_bytes.value(), {{"kind", "log"}})
      .Add(metrics.flush_bytes_out.value(), {{"kind", "flush"}})
      .Add(metrics.load_bytes.value(), {{"kind", "bulk_load"}})
      .Add(metrics.merge_bytes_out.value(), {{"kind", "merge"}})
      .Add(metrics.bitmap_bytes.value(), {{"kind", "bitmap"}});
  report->Counters("varve_stall_seconds_total", "Time in which writers were slowed or waited.", MetricUnit::kMicros);
  for (size_t reason = 1; reason < kStallReasons; ++reason) {
    report->Add(metrics.stall_micros[reason].value(), {{"reason", StallReasonName(static_cast<StallReason>(reason))}});
  }
}

void ReportJobs(const CollectionMetrics& metrics, Report* report) {
  report->Counters("varve_flushes_total", "Flushes that succeeded.").Add(metrics.flushes.value());
  report->Counters("varve_flush_bytes_total", "Bytes of memtables flushed, and of segments made of them.")
      .Add(metrics.flush_bytes_in.value(), {{"dir", "in"}})
      .Add(metrics.flush_bytes_out.value(), {{"dir", "out"}});
  report->Histograms("varve_flush_seconds", "Time of flushes, also of those that failed.").Add(metrics.flush.Read());
  report->Counters("varve_compactions_total", "Merges that succeeded.").Add(metrics.merges.value());
  report->Counters("varve_compaction_bytes_total", "Bytes of segments merged, and of segments made of them.")
      .Add(metrics.merge_bytes_in.value(), {{"dir", "in"}})
      .Add(metrics.merge_bytes_out.value(), {{"dir", "out"}});
  report->Histograms("varve_compaction_seconds", "Time of merges, also of those that failed.")
      .Add(metrics.merge.Read());
  report->Histograms("varve_index_build_seconds", "Time of building one field's index of one segment.");
  for (const FieldIndexFactory* factory : AllIndexFactories()) {
    const IndexTraits& traits = factory->traits();
    report->Add(metrics.index_build[static_cast<size_t>(traits.type)].Read(), {{"kind", traits.name}});
  }
}

void ReportSearches(const CollectionMetrics& metrics, Report* report) {
  report->Histograms("varve_search_seconds", "Time of searches that succeeded.");
  for (const bool exact : {false, true}) {
    for (const bool filtered : {false, true}) {
      report->Add(metrics.searches.Read(exact, filtered),
                  {{"kind", exact ? "exact" : "approximate"}, {"filtered", filtered ? "true" : "false"}});
    }
  }
  report->Counters("varve_search_distance_computations_total", "Vectors compared by searches that succeeded.")
      .Add(metrics.searches.distances());
  report->Counters("varve_slow_searches_total", "Searches at or above slow_search_microseconds; 0 if that is off.")
      .Add(metrics.slow_searches.value());
}

void ReportHealth(const CollectionMetrics& metrics, Report* report) {
  report->Counters("varve_corruptions_total", "Reads and jobs that failed because of damage.")
      .Add(metrics.corruptions.value());
  report->Counters("varve_background_errors_total", "Flushes, merges and logs that failed.")
      .Add(metrics.background_errors.value());
  report->Gauges("varve_open_seconds", "Time that opening the collection took.", MetricUnit::kMicros);
  for (size_t phase = 0; phase < kOpenPhases; ++phase) {
    report->Add(metrics.open_micros[phase].value(), {{"phase", kPhaseNames[phase]}});
  }
}

}  // namespace

std::vector<MetricFamily> ReportMetrics(const CollectionStats& stats, const CollectionMetrics& metrics) {
  Report report;
  ReportContents(stats, &report);
  ReportWrites(metrics, &report);
  ReportJobs(metrics, &report);
  ReportSearches(metrics, &report);
  ReportHealth(metrics, &report);
  return report.Take();
}

}  // namespace varve
