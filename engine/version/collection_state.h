// What the parts of an open collection share: where it lies, what it holds, and the few counters that all of them move.
// Made by recovery; lives as long as the collection. Thread-safe as noted.
#ifndef VARVE_ENGINE_VERSION_COLLECTION_STATE_H_
#define VARVE_ENGINE_VERSION_COLLECTION_STATE_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/uuid.h"
#include "engine/observe/collection_metrics.h"
#include "engine/observe/event_dispatcher.h"
#include "engine/version/read_view.h"
#include "varve/clock.h"
#include "varve/file_system.h"
#include "varve/memory_budget.h"
#include "varve/options.h"
#include "varve/schema.h"
#include "varve/stats.h"

namespace varve {

// Wall time that never goes back, within a process and, by way of the manifest, across openings. Thread-safe.
class EngineClock {
 public:
  EngineClock(Clock* clock, int64_t at_least_ms) : clock_(clock), largest_us_(at_least_ms * 1000) {}

  int64_t NowMicros() {
    const int64_t now = clock_->WallMicros();
    int64_t largest = largest_us_.load(std::memory_order_relaxed);
    while (now > largest && !largest_us_.compare_exchange_weak(largest, now, std::memory_order_relaxed)) {
    }
    return std::max(now, largest);
  }
  int64_t NowMillis() { return NowMicros() / 1000; }
  int64_t MonotonicMicros() { return clock_->MonotonicMicros(); }
  Clock* source() const { return clock_; }

 private:
  Clock* const clock_;
  std::atomic<int64_t> largest_us_;
};

// Numbers of files, and which of them are being made: garbage collection leaves those alone. Thread-safe.
class FileIds {
 public:
  explicit FileIds(FileId next) : next_(next) {}
  FileId next() const { return next_.load(); }
  // A number for a file that the manifest will name; pending until Settle.
  FileId Reserve() {
    const FileId id = next_.fetch_add(1);
    absl::MutexLock lock(&mutex_);
    pending_.insert(id);
    return id;
  }
  // A file that recovery found, and that no manifest names yet.
  void Hold(FileId id) {
    absl::MutexLock lock(&mutex_);
    pending_.insert(id);
  }
  void Settle(FileId id) {
    absl::MutexLock lock(&mutex_);
    pending_.erase(id);
  }
  bool IsPending(FileId id) const {
    absl::MutexLock lock(&mutex_);
    return pending_.contains(id);
  }

 private:
  std::atomic<FileId> next_;
  mutable absl::Mutex mutex_;
  std::set<FileId> pending_ ABSL_GUARDED_BY(mutex_);
};

struct CollectionState {
  CollectionState(FileSystem* file_system, std::string path, const Options& given, Schema its_schema, Clock* time,
                  int64_t clock_reading_ms, FileId next_file_id)
      : fs(file_system),
        directory(std::move(path)),
        options(given),
        schema(std::move(its_schema)),
        own_budget(given.memory_budget == nullptr ? std::make_unique<MemoryBudget>(given.memory_bytes) : nullptr),
        budget(given.memory_budget != nullptr ? given.memory_budget : own_budget.get()),
        clock(time, clock_reading_ms),
        file_ids(next_file_id),
        events(options.listeners) {}

  FileSystem* const fs;
  const std::string directory;
  const Options options;
  const Schema schema;                             // its address is stable: memtables and handles refer to it
  const std::unique_ptr<MemoryBudget> own_budget;  // null: the options name one
  MemoryBudget* const budget;
  Uuid uuid;
  Uuid secret;
  mutable EngineClock clock;  // looking at it changes nothing that others see
  FileIds file_ids;
  std::unique_ptr<ViewRegistry> views;
  // The largest sequence whose effects readers see.
  std::atomic<Sequence> visible{0};
  RecoveryInfo recovery;
  const EventDispatcher events;
  // What is counted changes no state: it may be counted through a const state.
  const std::unique_ptr<CollectionMetrics> metrics = std::make_unique<CollectionMetrics>();

  // How large a memtable may become: so that one can be filled while others are flushed, and is quickly scanned.
  Memtable::Limits MemtableLimits() const;
  std::shared_ptr<Memtable> NewMemtable() const {
    return std::make_shared<Memtable>(schema, MemtableLimits(), options.seed, budget);
  }
  // Threads for an index build.
  int BuildThreads() const;
};

}  // namespace varve

#endif  // VARVE_ENGINE_VERSION_COLLECTION_STATE_H_
