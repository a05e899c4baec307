#include "engine/observe/metric_family.h"

#include <thread>

#include "engine/observe/collection_metrics.h"
#include "engine/observe/metric_report.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/prometheus_text.h"

namespace varve {
namespace {

using ::testing::ElementsAre;
using testing::PrometheusText;

constexpr int64_t kBounds[] = {10, 2'500, 1'000'000};

std::vector<MetricFamily> Sample() {
  DurationHistogram histogram(kBounds);
  for (const int64_t micros : {0, 10, 11, 2'500, 1'000'001}) histogram.Observe(micros);
  std::vector<MetricFamily> families;
  families.push_back({"varve_things_total", "Things.", MetricType::kCounter, MetricUnit::kNone, {}});
  families.back().samples.push_back({{{"op", "put"}}, 18'446'744'073'709'551'615U, {}});
  families.push_back({"varve_wait_seconds", "Time.", MetricType::kGauge, MetricUnit::kMicros, {}});
  families.back().samples.push_back({{}, 1'500, {}});
  families.push_back({"varve_work_seconds", "Work.", MetricType::kHistogram, MetricUnit::kMicros, {}});
  families.back().samples.push_back({{{"kind", "a"}}, 0, histogram.Read()});
  return families;
}

TEST(MetricFamily, IsWrittenAsPrometheusText) {
  EXPECT_EQ(ToPrometheusText(Sample(), "c"),
            "# HELP varve_things_total Things.\n"
            "# TYPE varve_things_total counter\n"
            "varve_things_total{collection=\"c\",op=\"put\"} 18446744073709551615\n"
            "# HELP varve_wait_seconds Time.\n"
            "# TYPE varve_wait_seconds gauge\n"
            "varve_wait_seconds{collection=\"c\"} 0.0015\n"
            "# HELP varve_work_seconds Work.\n"
            "# TYPE varve_work_seconds histogram\n"
            "varve_work_seconds_bucket{collection=\"c\",kind=\"a\",le=\"0.00001\"} 2\n"
            "varve_work_seconds_bucket{collection=\"c\",kind=\"a\",le=\"0.0025\"} 4\n"
            "varve_work_seconds_bucket{collection=\"c\",kind=\"a\",le=\"1\"} 4\n"
            "varve_work_seconds_bucket{collection=\"c\",kind=\"a\",le=\"+Inf\"} 5\n"
            "varve_work_seconds_sum{collection=\"c\",kind=\"a\"} 1.002522\n"
            "varve_work_seconds_count{collection=\"c\",kind=\"a\"} 5\n");
}

TEST(MetricFamily, IsWrittenAsJson) {
  EXPECT_EQ(ToMetricsJson(Sample(), "c"),
            R"({"collection":"c","metrics":{)"
            R"("varve_things_total":[{"labels":{"op":"put"},"value":18446744073709551615}],)"
            R"("varve_wait_seconds":[{"labels":{},"value":0.0015}],)"
            R"("varve_work_seconds":[{"labels":{"kind":"a"},"count":5,"sum":1.002522,"buckets":[)"
            R"({"le":0.00001,"count":2},{"le":0.0025,"count":4},{"le":1,"count":4},{"le":null,"count":5}]}]}})");
}

TEST(MetricFamily, AnyNameOfACollectionIsALabel) {
  const PrometheusText text(ToPrometheusText(Sample(), "a \"b\" \\ \n {c}, d"));
  EXPECT_THAT(text.collections(), ElementsAre(R"(a \"b\" \\ \n {c}, d)"));
  const PrometheusText bytes(ToPrometheusText(Sample(), "\xFF"));
  EXPECT_THAT(bytes.collections(), ElementsAre("not UTF-8"));
}

TEST(MetricReport, HasTheSameLinesWhateverWasCounted) {
  const auto lines = [](const CollectionStats& stats, const CollectionMetrics& metrics) {
    const PrometheusText text(ToPrometheusText(ReportMetrics(stats, metrics), "c"));
    std::string names;
    for (const auto& [name, value] : text.values()) names += name + "\n";
    return names;
  };
  CollectionStats stats;
  CollectionMetrics metrics;
  const std::string empty = lines(stats, metrics);
  stats.segments.resize(3);
  metrics.searches.Record(5, true, false, 70, 1000);
  metrics.stall_micros[1].Add(3);
  metrics.writes[4].Add();
  EXPECT_EQ(lines(stats, metrics), empty);
}

TEST(SearchMetrics, AddUpOverThreads) {
  SearchMetrics metrics;
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&metrics, t] {
      for (int i = 0; i < 1000; ++i) metrics.Record(t * 5, false, true, 100, 3);
    });
  }
  for (std::thread& thread : threads) thread.join();

  const HistogramReading reading = metrics.Read(false, true);

  EXPECT_EQ(metrics.distances(), 12'000u);
  EXPECT_EQ(reading.sum_micros, 400'000u);
  EXPECT_EQ(reading.counts[3], 4'000u) << "100 microseconds belong to the bucket of that bound";
  EXPECT_EQ(metrics.Read(false, false).sum_micros, 0u);
}

}  // namespace
}  // namespace varve
