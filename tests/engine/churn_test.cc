// A collection whose keys are replaced, deleted and inserted again while it is searched: every answer is right, and
// recall stays what it was. bench/churn.cc does the same at length.
#include "bench/workload/churn.h"

#include <string>

#include "bench/clustered.h"
#include "tests/support/collection_fixture.h"

namespace varve {
namespace {

class Churn : public ::testing::Test {
 protected:
  Churn() {
    settings_.directory = temp_ / "collection";
    settings_.index.type = IndexType::kHnsw;  // small graphs, so that they are searched too
    settings_.recall_queries = 100;
    settings_.sample_seconds = 0.05;
    settings_.settle_seconds = 0.1;
    settings_.batch = 12;
    settings_.judge_space = false;
    settings_.engine.memtable_rows = 300;
    settings_.engine.threads = 1;
  }

  bench::Matrix Points(uint32_t rows) {
    bench::Matrix matrix;
    matrix.rows = rows;
    matrix.dim = clusters_.dimension;
    std::vector<float> point(matrix.dim);
    for (uint32_t row = 0; row < rows; ++row) {
      clusters_.Draw(&random_, &point);
      matrix.values.insert(matrix.values.end(), point.begin(), point.end());
    }
    return matrix;
  }

  void Run() {
    absl::StatusOr<churn::ChurnReport> report = churn::RunChurn(settings_, Points(2000), Points(200));
    ASSERT_OK(report);
    report_ = *std::move(report);
    for (const std::string& what : report_.broken) ADD_FAILURE() << what;
    EXPECT_EQ(report_.findings, 0U);
    EXPECT_GT(report_.operations, 4000U);
    EXPECT_GT(report_.judged_hits, 0U);
    EXPECT_GT(report_.flushes, 0U);
    EXPECT_GT(report_.merges, 0U);
  }

  testing::TempDir temp_;
  Random random_{11};
  const bench::Clusters clusters_ = bench::Clusters::ForRows(2000, 8, &random_);
  churn::ChurnSettings settings_;
  churn::ChurnReport report_;
};

TEST_F(Churn, EveryAnswerIsRight) {
  settings_.write_threads = 2;
  Run();
  EXPECT_EQ(report_.short_answers, 0U);
}

TEST_F(Churn, NamespacesStayApartAndTheExpiredStayAway) {
  settings_.namespaces = 10;
  settings_.ttl_share = 0.3;
  settings_.ttl_min_seconds = 1;
  settings_.ttl_max_seconds = 2;
  settings_.writes_per_second = 3000;
  Run();
  EXPECT_LT(report_.live_rows, 1900U);
}

}  // namespace
}  // namespace varve
