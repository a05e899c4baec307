// What a churn run loads, changes and asks: vectors, queries, how keys are named, and the limits it is measured by.
#ifndef VARVE_BENCH_WORKLOAD_WORKLOAD_H_
#define VARVE_BENCH_WORKLOAD_WORKLOAD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/matrix_file.h"
#include "varve/options.h"
#include "varve/record.h"
#include "varve/schema.h"
#include "varve/search.h"

namespace varve::churn {

struct ChurnSettings {
  std::string directory;  // made; must not exist or be empty
  ElementType element = ElementType::kF32;
  IndexSpec index;
  double change = 2.0;  // how often each key is replaced, or deleted and inserted again
  size_t k = 10;
  uint32_t ef = 64;
  int search_threads = 2;
  int write_threads = 1;
  double writes_per_second = 0;  // of all writers together; 0: as fast as they are taken
  uint32_t batch = 20;           // operations of a batch, at most
  uint32_t recall_queries = 500;
  double sample_seconds = 2;     // between two measures of recall
  double settle_seconds = 3;     // without a flush or merge, then merges have settled
  double give_up_seconds = 900;  // waiting for that
  uint32_t namespaces = 1;
  double ttl_share = 0;  // of the records that have a time to live
  int64_t ttl_min_seconds = 3;
  int64_t ttl_max_seconds = 60;
  uint64_t seed = 1;
  // Wait until expired rows are reclaimed, and judge what is left on the disk: for data that is not tiny.
  bool judge_space = true;
  Options engine;
};

// Values that must not be passed: issue 3's, and one for files.
inline constexpr double kMaxRecallLoss = 0.01;
inline constexpr double kMaxSpaceAmplification = 1.5;

// Vectors are rows of `base`, each of them the first vector of the key of its number.
class Workload {
 public:
  Workload(const ChurnSettings* settings, const bench::Matrix* base, const bench::Matrix* queries)
      : settings_(settings), base_(base), queries_(queries) {}

  const ChurnSettings& settings() const { return *settings_; }
  uint32_t keys() const { return base_->rows; }
  const bench::Matrix& queries() const { return *queries_; }

  std::string NamespaceOf(uint32_t key) const;
  static std::string NameOf(uint32_t key);
  // The key of that name, if its namespace is the right one too.
  std::optional<uint32_t> Find(std::string_view ns, std::string_view name) const;

  std::vector<float> Vector(uint32_t row) const;
  // Squared Euclidean.
  double Distance(uint32_t query, uint32_t row) const;
  // Whether two such distances are equal but for rounding.
  static bool Same(double a, double b);
  RecordInput MakeRecord(uint32_t key, uint32_t row, std::optional<int64_t> ttl_seconds) const;
  // A search as the run makes it; with several namespaces every other query asks for one alone.
  SearchRequest MakeSearch(uint32_t query) const;
  std::optional<std::string> NamespaceOfQuery(uint32_t query) const;

 private:
  const ChurnSettings* settings_;
  const bench::Matrix* base_;
  const bench::Matrix* queries_;
};

}  // namespace varve::churn

#endif  // VARVE_BENCH_WORKLOAD_WORKLOAD_H_
