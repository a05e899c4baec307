#include "engine/background/maintenance.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/status.h"
#include "engine/background/flush_job.h"
#include "engine/background/merge_job.h"
#include "engine/background/merge_policy.h"

namespace varve {
namespace {

constexpr int64_t kFirstRetryMillis = 100;
constexpr int64_t kLastRetryMillis = 10'000;

}  // namespace

Maintenance::Maintenance(CollectionState* state, Publisher* publisher)
    : state_(state), publisher_(publisher), executor_(state->options.executor) {
  if (executor_ == nullptr) {
    own_pool_ = std::make_unique<ThreadPool>(1);
    executor_ = own_pool_.get();
  }
}

Maintenance::~Maintenance() { Stop(); }

void Maintenance::Start(WritePath* write_path) {
  write_path_ = write_path;
  timer_ = std::thread([this] { RunTimer(); });
  if (OldestFrozen() != nullptr) RequestFlush();
}

void Maintenance::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    cancellation_.Cancel();
    changed_.SignalAll();
    while (scheduled_ > 0) changed_.Wait(&mutex_);
  }
  if (timer_.joinable()) timer_.join();
}

void Maintenance::RequestFlush() {
  absl::MutexLock lock(&mutex_);
  ScheduleFlush();
}

void Maintenance::ScheduleFlush() {
  if (stopping_) return;
  ++scheduled_;
  executor_->Schedule([this] {
    MaintenanceResult ignored;
    (void)FlushFrozen(&ignored);  // its failure is kept for flush_status()
    absl::MutexLock done(&mutex_);
    --scheduled_;
    changed_.SignalAll();
  });
}

absl::Status Maintenance::flush_status() const {
  absl::MutexLock lock(&mutex_);
  return flush_status_;
}

void Maintenance::WriteHappened() {
  absl::MutexLock lock(&mutex_);
  if (write_happened_) return;
  write_happened_ = true;
  changed_.SignalAll();
}

std::shared_ptr<Memtable> Maintenance::OldestFrozen() const {
  const ViewRegistry::Pin pin = state_->views->PinCurrent(state_->visible);
  const auto& memtables = pin.view().memtables;
  return memtables.size() > 1 ? memtables.back() : nullptr;
}

absl::Status Maintenance::FlushFrozen(MaintenanceResult* result) {
  absl::MutexLock flushing(&flush_mutex_);
  absl::Status status;
  while (const std::shared_ptr<Memtable> memtable = OldestFrozen()) {
    if (cancellation_.cancelled()) break;
    status = FlushMemtable(state_, publisher_, memtable, &cancellation_, result);
    {
      absl::MutexLock lock(&mutex_);
      flush_status_ = status;
      retry_ms_ = status.ok() ? 0 : std::clamp(retry_ms_ * 2, kFirstRetryMillis, kLastRetryMillis);
      retry_at_us_ = state_->clock.MonotonicMicros() + retry_ms_ * 1000;
      if (!status.ok()) changed_.SignalAll();
    }
    write_path_->FlushEnded();
    if (!status.ok()) break;
    flushes_.fetch_add(1, std::memory_order_relaxed);
  }
  return status;
}

absl::StatusOr<MaintenanceResult> Maintenance::Flush() {
  absl::Status frozen;
  write_path_->RunExclusive([&] { frozen = write_path_->FreezeMemtable(); });
  RETURN_IF_ERROR(frozen);
  MaintenanceResult result;
  RETURN_IF_ERROR(FlushFrozen(&result));
  const pb::Manifest manifest = publisher_->manifest();
  result.generation = manifest.generation();
  result.checkpoint_id = manifest.checkpoint_id();
  return result;
}

absl::StatusOr<MaintenanceResult> Maintenance::Merge(bool full) {
  absl::MutexLock merging(&merge_mutex_);
  ASSIGN_OR_RETURN(MaintenanceResult result, Flush());
  for (;;) {
    std::vector<FileId> inputs;
    {
      const ViewRegistry::Pin pin = state_->views->PinCurrent(state_->visible);
      std::vector<const pb::SegmentEntry*> entries;
      for (const SegmentPart& part : pin.view().segments) entries.push_back(&part.entry);
      inputs = PickMerge(entries, full);
    }
    if (inputs.empty()) break;
    RETURN_IF_ERROR(MergeSegments(state_, publisher_, inputs, &cancellation_, &result));
    merges_.fetch_add(1, std::memory_order_relaxed);
    if (full) break;
  }
  const pb::Manifest manifest = publisher_->manifest();
  result.generation = manifest.generation();
  result.checkpoint_id = manifest.checkpoint_id();
  return result;
}

absl::StatusOr<MaintenanceResult> Maintenance::Checkpoint() {
  const uint64_t before = publisher_->manifest().generation();
  ASSIGN_OR_RETURN(MaintenanceResult result, Flush());
  // A flush that published has written a checkpoint with it.
  if (result.generation == before) {
    RETURN_IF_ERROR(publisher_->Publish({}));
    const pb::Manifest manifest = publisher_->manifest();
    result.generation = manifest.generation();
    result.checkpoint_id = manifest.checkpoint_id();
  }
  return result;
}

void Maintenance::RunTimer() {
  int64_t wait_ms = 0;  // 0: until something happens
  absl::MutexLock lock(&mutex_);
  while (!stopping_) {
    const int64_t retry_ms = retry_ms_;
    const int64_t sleep_ms = retry_ms > 0 && wait_ms > 0 ? std::min(retry_ms, wait_ms) : std::max(retry_ms, wait_ms);
    if (!write_happened_ || wait_ms > 0) {
      if (sleep_ms == 0) {
        changed_.Wait(&mutex_);
      } else {
        changed_.WaitWithTimeout(&mutex_, absl::Milliseconds(sleep_ms));
      }
    }
    if (stopping_) return;
    write_happened_ = false;
    if (retry_ms_ > 0 && scheduled_ == 0 && state_->clock.MonotonicMicros() >= retry_at_us_) ScheduleFlush();
    mutex_.Unlock();
    wait_ms = write_path_->Tick();
    mutex_.Lock();
  }
}

}  // namespace varve
