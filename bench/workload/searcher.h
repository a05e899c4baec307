// One thread's searches, each answer checked against what is known of its keys.
#ifndef VARVE_BENCH_WORKLOAD_SEARCHER_H_
#define VARVE_BENCH_WORKLOAD_SEARCHER_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "bench/workload/findings.h"
#include "bench/workload/key_model.h"
#include "bench/workload/workload.h"
#include "varve/collection.h"

namespace varve::churn {

// Thread-compatible.
class Searcher {
 public:
  Searcher(const Workload* workload, const KeyModel* model, Findings* findings, Collection* collection, uint64_t seed)
      : workload_(workload), model_(model), findings_(findings), collection_(collection), seed_(seed) {}

  // Searches until told to stop.
  void Run(const std::atomic<bool>& stop);

  // In microseconds, of every search.
  const std::vector<float>& latencies() const { return latencies_; }
  // Of the hits, those whose key had not changed around the search, so that they could be judged.
  uint64_t hits() const { return hits_; }
  uint64_t judged() const { return judged_; }
  // Answers with fewer than k hits.
  uint64_t short_answers() const { return short_answers_; }

 private:
  void Check(uint32_t query, const KeyModel::Moment& before, const SearchResult& result);
  void CheckHit(uint32_t query, const KeyModel::Moment& before, const Hit& hit);

  const Workload* const workload_;
  const KeyModel* const model_;
  Findings* const findings_;
  Collection* const collection_;
  const uint64_t seed_;
  std::vector<float> latencies_;
  uint64_t hits_ = 0;
  uint64_t judged_ = 0;
  uint64_t short_answers_ = 0;
};

}  // namespace varve::churn

#endif  // VARVE_BENCH_WORKLOAD_SEARCHER_H_
