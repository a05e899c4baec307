#include "tests/crash_states/lab.h"

#include <algorithm>
#include <utility>

#include "base/memory_file_system.h"
#include "base/status.h"
#include "engine/admin/backup.h"
#include "tests/crash_states/lab_listener.h"

namespace varve::testing {

Lab::Lab(LabTrouble trouble)
    : memory(NewMemoryFileSystem()),
      disk(memory.get()),
      trouble_(std::move(trouble)),
      listener_(std::make_shared<Listener>()) {
  disk.OnCall([this](DiskCall call, const std::string& path) { watch.Saw(call, path); });
  for (const DiskFault& lie : trouble_.lies) disk.Fail(lie);
  options.file_system = &disk;
  options.clock = &clock;
  options.executor = &executor;
  options.background_merges = false;
  options.threads = 1;
  if (trouble_.fault.has_value()) options.listeners.push_back(listener_);
}

Lab::~Lab() { Kill(); }

void Lab::Fail(const absl::Status& status, const std::string& what) {
  if (!status.ok() && ok()) error_ = what + ": " + status.ToString();
}

void Lab::Complain(const std::string& what) {
  if (ok()) error_ = what;
}

Ledger* Lab::ledger(const std::string& directory) {
  const auto found =
      std::find_if(ledgers.begin(), ledgers.end(), [&](const Ledger& ledger) { return ledger.directory == directory; });
  return found == ledgers.end() ? nullptr : &*found;
}

// As it is now, without what has expired.
Content Lab::ContentOf(const std::string& directory) {
  const Ledger& of = *ledger(directory);
  Content content = of.ContentAfter(of.steps.size());
  EraseExpired(clock.WallMicros() / 1000, &content);
  return content;
}

void Lab::Record() {
  executor.Settle();
  Fail(disk.Record(), "record");
  for (Ledger& one : ledgers) {
    if (!one.steps.empty()) one.initial = one.steps.back().after;
    one.steps.clear();
    one.created_issued = 0;
    one.created_acked = 0;
  }
  watch.Begin();
  if (trouble_.fault.has_value()) disk.Fail(*trouble_.fault);
}

void Lab::Create(const std::string& directory) {
  if (!ok()) return;
  Ledger made;
  made.directory = directory;
  made.created_issued = now();
  made.created_acked = kNever;
  ledgers.push_back(std::move(made));
  Schema schema = Schema::SingleVector(4, Metric::kL2);
  schema.sync = mode;
  const bool done = Make("create", [&]() -> absl::Status {
    absl::StatusOr<std::unique_ptr<Collection>> created = Collection::Create(directory, schema, options);
    // The first attempt may have come so far that it has a manifest.
    if (absl::IsAlreadyExists(created.status()) && disk.failures() > 0) created = Collection::Open(directory, options);
    RETURN_IF_ERROR(created.status());
    collection_ = *std::move(created);
    return absl::OkStatus();
  });
  if (!done) return;
  ledger(directory)->created_acked = now();
  directory_ = directory;
  executor.Settle();
}

void Lab::Open(const std::string& directory) {
  if (!ok() || ledger(directory) == nullptr || ledger(directory)->created_acked == kNever) return;
  const bool done = Make("open", [&]() -> absl::Status {
    ASSIGN_OR_RETURN(collection_, Collection::Open(directory, options));
    return absl::OkStatus();
  });
  if (!done) return;
  executor.Settle();
  directory_ = directory;
  poison_.clear();
  Resolve();
  // What an opening has found it has made durable.
  MakeDurable(ledger(directory));
}

void Lab::Close() {
  if (!open()) return;
  watch.Doing("close");
  const absl::Status status = collection_->Close();
  collection_.reset();
  executor.Settle();
  closed_well_ = status.ok();
  if (status.ok()) return MakeDurable(ledger(directory_));
  if (Judge(status, "close", 1) == Next::kAgain && healed_) Fail(status, "close of a disk that is well");
}

void Lab::Kill() {
  const bool told = listener_->told;
  closed_well_ = false;
  disk.StopAfter(0);
  executor.Open(true);
  load_.reset();
  collection_.reset();
  executor.Settle();
  disk.Revive();
  listener_->told = told;  // what the dead say nobody hears
}

void Lab::Hold() {
  if (!within_) executor.Open(false);
}

void Lab::Settle() {
  if (within_) return;
  NoteFault();
  executor.Open(true);
  executor.Settle();
}

void Lab::During(DiskCall call, const std::string& path_end, std::function<void()> action) {
  watch.Before(call, path_end, [this, action = std::move(action)] {
    within_ = true;
    action();
    within_ = false;
  });
}

void Lab::MakeDurable(Ledger* of, size_t steps) {
  for (size_t i = 0; i < std::min(steps, of->steps.size()); ++i) {
    of->steps[i].durable = std::min(of->steps[i].durable, now());
  }
}

bool Lab::Make(const std::string& what, const std::function<absl::Status()>& call,
               const std::function<bool(const absl::Status&)>& is_there) {
  for (int attempt = 1; ok(); ++attempt) {
    watch.Doing(what);
    Hold();
    const absl::Status status = call();
    Settle();
    if (status.ok()) return true;
    if (attempt > 1 && is_there != nullptr && is_there(status)) return false;
    if (Judge(status, what, attempt) == Next::kNothing) return false;
  }
  return false;
}

void Lab::Barrier(const std::string& what, const std::function<absl::Status()>& call) {
  if (!open()) return;
  size_t steps = 0;
  const bool done = Make(what, [&] {
    steps = ledger(directory_)->steps.size();
    return open() ? call() : absl::OkStatus();
  });
  watch.Before(DiskCall::kStat, "", nullptr);  // what has not come by now will not
  // Writes that came in the middle of it may be behind what it made durable.
  if (!done || !open()) return;
  MakeDurable(ledger(directory_), steps);
  CheckReaders(what);
}

// What the modes promise: per_op all, every:N all but the last N - 1 operations, interval all that is older.
void Lab::AckAsMode() {
  std::vector<Ledger::Step>& steps = ledger(directory_)->steps;
  uint64_t operations = 0;
  for (size_t i = steps.size(); i-- > 0;) {
    operations += steps[i].operations;
    const int64_t age_us = clock.MonotonicMicros() - steps[i].acked_us;
    const bool durable =
        mode.kind == SyncMode::Kind::kPerOp || (mode.kind == SyncMode::Kind::kEveryN && operations >= mode.n) ||
        (mode.kind == SyncMode::Kind::kInterval && age_us >= static_cast<int64_t>(mode.interval_ms) * 1000);
    if (durable) steps[i].durable = std::min(steps[i].durable, now());
  }
}

void Lab::Step(const std::string& what, const std::function<void(Content*)>& change, uint64_t operations, bool durable,
               const std::function<absl::Status()>& call) {
  for (int attempt = 1; open(); ++attempt) {
    Ledger* const of = ledger(directory_);
    Content after = ContentOf(directory_);
    change(&after);
    // It was there when the collection was opened anew.
    if (attempt > 1 && ContentOf(directory_) == after) return;
    watch.Doing(what);
    // Seen by a crash that comes while it runs.
    of->steps.push_back({.what = what, .issued = now(), .operations = operations, .after = after});
    Hold();
    const absl::Status status = call();
    if (status.ok()) {
      if (!poison_.empty()) Complain(what + " is acknowledged by a writer that takes no more writes: " + poison_);
      of->steps.back().acked = now();
      of->steps.back().acked_us = clock.MonotonicMicros();
      of->steps.back().sequence = collection_->Stats().last_sequence;
      of->maybe.clear();
      if (durable) {
        MakeDurable(of);
      } else {
        AckAsMode();
      }
    } else {
      of->steps.pop_back();
      of->maybe.push_back(after);
    }
    Settle();
    if (status.ok() || Judge(status, what, attempt) == Next::kNothing) return;
  }
}

}  // namespace varve::testing
