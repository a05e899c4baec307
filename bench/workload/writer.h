// One thread's changes: every key of its own is replaced, or deleted and later inserted again, pass after pass, each
// pass in a new random order.
#ifndef VARVE_BENCH_WORKLOAD_WRITER_H_
#define VARVE_BENCH_WORKLOAD_WRITER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "base/random.h"
#include "bench/workload/findings.h"
#include "bench/workload/key_model.h"
#include "bench/workload/workload.h"
#include "varve/collection.h"

namespace varve::churn {

// Thread-compatible.
class Writer {
 public:
  // The keys whose number modulo `of` is `index`.
  Writer(const Workload* workload, KeyModel* model, Findings* findings, Collection* collection, int index, int of);

  // Whether everything was written; a failure is a finding.
  bool Run();

  uint64_t operations() const { return operations_; }
  uint64_t rows_put() const { return rows_put_; }

 private:
  enum class Kind : uint8_t { kPut, kInsert, kDelete };
  struct Change {
    Kind kind;
    uint32_t key;
    uint32_t row = 0;
    std::optional<int64_t> ttl_seconds;
  };

  bool Touch(uint32_t key, uint32_t row, uint32_t until);
  // Appends to the batch, and writes it when it is full.
  bool Add(Kind kind, uint32_t key, uint32_t row);
  bool Commit();
  void Pace();

  const Workload* const workload_;
  KeyModel* const model_;
  Findings* const findings_;
  Collection* const collection_;
  const int writers_;
  Random random_;
  std::vector<uint32_t> keys_;
  std::vector<bool> is_dead_;      // by key
  std::vector<uint32_t> waiting_;  // deleted, to be inserted again
  std::vector<Change> batch_;
  size_t batch_size_ = 1;
  int64_t start_us_ = 0;
  uint64_t operations_ = 0;
  uint64_t rows_put_ = 0;
};

// The keys' vectors in a pass: a permutation, so that after each pass every vector is there once.
std::vector<uint32_t> VectorsOfPass(uint32_t keys, uint64_t seed, uint32_t pass);

}  // namespace varve::churn

#endif  // VARVE_BENCH_WORKLOAD_WRITER_H_
