// One thread's part of a history: it calls a collection at random and notes what it was told.
#ifndef VARVE_TESTS_SUPPORT_HISTORY_CLIENT_H_
#define VARVE_TESTS_SUPPORT_HISTORY_CLIENT_H_

#include <array>
#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "tests/support/history.h"
#include "varve/collection.h"

namespace varve::testing {

// The order in which calls begin and end. Thread-safe.
class HistoryClock {
 public:
  uint64_t Stamp() {
#if defined(__SANITIZE_THREAD__)
    // The stamps must not order what the engine forgot to order. (The instruction is the same.)
    return stamp_.fetch_add(1, std::memory_order_relaxed);
#else
    return stamp_.fetch_add(1);
#endif
  }

 private:
  std::atomic<uint64_t> stamp_{1};
};

// The namespace and key of key `number` of a history: the last three are in a namespace of their own.
std::pair<std::string, std::string> HistoryKey(size_t number);

// Reads the whole of a collection that stands still, and its sequence. Fails the test if a read fails.
void ReadPrefix(Collection* collection, PrefixRead* prefix);

// Thread-compatible; fails the test if a call fails as none should, or if a record is not one that was written.
class HistoryClient {
 public:
  HistoryClient(Collection* collection, HistoryClock* clock, int thread, int threads, uint64_t seed);

  void CallSomething();
  // Must be called before the collection is closed.
  void DropSnapshots() { snapshots_.clear(); }
  std::vector<Call>& calls() { return calls_; }

 private:
  struct HeldSnapshot {
    Snapshot snapshot;
    size_t call;
  };

  Step RandomStep();
  void AddStep(const Step& step, WriteBatch* batch);
  void WriteBatchOf(size_t steps);
  void DeleteNamespace();
  void BulkLoadSome();
  void TakeSnapshot();
  void DropSnapshot();
  // Reads in one of several ways, through the snapshot if there is one.
  void Read(const Snapshot* snapshot, Call* call);
  void Get(const ReadOptions& options, Call* call);
  void Search(const ReadOptions& options, Call* call);
  void Scan(const ReadOptions& options, Call* call);
  void Learn(const Call& call);
  // Begins a call of this thread; End notes it.
  Call Begin() const;
  Call& End(Call call);

  Collection* const collection_;
  HistoryClock* const clock_;
  const int thread_;
  const int threads_;
  Random random_;
  uint32_t marks_ = 0;
  std::array<Seen, kHistoryKeys> known_;  // as last read; for conditions
  std::vector<Call> calls_;
  std::vector<HeldSnapshot> snapshots_;
};

}  // namespace varve::testing

#endif  // VARVE_TESTS_SUPPORT_HISTORY_CLIENT_H_
