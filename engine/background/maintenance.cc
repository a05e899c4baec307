#include "engine/background/maintenance.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "engine/background/build_resources.h"
#include "engine/background/flush_job.h"
#include "engine/background/index_policy.h"
#include "engine/background/merge_job.h"

namespace varve {
namespace {

constexpr int64_t kFirstRetryMillis = 100;
constexpr int64_t kLastRetryMillis = 10'000;
// How long a merge waits for the memory that others hold. Who asked for it may hold it himself, by an open bulk load.
constexpr absl::Duration kBackgroundPatience = absl::Seconds(1);
constexpr absl::Duration kPatience = absl::Seconds(3);
constexpr int64_t kMemoryRetryMicros = 1'000'000;
// How soon expired rows are noticed for their merge. Readers never see them.
constexpr int64_t kExpiryCheckMicros = 30'000'000;
// How soon it is noticed that the last reader of a replaced state has gone.
constexpr int64_t kReadersCheckMillis = 1'000;

// Whether a flush left a field to an exact scan that is worth a graph, for which there is memory now.
bool LacksGraph(const Schema& schema, const SegmentPart& part, size_t memory_bytes) {
  if (part.entry.level() > 0) return false;
  for (size_t f = 0; f < schema.fields.size(); ++f) {
    const SegmentHandle::Field& field = part.handle->field(f);
    const bool by_policy = schema.fields[f].index.type == IndexType::kAuto;
    if (field.searcher == nullptr || !by_policy || field.info.index != IndexType::kFlat) continue;
    const absl::StatusOr<IndexChoice> choice =
        ChooseIndex(schema.fields[f], {.vectors = field.slots, .memory_bytes = memory_bytes});
    if (choice.ok() && choice->factory->traits().type != IndexType::kFlat) return true;
  }
  return false;
}

}  // namespace

Maintenance::Maintenance(CollectionState* state, Publisher* publisher)
    : state_(state),
      publisher_(publisher),
      executor_(state->options.executor),
      merge_executor_(state->options.merge_executor) {
  // Searches and writers go first; writers that are too fast for it are slowed in time.
  if (merge_executor_ == nullptr && executor_ == nullptr) {
    own_merge_pool_ = std::make_unique<ThreadPool>(1, ThreadPriority::kLow);
    merge_executor_ = own_merge_pool_.get();
  }
  if (executor_ == nullptr) {
    own_pool_ = std::make_unique<ThreadPool>(1, ThreadPriority::kLow);
    executor_ = own_pool_.get();
  }
  if (merge_executor_ == nullptr) merge_executor_ = executor_;
}

Maintenance::~Maintenance() { Stop(); }

void Maintenance::Start(WritePath* write_path) {
  write_path_ = write_path;
  timer_ = std::thread([this] { RunTimer(); });
  if (OldestFrozen(kMaxSequence) != nullptr) RequestFlush();
  RequestMerge();
}

void Maintenance::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    cancellation_.Cancel();
    if (running_merge_ != nullptr) running_merge_->Cancel();
    // A merge that has not begun may stand behind the long one of another collection: it never will.
    if (merge_claimed_ != nullptr && !merge_claimed_->exchange(true)) --scheduled_;
    changed_.SignalAll();
    while (scheduled_ > 0) changed_.Wait(&mutex_);
  }
  if (timer_.joinable()) timer_.join();
}

void Maintenance::Schedule(Executor* executor, std::function<void()> task) {
  ++scheduled_;
  executor->Schedule([this, task = std::move(task)] {
    task();
    absl::MutexLock done(&mutex_);
    --scheduled_;
    changed_.SignalAll();
  });
}

void Maintenance::RequestFlush() {
  absl::MutexLock lock(&mutex_);
  ScheduleFlush();
}

void Maintenance::ScheduleFlush() {
  if (stopping_) return;
  ++flushes_scheduled_;
  Schedule(executor_, [this] {
    MaintenanceResult ignored;
    (void)FlushFrozen(kMaxSequence, &ignored);  // its failure is kept for flush_status()
    absl::MutexLock lock(&mutex_);
    --flushes_scheduled_;
  });
}

void Maintenance::RequestFreezeAndFlush() {
  absl::MutexLock lock(&mutex_);
  if (stopping_ || full_flush_scheduled_) return;
  full_flush_scheduled_ = true;
  Schedule(executor_, [this] {
    {
      absl::MutexLock begun(&mutex_);
      full_flush_scheduled_ = false;
    }
    (void)FreezeAndFlush();
  });
}

absl::Status Maintenance::FreezeAndFlush() {
  ASSIGN_OR_RETURN(const Sequence goal, Freeze());
  MaintenanceResult ignored;
  return FlushFrozen(goal, &ignored);
}

void Maintenance::RequestMerge() {
  absl::MutexLock lock(&mutex_);
  ScheduleMerge();
}

void Maintenance::ScheduleMerge() {
  if (stopping_ || !state_->options.background_merges) return;
  if (merge_scheduled_) {
    merge_again_ = true;  // what runs may have looked already
    return;
  }
  merge_scheduled_ = true;
  merge_claimed_ = std::make_shared<std::atomic<bool>>(false);
  ++scheduled_;
  merge_executor_->Schedule([this, claimed = merge_claimed_] {
    if (claimed->exchange(true)) return;  // by Stop: there may be nobody any more
    MergeInBackground();
    absl::MutexLock done(&mutex_);
    --scheduled_;
    changed_.SignalAll();
  });
}

bool Maintenance::merges_run() const {
  absl::MutexLock lock(&mutex_);
  return merge_scheduled_ && !merges_fail_;
}

absl::Status Maintenance::merge_status() const {
  absl::MutexLock lock(&mutex_);
  return merge_status_;
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

std::shared_ptr<Memtable> Maintenance::OldestFrozen(Sequence goal) const {
  const ViewRegistry::Pin pin = state_->views->PinCurrent(state_->visible);
  const auto& memtables = pin.view().memtables;
  return memtables.size() > 1 && memtables.back()->last_sequence <= goal ? memtables.back() : nullptr;
}

absl::Status Maintenance::FlushFrozen(Sequence goal, MaintenanceResult* result) {
  for (;;) {
    std::shared_ptr<Memtable> memtable;
    {
      absl::MutexLock lock(&mutex_);
      for (;;) {
        memtable = OldestFrozen(goal);
        if (memtable == nullptr) return absl::OkStatus();
        if (stopping_) return Cancelled("the collection is being closed");
        if (!flushing_) break;
        changed_.Wait(&mutex_);
      }
      flushing_ = true;
    }
    const absl::Status status = FlushMemtable(state_, publisher_, memtable, &cancellation_, result);
    {
      absl::MutexLock lock(&mutex_);
      flushing_ = false;
      flush_status_ = status;
      retry_ms_ = status.ok() ? 0 : std::clamp(retry_ms_ * 2, kFirstRetryMillis, kLastRetryMillis);
      retry_at_us_ = state_->clock.MonotonicMicros() + retry_ms_ * 1000;
      changed_.SignalAll();
    }
    write_path_->FlushEnded();
    RETURN_IF_ERROR(status);
    flushes_.fetch_add(1, std::memory_order_relaxed);
    RequestMerge();
  }
}

absl::StatusOr<Sequence> Maintenance::Freeze() {
  absl::Status frozen;
  Sequence end = 0;
  write_path_->RunExclusive([&] {
    frozen = write_path_->FreezeMemtable();
    const auto& memtables = state_->views->current()->memtables;
    if (memtables.size() > 1) end = memtables[1]->last_sequence;
  });
  RETURN_IF_ERROR(frozen);
  return end;
}

absl::StatusOr<MaintenanceResult> Maintenance::Flush() {
  ASSIGN_OR_RETURN(const Sequence goal, Freeze());
  MaintenanceResult result;
  RETURN_IF_ERROR(FlushFrozen(goal, &result));
  NoteGeneration(&result);
  return result;
}

void Maintenance::NoteGeneration(MaintenanceResult* result) const {
  const pb::Manifest manifest = publisher_->manifest();
  result->generation = manifest.generation();
  result->checkpoint_id = manifest.checkpoint_id();
}

Maintenance::MergeScope Maintenance::ScopeOfNow() const {
  MergeScope scope;
  const ViewRegistry::Pin pin = state_->views->PinCurrent(state_->visible);
  for (const SegmentPart& part : pin.view().segments) scope.segments.insert(part.entry.id());
  scope.now_ms = state_->clock.NowMillis();
  return scope;
}

std::optional<MergePlan> Maintenance::PlanMerge(MergeKind kind, const MergeScope* scope, size_t memory_bytes) {
  const Sequence replayed_from = publisher_->manifest().wal_sequence();
  const ViewRegistry::Pin pin = state_->views->PinCurrent(state_->visible);
  const int64_t now_ms = scope != nullptr ? scope->now_ms : state_->clock.NowMillis();
  const int64_t now_us = state_->clock.MonotonicMicros();
  expiry_.Forget(pin.view());
  backoff_.Forget(pin.view());
  std::vector<MergeCandidate> candidates;
  for (const SegmentPart& part : pin.view().segments) {
    const FileId id = part.entry.id();
    // Replay of the log would look for the file of an import that is still in it.
    if (part.entry.ingest_sequence() > replayed_from) continue;
    if (scope != nullptr && scope->made.contains(id)) {
      candidates.push_back({id, part.entry.live_rows(), part.entry.live_rows(), part.segment().row_bytes(), false});
      continue;
    }
    if (scope != nullptr ? !scope->segments.contains(id) : backoff_.LeavesOut(id, now_us)) continue;
    const uint64_t expired = std::min(expiry_.Expired(part, now_ms), part.entry.live_rows());
    candidates.push_back({id, part.entry.rows(), part.entry.live_rows() - expired, part.segment().row_bytes(),
                          LacksGraph(state_->schema, part, memory_bytes)});
  }
  MergeLimits limits;
  limits.max_rows = MaxRowsFor(state_->schema, memory_bytes);
  limits.max_row_bytes = memory_bytes / 2;  // beside what a build holds for each row
  limits.max_segments = static_cast<size_t>(state_->options.max_segments);
  if (scope == nullptr) limits.max_rows = std::min(limits.max_rows, backoff_.max_rows(now_us));
  switch (kind) {
    case MergeKind::kDue: {
      std::optional<MergePlan> plan = PickMerge(candidates, limits);
      const bool settled = !plan.has_value() && backoff_.next_try_us(now_us) == 0 &&
                           memory_bytes >= state_->budget->share(MemoryBudget::Use::kBuilds);
      if (settled) settled_segments_.store(pin.view().segments.size(), std::memory_order_relaxed);
      return plan;
    }
    case MergeKind::kRequested:
      return PickRequestedMerge(candidates, limits);
    case MergeKind::kFull:
      return PickFullMerge(candidates, limits);
  }
  return std::nullopt;
}

absl::Status Maintenance::MergeOnce(const MergePlan& plan, absl::Duration patience, MaintenanceResult* result) {
  Cancellation cancellation;
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_) return Cancelled("the collection is being closed");
    running_merge_ = &cancellation;
  }
  const auto merge = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const size_t bytes, BuildBytes(*state_, PurposeOf(plan), plan.rows, plan.row_bytes));
    ASSIGN_OR_RETURN(const MemoryLease lease, MemoryLease::Wait(state_->budget, bytes, patience, &cancellation));
    return MergeSegments(state_, publisher_, plan, &cancellation, result);
  };
  const absl::Status status = merge();
  absl::MutexLock lock(&mutex_);
  running_merge_ = nullptr;
  changed_.SignalAll();
  return status;
}

void Maintenance::NoteFailure(const MergePlan& plan, const absl::Status& status) {
  const int64_t now_us = state_->clock.MonotonicMicros();
  settled_segments_.store(0, std::memory_order_relaxed);
  if (absl::IsResourceExhausted(status) && plan.inputs.size() > 1) {
    backoff_.TooLarge(plan.rows, now_us);
    return;
  }
  std::vector<FileId> causes;
  if (absl::IsDataLoss(status) || absl::IsNotFound(status)) causes = FindDamaged(*state_, plan.inputs);
  backoff_.Failed(causes.empty() ? plan.inputs : causes, now_us);
}

absl::Status Maintenance::MergeAll(MergeKind kind, MergeScope* scope, MaintenanceResult* result) {
  const size_t share = state_->budget->share(MemoryBudget::Use::kBuilds);
  absl::Status failure;
  absl::Status no_memory;
  for (;;) {
    // Once memory has been waited for in vain, what fits into the rest of it.
    const size_t used = no_memory.ok() ? 0 : state_->budget->used(MemoryBudget::Use::kBuilds);
    const std::optional<MergePlan> plan = PlanMerge(kind, scope, share - std::min(share, used));
    if (!plan.has_value()) return failure.ok() ? no_memory : failure;
    const size_t added = result->segments_added.size();
    const absl::Status status = MergeOnce(*plan, scope != nullptr ? kPatience : kBackgroundPatience, result);
    if (absl::IsUnavailable(status) && no_memory.ok()) {
      no_memory = status;
      continue;
    }
    if (scope == nullptr && !status.ok() && !absl::IsCancelled(status) && !absl::IsUnavailable(status)) {
      NoteFailure(*plan, status);
      failure.Update(status);
      absl::MutexLock lock(&mutex_);
      merge_status_ = status;  // at once: other merges may take long
      continue;
    }
    RETURN_IF_ERROR(status);
    if (scope != nullptr) {
      scope->made.insert(result->segments_added.begin() + static_cast<std::ptrdiff_t>(added),
                         result->segments_added.end());
    } else {
      backoff_.Succeeded(plan->rows);
    }
    merges_.fetch_add(1, std::memory_order_relaxed);
    write_path_->FlushEnded();  // writers that wait for fewer segments look again
    if (kind == MergeKind::kDue) {
      absl::MutexLock lock(&mutex_);
      if (full_merges_waiting_ > 0) return failure;
    }
  }
}

void Maintenance::MergeInBackground() {
  absl::Status status;
  int64_t next_try_us = 0;
  {
    absl::MutexLock merging(&merge_mutex_);
    MaintenanceResult ignored;
    status = MergeAll(MergeKind::kDue, nullptr, &ignored);
    next_try_us = backoff_.next_try_us(state_->clock.MonotonicMicros());
  }
  const bool expiring = ExpiryCounter::HasExpiring(state_->views->PinCurrent(state_->visible).view());
  absl::MutexLock lock(&mutex_);
  merge_scheduled_ = false;
  const bool failed = !status.ok() && !absl::IsCancelled(status) && !absl::IsUnavailable(status);
  merges_fail_ = failed;
  if (failed) merge_status_ = status;
  if (status.ok() && next_try_us == 0) merge_status_ = absl::OkStatus();
  if (std::exchange(merge_again_, false) && status.ok()) {
    ScheduleMerge();
    return;
  }
  int64_t next_check_us = next_try_us;
  const auto look_at = [&next_check_us](int64_t us) {
    next_check_us = next_check_us == 0 ? us : std::min(next_check_us, us);
  };
  const int64_t now = state_->clock.MonotonicMicros();
  if (absl::IsUnavailable(status)) look_at(now + kMemoryRetryMicros);
  if (expiring) look_at(now + kExpiryCheckMicros);
  next_merge_check_us_ = next_check_us;
  changed_.SignalAll();
}

absl::StatusOr<MaintenanceResult> Maintenance::Merge(bool full) {
  absl::StatusOr<MaintenanceResult> result = MergeNow(full);
  // What is due beside it, and what a merge that was cancelled for it has left.
  RequestMerge();
  return result;
}

absl::StatusOr<MaintenanceResult> Maintenance::MergeNow(bool full) {
  {
    absl::MutexLock lock(&mutex_);
    ++full_merges_waiting_;
    if (full && running_merge_ != nullptr) running_merge_->Cancel();
  }
  absl::MutexLock merging(&merge_mutex_);
  {
    absl::MutexLock lock(&mutex_);
    --full_merges_waiting_;
  }
  ASSIGN_OR_RETURN(MaintenanceResult result, Flush());
  MergeScope scope = ScopeOfNow();
  const absl::Status status = MergeAll(full ? MergeKind::kFull : MergeKind::kRequested, &scope, &result);
  if (absl::IsUnavailable(status)) return ResourceExhausted("merge: " + std::string(status.message()));
  RETURN_IF_ERROR(status);
  // What was added and folded again at once was never there.
  std::erase_if(result.segments_added, [&](FileId id) {
    const auto removed = std::find(result.segments_removed.begin(), result.segments_removed.end(), id);
    if (removed == result.segments_removed.end()) return false;
    result.segments_removed.erase(removed);
    return true;
  });
  NoteGeneration(&result);
  return result;
}

absl::StatusOr<MaintenanceResult> Maintenance::Checkpoint() {
  const uint64_t before = publisher_->manifest().generation();
  ASSIGN_OR_RETURN(MaintenanceResult result, Flush());
  // A flush that published has written a checkpoint with it.
  if (result.generation == before) {
    RETURN_IF_ERROR(publisher_->Publish({}));
    NoteGeneration(&result);
  }
  return result;
}

void Maintenance::RunTimer() {
  int64_t wait_ms = 0;  // 0: until something happens
  absl::MutexLock lock(&mutex_);
  while (!stopping_) {
    int64_t sleep_ms = 0;
    bool timed_out = false;
    const auto sleep_at_most = [&](int64_t ms) { sleep_ms = sleep_ms == 0 ? ms : std::min(sleep_ms, ms); };
    if (retry_ms_ > 0) sleep_at_most(retry_ms_);
    if (wait_ms > 0) sleep_at_most(wait_ms);
    if (publisher_->keeps_files() || state_->views->retired() > 0) sleep_at_most(kReadersCheckMillis);
    if (next_merge_check_us_ > 0) {
      sleep_at_most(std::max<int64_t>((next_merge_check_us_ - state_->clock.MonotonicMicros()) / 1000, 1));
    }
    if (!write_happened_ || wait_ms > 0) {
      if (sleep_ms == 0) {
        changed_.Wait(&mutex_);
      } else {
        timed_out = changed_.WaitWithTimeout(&mutex_, absl::Milliseconds(sleep_ms));
      }
    }
    if (stopping_) return;
    write_happened_ = false;
    const int64_t now = state_->clock.MonotonicMicros();
    if (retry_ms_ > 0 && flushes_scheduled_ == 0 && now >= retry_at_us_) ScheduleFlush();
    if (next_merge_check_us_ > 0 && now >= next_merge_check_us_) {
      next_merge_check_us_ = 0;
      ScheduleMerge();
    }
    const bool left = publisher_->keeps_files() || state_->views->retired() > 0;
    if (!left) {
      next_removal_us_ = 0;
    } else if (next_removal_us_ == 0) {
      next_removal_us_ = now + kReadersCheckMillis * 1000;
    } else if (!removal_scheduled_ && (timed_out || now >= next_removal_us_)) {
      removal_scheduled_ = true;
      next_removal_us_ = now + kReadersCheckMillis * 1000;
      Schedule(merge_executor_, [this] {
        publisher_->RemoveLeft();
        absl::MutexLock done(&mutex_);
        removal_scheduled_ = false;
      });
    }
    mutex_.Unlock();
    wait_ms = write_path_->Tick();
    mutex_.Lock();
  }
}

}  // namespace varve
