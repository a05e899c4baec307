#include "engine/write/write_path.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "base/seeded_bug.h"
#include "base/status.h"
#include "engine/observe/observer.h"
#include "engine/version/part_opener.h"
#include "log.pb.h"

namespace varve {
namespace {

// After so long without a write, an entry is appended that vouches for the writes before it.
constexpr int64_t kIdleMillis = 1000;
// Largest group: more would only add latency.
constexpr size_t kMaxGroupBytes = size_t{8} << 20;
constexpr int64_t kMaxMemoryWaitMicros = 10'000'000;
// Every look at a row of the segment passes them.
constexpr uint32_t kMaxDeathRanges = 64;
// A tenth of a segment's rows, but for segments that are small anyway.
constexpr uint32_t kDeathsPerRows = 10;
constexpr uint32_t kFewDeaths = 1000;

}  // namespace

Memtable::Row* ApplyEffect(const ReadView& view, const Effect& effect, Memtable::Row* made) {
  Memtable& memtable = *view.memtables.front();
  // The new row comes first: a reader that looks the key up meanwhile sees the old one or the new one by its sequence.
  Memtable::Row* row = effect.has_row ? memtable.Insert(effect.row, effect.sequence) : nullptr;
  if (made != nullptr) {
    memtable.Kill(made, effect.sequence);
  } else if (effect.old.memtable != nullptr) {
    effect.old.memtable->Kill(effect.old.memtable_row, effect.sequence);
  } else if (effect.old.part != nullptr) {
    effect.old.part->deaths->Kill(effect.old.row, effect.sequence);
  }
  return row;
}

void KillNamespace(const ReadView& view, std::string_view ns, const NamespaceRanges& ranges, Sequence killer) {
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (ranges[i].first < ranges[i].second) {
      view.segments[i].deaths->KillRange(ranges[i].first, ranges[i].second, killer);
    }
  }
  for (const std::shared_ptr<Memtable>& memtable : view.memtables) {
    for (Memtable::Row* row = memtable->LowerBound(ns, ""); row != nullptr && row->ns == ns;
         row = Memtable::Next(row)) {
      // In a salvage rows of later loads may be there before the log tells of the delete.
      if (row->born < killer && row->killer.load(std::memory_order_relaxed) == 0) memtable->Kill(row, killer);
    }
  }
}

WritePath::WritePath(CollectionState* state, LogManager* log, SyncMode mode, Hooks hooks)
    : state_(state),
      log_(log),
      hooks_(std::move(hooks)),
      queue_(std::min(kMaxGroupBytes, state->MemtableLimits().bytes),
             [this](absl::Span<WriteQueue::Request* const> group) { CommitGroup(group); }) {
  absl::MutexLock lock(&durability_mutex_);
  durability_.mode = mode;
}

absl::Status WritePath::Write(const WriteBatch& batch, const WriteOptions& options) {
  RETURN_IF_ERROR(log_->poison());
  ASSIGN_OR_RETURN(PreparedBatch prepared, PrepareBatch(state_->schema, batch));
  return Write(&prepared, options);
}

absl::Status WritePath::Write(PreparedBatch* batch, const WriteOptions& options) {
  RETURN_IF_ERROR(log_->poison());
  if (batch->operations.empty()) return absl::OkStatus();
  if (const size_t limit = state_->MemtableLimits().bytes; batch->bytes > limit) {
    return InvalidArgument("batch has about " + std::to_string(batch->bytes) + " bytes, more than a memtable holds (" +
                           std::to_string(limit) + ")");
  }
  return queue_.Commit(batch, options);
}

void WritePath::CommitGroup(absl::Span<WriteQueue::Request* const> group) {
  size_t bytes = 0;
  size_t rows = 0;
  for (const WriteQueue::Request* request : group) {
    bytes += request->batch->bytes;
    rows += request->batch->rows;
  }
  absl::Status status = log_->poison();
  if (status.ok()) {
    Pace();
    status = MakeRoom(bytes, rows);
  }
  if (!status.ok()) {
    for (WriteQueue::Request* request : group) request->status = status;
    return;
  }
  WriteResolver resolver(state_->schema, *state_->views->current(), state_->visible.load(std::memory_order_relaxed) + 1,
                         state_->clock.NowMicros());
  std::vector<WriteQueue::Request*> accepted;
  for (WriteQueue::Request* request : group) {
    request->status = resolver.Add(request->batch);
    if (request->status.ok()) accepted.push_back(request);
  }
  if (accepted.empty()) return;
  status = LogAndApply(accepted, &resolver);
  if (!status.ok()) log_->ReportEvents();
  for (WriteQueue::Request* request : accepted) {
    if (VARVE_SEEDED_BUG(kFollowersAcked) && request != accepted.front()) continue;
    request->status = status;
    if (status.ok()) CountOperations(*request->batch);
  }
}

void WritePath::CountOperations(const PreparedBatch& batch) {
  for (const PreparedOperation& operation : batch.operations) {
    if (!operation.left_out) state_->metrics->writes[static_cast<size_t>(operation.kind)].Add();
  }
}

absl::Status WritePath::LogAndApply(absl::Span<WriteQueue::Request* const> group, WriteResolver* resolver) {
  std::vector<Effect>& effects = resolver->effects();
  if (effects.empty()) return absl::OkStatus();  // deletes of absent keys
  if (VARVE_SEEDED_BUG(kAppliedBeforeLog)) Apply(&effects);
  RETURN_IF_ERROR(log_->EnsureOpen(effects.front().sequence));
  std::vector<LogEntry> entries;
  entries.reserve(effects.size());
  for (const Effect& effect : effects) {
    entries.push_back({effect.type, effect.payload, effect.first_of_batch, effect.last_of_batch});
  }
  RETURN_IF_ERROR(log_->Append(entries));
  bool demanded = false;
  uint64_t operations = 0;
  for (const WriteQueue::Request* request : group) {
    demanded = demanded || request->options.sync;
    operations += request->batch->operations.size();
  }
  RETURN_IF_ERROR(SyncAsMode(operations, demanded));
  if (!VARVE_SEEDED_BUG(kAppliedBeforeLog)) Apply(&effects);
  return absl::OkStatus();
}

absl::Status WritePath::SyncAsMode(uint64_t operations, bool demanded) {
  const int64_t now = state_->clock.MonotonicMicros();
  bool sync = demanded;
  {
    absl::MutexLock lock(&durability_mutex_);
    Durability& d = durability_;
    d.last_write_us = now;
    d.idle_entry_due = true;
    if (d.unsynced_operations == 0) d.oldest_unsynced_us = now;
    d.unsynced_operations += operations;
    switch (d.mode.kind) {
      case SyncMode::Kind::kPerOp:
        sync = true;
        break;
      case SyncMode::Kind::kEveryN:
        sync = sync || d.unsynced_operations >= d.mode.n + (VARVE_SEEDED_BUG(kEveryNPlusOne) ? 1 : 0);
        break;
      case SyncMode::Kind::kInterval:
        sync = sync || (now - d.oldest_unsynced_us >= static_cast<int64_t>(d.mode.interval_ms) * 1000 &&
                        !VARVE_SEEDED_BUG(kNoInterval));
        break;
      case SyncMode::Kind::kOnFlush:
        break;
    }
  }
  if (!sync || VARVE_SEEDED_BUG(kAckBeforeSync)) return absl::OkStatus();
  RETURN_IF_ERROR(log_->Sync());
  absl::MutexLock lock(&durability_mutex_);
  durability_.unsynced_operations = 0;
  return absl::OkStatus();
}

void WritePath::Apply(std::vector<Effect>* effects) {
  const ReadView& view = *state_->views->current();
  std::vector<Memtable::Row*> made(effects->size());
  for (size_t i = 0; i < effects->size(); ++i) {
    const Effect& effect = (*effects)[i];
    if (effect.deleted_namespace != nullptr) {
      KillNamespace(view, *effect.deleted_namespace, effect.namespace_ranges, effect.sequence);
    } else {
      made[i] =
          ApplyEffect(view, effect, effect.old_effect >= 0 ? made[static_cast<size_t>(effect.old_effect)] : nullptr);
    }
  }
  deaths_came_ = deaths_came_ || std::any_of(effects->begin(), effects->end(), [](const Effect& effect) {
                   return effect.old.part != nullptr || effect.deleted_namespace != nullptr;
                 });
  view.memtables.front()->last_sequence = effects->back().sequence;
  state_->visible.store(effects->back().sequence, std::memory_order_seq_cst);
}

size_t WritePath::frozen() const { return state_->views->current()->memtables.size() - 1; }

WriteLoad WritePath::Load() const {
  const ReadView& view = *state_->views->current();
  const Memtable& memtable = *view.memtables.front();
  const Memtable::Limits limits = state_->MemtableLimits();
  WriteLoad load;
  load.frozen_memtables = frozen();
  load.max_frozen_memtables = static_cast<size_t>(state_->options.max_frozen_memtables);
  load.memtable_fill = std::max(static_cast<double>(memtable.bytes()) / static_cast<double>(limits.bytes),
                                static_cast<double>(memtable.rows()) / static_cast<double>(limits.rows));
  load.segments = view.segments.size();
  // Segments that are as large as memory allows are there to stay: waiting would not make them fewer.
  load.max_segments = std::max(static_cast<size_t>(state_->options.max_segments), hooks_.settled_segments());
  load.merges_run = hooks_.merges_run();
  return load;
}

void WritePath::Stall(StallReason reason, const std::function<bool()>& ready) {
  const StallScope stall(state_, reason);
  queue_.WaitRunningSteps(ready);
}

void WritePath::Pace() {
  const WriteDelay delay = DelayFor(Load());
  if (delay.reason == StallReason::kNone) return;
  if (delay.wait) {
    Stall(delay.reason, [&] { return !DelayFor(Load()).wait; });
  } else if (delay.microseconds > 0) {
    const StallScope stall(state_, delay.reason);
    absl::SleepFor(absl::Microseconds(delay.microseconds));
  }
}

void WritePath::PaceLoad(const std::atomic<bool>& closed) {
  const auto waits = [&] {
    WriteDelay delay;
    queue_.RunExclusive([&] { delay = DelayFor(Load()); });
    return delay.wait && delay.reason == StallReason::kSegments && !closed.load();
  };
  if (!waits()) return;
  const StallScope stall(state_, StallReason::kSegments);
  do {
    absl::SleepFor(absl::Milliseconds(10));
  } while (waits());
}

absl::Status WritePath::FreezeAndFlush() {
  // Frozen memtables pile up: writers wait for the flush, unless it fails.
  const auto max_frozen = static_cast<size_t>(state_->options.max_frozen_memtables);
  if (frozen() >= max_frozen) {
    absl::Status flush = absl::OkStatus();
    Stall(StallReason::kMemtables, [&] {
      if (frozen() < max_frozen) return true;
      flush = hooks_.flush_status();
      return !flush.ok();
    });
    if (!flush.ok()) return Annotate(flush, "memtables are full and cannot be flushed");
  }
  RETURN_IF_ERROR(FreezeMemtable());
  hooks_.request_flush();
  return absl::OkStatus();
}

absl::Status WritePath::MakeMemory(size_t bytes) {
  const auto fits = [&] {
    const size_t used = state_->budget->used(MemoryBudget::Use::kMemtables);
    const size_t share = state_->budget->share(MemoryBudget::Use::kMemtables);
    return used <= share && bytes <= share - used;
  };
  if (fits()) return absl::OkStatus();
  // The memtable is flushed if that gives much: what snapshots hold of older ones no flush can give back, and a flush
  // of every few rows would only make many small segments.
  (void)hooks_.ask_others_to_flush();
  if (state_->views->current()->memtables.front()->bytes() >= state_->MemtableLimits().bytes / 4) {
    RETURN_IF_ERROR(FreezeAndFlush());
  }
  // A collection that cannot flush must not hold up the others for ever.
  const int64_t until = state_->clock.MonotonicMicros() + kMaxMemoryWaitMicros;
  const auto in_vain = [&] {
    if (fits() || !hooks_.flush_status().ok()) return true;
    if (state_->clock.MonotonicMicros() >= until) return true;
    return frozen() == 0 && !hooks_.ask_others_to_flush();
  };
  if (!in_vain()) Stall(StallReason::kMemory, in_vain);
  return absl::OkStatus();
}

bool WritePath::DeathsAreMany() const {
  size_t overlays = 0;
  for (const SegmentPart& part : state_->views->current()->segments) {
    const RowDeaths& deaths = *part.deaths;
    if (deaths.ranges() > kMaxDeathRanges) return true;
    if (deaths.kills() >= kFewDeaths && deaths.kills() > deaths.rows() / kDeathsPerRows) return true;
    overlays += deaths.bytes();
  }
  return overlays > state_->budget->share(MemoryBudget::Use::kMemtables) / 3;
}

absl::Status WritePath::MakeRoom(size_t bytes, size_t rows) {
  RETURN_IF_ERROR(MakeMemory(bytes));
  // A flush that is under way folds them too.
  if (std::exchange(deaths_came_, false) && frozen() == 0 && DeathsAreMany()) RETURN_IF_ERROR(FreezeAndFlush());
  const auto fits = [&] {
    return state_->views->current()->memtables.front()->Fits(bytes, rows) &&
           log_->size() + bytes <= state_->options.wal_max_bytes;
  };
  if (fits()) return absl::OkStatus();
  RETURN_IF_ERROR(FreezeAndFlush());
  if (fits()) return absl::OkStatus();
  return ResourceExhausted("a group of " + std::to_string(rows) + " rows does not fit into an empty memtable");
}

absl::Status WritePath::FreezeMemtable() {
  const ReadView& old = *state_->views->current();
  // Nothing was written; a salvage's rows come without a record of the log.
  if (old.memtables.front()->last_sequence == 0 && old.memtables.front()->empty()) return absl::OkStatus();
  const absl::Status rotated = log_->Rotate();
  log_->ReportEvents();
  RETURN_IF_ERROR(rotated);
  // Control entries may follow the last write; the flush of this memtable makes their log garbage too.
  old.memtables.front()->last_sequence = state_->visible.load(std::memory_order_relaxed);
  auto view = std::make_unique<ReadView>();
  view->memtables.push_back(state_->NewMemtable());
  view->memtables.insert(view->memtables.end(), old.memtables.begin(), old.memtables.end());
  view->segments = old.segments;
  {
    absl::MutexLock lock(&durability_mutex_);
    durability_.unsynced_operations = 0;
    durability_.idle_entry_due = false;
  }
  state_->views->Install(std::move(view));
  return absl::OkStatus();
}

absl::Status WritePath::AppendControl(const std::string& payload) {
  RETURN_IF_ERROR(log_->poison());
  if (!log_->is_open()) return absl::OkStatus();
  const LogEntry entry{LogEntryType::kControl, payload, true, true};
  RETURN_IF_ERROR(log_->Append({&entry, 1}));
  state_->visible.fetch_add(1, std::memory_order_seq_cst);
  return absl::OkStatus();
}

absl::Status WritePath::Ingest(pb::SegmentEntry entry, const ReplacedRows& replaced) {
  RETURN_IF_ERROR(log_->poison());
  const Sequence sequence = state_->visible.load(std::memory_order_relaxed) + 1;
  entry.set_ingest_sequence(sequence);
  entry.set_smallest_sequence(sequence);
  entry.set_largest_sequence(sequence);
  const ReadView& old = *state_->views->current();
  auto view = std::make_unique<ReadView>();
  view->memtables = old.memtables;
  view->segments = old.segments;
  ASSIGN_OR_RETURN(SegmentPart part, OpenPart(*state_, entry, nullptr));
  view->segments.push_back(std::move(part));

  pb::LogControl control;
  *control.mutable_segment_ingested()->mutable_segment() = std::move(entry);
  const std::string payload = control.SerializeAsString();
  RETURN_IF_ERROR(log_->EnsureOpen(sequence));
  const LogEntry record{LogEntryType::kControl, payload, true, true};
  RETURN_IF_ERROR(log_->Append({&record, 1}));
  if (!VARVE_SEEDED_BUG(kEarlyBulkAck)) RETURN_IF_ERROR(log_->Sync());

  replaced.Kill(sequence);
  view->memtables.front()->last_sequence = sequence;
  state_->views->Install(std::move(view));
  state_->visible.store(sequence, std::memory_order_seq_cst);
  return absl::OkStatus();
}

absl::Status WritePath::SetSyncMode(const SyncMode& mode) {
  if ((mode.kind == SyncMode::Kind::kEveryN && mode.n == 0) ||
      (mode.kind == SyncMode::Kind::kInterval && mode.interval_ms == 0)) {
    return InvalidArgument("sync mode " + SyncModeName(mode) + ": the number must be at least 1");
  }
  // The new mode holds for all that is acknowledged from here on; what was acknowledged before is made durable.
  {
    absl::MutexLock lock(&durability_mutex_);
    durability_.mode = mode;
  }
  return log_->Sync();
}

int64_t WritePath::Tick() {
  const int64_t now = state_->clock.MonotonicMicros();
  bool sync = false;
  bool idle = false;
  int64_t again_ms = 0;
  {
    absl::MutexLock lock(&durability_mutex_);
    const Durability& d = durability_;
    if (d.mode.kind == SyncMode::Kind::kInterval && d.unsynced_operations > 0) {
      const int64_t left_ms = static_cast<int64_t>(d.mode.interval_ms) - (now - d.oldest_unsynced_us) / 1000;
      sync = left_ms <= 0 && !VARVE_SEEDED_BUG(kNoInterval);
      again_ms = sync ? static_cast<int64_t>(d.mode.interval_ms) : left_ms;
    } else if (d.mode.kind == SyncMode::Kind::kPerOp && d.idle_entry_due) {
      const int64_t left_ms = kIdleMillis - (now - d.last_write_us) / 1000;
      idle = left_ms <= 0;
      again_ms = idle ? 0 : left_ms;
    }
  }
  if (sync) {
    queue_.RunExclusive([this] {
      if (!log_->Sync().ok()) return;
      absl::MutexLock lock(&durability_mutex_);
      durability_.unsynced_operations = 0;
    });
  }
  if (idle) {
    queue_.RunExclusive([this] {
      {
        absl::MutexLock lock(&durability_mutex_);
        if (!durability_.idle_entry_due) return;
        durability_.idle_entry_due = false;
      }
      pb::LogControl control;
      control.mutable_idle();
      (void)AppendControl(control.SerializeAsString());  // it vouches for others and carries nothing itself
    });
  }
  return again_ms;
}

}  // namespace varve
