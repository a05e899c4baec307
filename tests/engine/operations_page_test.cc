// docs/operations.md lists the metrics and properties that there are, no more and no fewer.
#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "engine/observe/metric_report.h"
#include "gtest/gtest.h"
#include "varve/properties.h"

namespace varve::testing {
namespace {

// The cells of a row are put together with " | ".
std::set<std::string> RowsOfPage(const std::string& pattern) {
  const char* path = std::getenv("VARVE_OPERATIONS_PAGE");
  if (path == nullptr) return {};
  std::stringstream page;
  page << std::ifstream(path).rdbuf();
  const std::string text = page.str();
  const std::regex row(pattern);
  std::set<std::string> rows;
  for (std::sregex_iterator match(text.begin(), text.end(), row), end; match != end; ++match) {
    rows.insert((*match)[1].str() + " | " + (*match)[2].str());
  }
  return rows;
}

std::string TypeOf(const MetricFamily& family) {
  switch (family.type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kHistogram:
      return "histogram";
  }
  return "";
}

TEST(OperationsPage, ListsTheMetricsThatThereAre) {
  if (std::getenv("VARVE_OPERATIONS_PAGE") == nullptr) GTEST_SKIP() << "VARVE_OPERATIONS_PAGE names no page";
  std::set<std::string> metrics;
  for (const MetricFamily& family : ReportMetrics(CollectionStats(), CollectionMetrics())) {
    metrics.insert(std::string(family.name) + " | " + TypeOf(family));
  }
  EXPECT_EQ(RowsOfPage("\n\\| `(varve_[a-z_]+)` \\| ([a-z]+) \\|"), metrics);
}

TEST(OperationsPage, ListsThePropertiesThatThereAre) {
  if (std::getenv("VARVE_OPERATIONS_PAGE") == nullptr) GTEST_SKIP() << "VARVE_OPERATIONS_PAGE names no page";
  std::set<std::string> properties;
  for (const Property& property : kProperties) {
    properties.insert(std::string(property.name) + " | " + std::string(property.meaning));
  }
  EXPECT_EQ(RowsOfPage("\n\\| `(varve\\.[a-z-]+)` \\| ([^|]*) \\|"), properties);
}

}  // namespace
}  // namespace varve::testing
