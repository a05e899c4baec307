// How far a long piece of work is, on stderr: drawn only if that is a terminal, and only once a second has passed.
// Thread-safe.
#ifndef VARVE_CLI_PROGRESS_H_
#define VARVE_CLI_PROGRESS_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace varve::cli {

class Progress {
 public:
  // `unit` names what is counted ("rows"); `total` 0: unknown.
  Progress(std::string unit, uint64_t total);
  // Wipes the bar.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Adds to what is done, and draws the bar now and then.
  void Add(uint64_t count);

 private:
  void Draw(uint64_t done, int64_t now_us) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string unit_;
  const uint64_t total_;
  const bool shown_;
  const int64_t start_us_;
  std::atomic<uint64_t> done_{0};
  std::atomic<int64_t> next_us_;  // when the bar is due
  absl::Mutex mutex_;
  size_t drawn_width_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace varve::cli

#endif  // VARVE_CLI_PROGRESS_H_
