// What is known of every key while threads change and search a collection, so that a wrong answer is told from one that
// a change under way explains.
//
// Each key has one word that says what it has been since when; "when" is a counter that goes on with every
// acknowledged change. A searcher reads the counter before its search and the word of each key in the answer after it:
// if the word is older than the search, the key was so through the whole of it, and the answer must agree.
//
// Thread-safe; a key is changed by one thread at a time.
#ifndef VARVE_BENCH_WORKLOAD_KEY_MODEL_H_
#define VARVE_BENCH_WORKLOAD_KEY_MODEL_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "varve/clock.h"

namespace varve::churn {

class KeyModel {
 public:
  // A moment before something was asked.
  struct Moment {
    uint64_t tick = 0;
    int64_t wall_ms = 0;
  };
  enum class State : uint8_t { kUnknown, kDead, kLive };
  struct Known {
    State state = State::kUnknown;
    uint32_t row = 0;      // of a live key: the number of its vector
    bool expires = false;  // of a live key: whether it expires some day
  };
  // When a record expires, as the writer can know it: between the two.
  struct Expiry {
    int64_t from_ms = INT64_MAX;
    int64_t until_ms = INT64_MAX;
  };

  KeyModel(uint32_t keys, Clock* clock);

  uint32_t keys() const { return static_cast<uint32_t>(words_.size()); }

  // Before the write that changes the key.
  void BeginChange(uint32_t key) { words_[key].store(0); }
  // After the write was acknowledged.
  void SetLive(uint32_t key, uint32_t row, const Expiry& expiry);
  void SetDead(uint32_t key);

  Moment Now() const { return {tick_.load(), NowMillis()}; }
  int64_t NowMillis() const { return clock_->WallMicros() / 1000; }
  // What the key was at every instant from `since` until now; unknown if it changed or expired in between.
  Known Throughout(uint32_t key, const Moment& since) const;

 private:
  void Set(uint32_t key, uint64_t low_bits);

  Clock* const clock_;
  std::atomic<uint64_t> tick_{1};
  // From the top: tick (38 bits), live (1), unused (1), row (24). 0: being changed.
  std::vector<std::atomic<uint64_t>> words_;
  std::vector<std::atomic<int64_t>> expires_from_ms_;
  std::vector<std::atomic<int64_t>> expires_until_ms_;
};

inline constexpr uint32_t kMaxModelRows = 1U << 24;

}  // namespace varve::churn

#endif  // VARVE_BENCH_WORKLOAD_KEY_MODEL_H_
