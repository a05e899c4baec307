#include "tests/crash_states/lab.h"

#include <algorithm>
#include <utility>

#include "base/memory_file_system.h"
#include "base/status.h"
#include "engine/admin/backup.h"
#include "varve/filter.h"

namespace varve::testing {
namespace {

std::string DescribeNumbers(const std::vector<float>& vector) {
  std::string text;
  for (const float component : vector) text += (text.empty() ? "" : " ") + std::to_string(static_cast<int>(component));
  return text;
}

std::string MetadataOf(int value) { return R"({"n":)" + std::to_string(value) + "}"; }

std::string Describe(const std::string& vector, const std::string& metadata, const std::string& payload,
                     int64_t expiry) {
  return "[" + vector + "] " + metadata + " " + payload +
         (expiry == kNeverExpires ? "" : " until " + std::to_string(expiry));
}

std::string DescribeValue(int value, int64_t expiry = kNeverExpires) {
  const RecordInput record = LabRecord("", "k", value);
  return Describe(DescribeNumbers(record.vectors[0].value.floats()), record.metadata, record.payload, expiry);
}

int NumberOf(const std::string& described) {
  const size_t at = described.find(R"({"n":)");
  return at == std::string::npos ? -1 : std::atoi(described.c_str() + at + 5);
}

}  // namespace

RecordInput LabRecord(const std::string& ns, const std::string& key, int value) {
  RecordInput record;
  record.ns = ns;
  record.key = key;
  const auto number = static_cast<float>(value);
  record.vectors.push_back({"", VectorValue({number, number + 1, 2, 3})});
  record.metadata = MetadataOf(value);
  record.payload = "payload " + std::to_string(value);
  return record;
}

std::string DescribeRecord(const Record& record) {
  return Describe(record.vectors.empty() ? "none" : DescribeNumbers(record.vectors[0].second), record.metadata,
                  record.payload, record.expires_at_ms);
}

absl::StatusOr<Content> ReadContent(Collection* collection) {
  Content content;
  absl::Status twice;
  RETURN_IF_ERROR(collection->Scan({}, [&](const varve::Record& record) {
    if (!content.emplace(std::pair(record.ns, record.key), DescribeRecord(record)).second) {
      twice = Internal("a scan gives " + record.ns + "/" + record.key + " twice");
    }
    return true;
  }));
  RETURN_IF_ERROR(twice);
  return content;
}

Lab::Lab(std::vector<DiskFault> lies) : memory(NewMemoryFileSystem()), disk(memory.get()), lies_(std::move(lies)) {
  Lie();
  options.file_system = &disk;
  options.clock = &clock;
  options.executor = &executor;
  options.background_merges = false;
  options.threads = 1;
}

Lab::~Lab() { Kill(); }

void Lab::Lie() {
  for (const DiskFault& lie : lies_) disk.Fail(lie);
}

void Lab::Fail(const absl::Status& status, const std::string& what) {
  if (!status.ok() && ok()) error_ = what + ": " + status.ToString();
}

Ledger* Lab::ledger(const std::string& directory) {
  const auto found =
      std::find_if(ledgers.begin(), ledgers.end(), [&](const Ledger& ledger) { return ledger.directory == directory; });
  return found == ledgers.end() ? nullptr : &*found;
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
}

void Lab::Create(const std::string& directory) {
  if (!ok()) return;
  Ledger made;
  made.directory = directory;
  made.created_issued = now();
  Schema schema = Schema::SingleVector(4, Metric::kL2);
  schema.sync = mode;
  absl::StatusOr<std::unique_ptr<Collection>> created = Collection::Create(directory, schema, options);
  Fail(created.status(), "create " + directory);
  if (!ok()) return;
  made.created_acked = now();
  ledgers.push_back(std::move(made));
  directory_ = directory;
  collection_ = *std::move(created);
}

void Lab::Open(const std::string& directory) {
  if (!ok()) return;
  absl::StatusOr<std::unique_ptr<Collection>> opened = Collection::Open(directory, options);
  Fail(opened.status(), "open " + directory);
  if (!ok()) return;
  collection_ = *std::move(opened);
  executor.Settle();
  directory_ = directory;
  // What an opening has found it has made durable.
  MakeDurable(ledger(directory));
}

void Lab::Close() {
  Barrier("close", [&] { return collection_->Close(); });
  collection_.reset();
}

void Lab::Kill() {
  disk.StopAfter(0);
  executor.Open(true);
  collection_.reset();
  executor.Settle();
  disk.Heal();
  Lie();
}

void Lab::MakeDurable(Ledger* of) {
  for (Ledger::Step& step : of->steps) step.durable = std::min(step.durable, now());
}

void Lab::Barrier(const std::string& what, const std::function<absl::Status()>& call) {
  if (!ok()) return;
  Fail(call(), what);
  executor.Settle();
  if (ok()) MakeDurable(ledger(directory_));
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

void Lab::Step(const std::string& what, const Content& after, uint64_t operations, bool durable,
               const std::function<absl::Status()>& call) {
  if (!ok()) return;
  Ledger* const of = ledger(directory_);
  of->steps.push_back({.what = what, .issued = now(), .operations = operations, .after = after});
  executor.Open(false);
  Fail(call(), what);
  of->steps.back().acked = now();
  of->steps.back().acked_us = clock.MonotonicMicros();
  of->steps.back().sequence = collection_->Stats().last_sequence;
  if (durable) {
    MakeDurable(of);
  } else {
    AckAsMode();
  }
  executor.Open(true);
  executor.Settle();
}

namespace {

Content ContentOf(const Ledger& ledger) { return ledger.ContentAfter(ledger.steps.size()); }

}  // namespace

void Lab::Put(const std::string& key, int value, const WriteOptions& write) {
  if (!ok()) return;
  Content after = ContentOf(*ledger(directory_));
  after[{"", key}] = DescribeValue(value);
  Step("put " + key, after, 1, write.sync, [&] { return collection_->Put(LabRecord("", key, value), write); });
}

void Lab::PutIn(const std::string& ns, const std::string& key, int value) {
  if (!ok()) return;
  Content after = ContentOf(*ledger(directory_));
  after[{ns, key}] = DescribeValue(value);
  Step("put " + ns + "/" + key, after, 1, false, [&] { return collection_->Put(LabRecord(ns, key, value)); });
}

void Lab::Insert(const std::string& key, int value) {
  if (!ok()) return;
  Content after = ContentOf(*ledger(directory_));
  after[{"", key}] = DescribeValue(value);
  Step("insert " + key, after, 1, false, [&] { return collection_->Insert(LabRecord("", key, value)); });
}

void Lab::UpdatePayload(const std::string& key, const std::string& payload) {
  if (!ok()) return;
  Content after = ContentOf(*ledger(directory_));
  std::string& described = after[{"", key}];
  const int value = NumberOf(described);
  described = Describe(DescribeNumbers(LabRecord("", key, value).vectors[0].value.floats()), MetadataOf(value), payload,
                       kNeverExpires);
  RecordUpdate update;
  update.key = key;
  update.payload = payload;
  Step("update " + key, after, 1, false, [&] { return collection_->Update(update); });
}

void Lab::PutForAWhile(const std::string& key, int value, int64_t seconds) {
  if (!ok()) return;
  Content after = ContentOf(*ledger(directory_));
  RecordInput record = LabRecord("", key, value);
  record.ttl_seconds = seconds;
  after[{"", key}] = DescribeValue(value, clock.WallMicros() / 1000 + seconds * 1000);
  Step("put for a while " + key, after, 1, false, [&] { return collection_->Put(record); });
}

void Lab::Delete(const std::string& key) {
  if (!ok()) return;
  Content after = ContentOf(*ledger(directory_));
  after.erase({"", key});
  Step("delete " + key, after, 1, false, [&] { return collection_->Delete("", key); });
}

void Lab::Batch(const std::vector<std::pair<std::string, int>>& operations) {
  if (!ok()) return;
  Content after = ContentOf(*ledger(directory_));
  WriteBatch batch;
  for (const auto& [key, value] : operations) {
    if (value >= 0) {
      after[{"", key}] = DescribeValue(value);
      batch.Put(LabRecord("", key, value));
    } else {
      after.erase({"", key});
      batch.Delete("", key);
    }
  }
  Step("batch of " + std::to_string(operations.size()), after, operations.size(), false,
       [&] { return collection_->Write(batch); });
}

void Lab::DeleteNamespace(const std::string& ns) {
  if (!ok()) return;
  Content after = ContentOf(*ledger(directory_));
  std::erase_if(after, [&](const auto& entry) { return entry.first.first == ns; });
  WriteBatch batch;
  batch.DeleteNamespace(ns);
  Step("delete namespace " + ns, after, 1, false, [&] { return collection_->Write(batch); });
}

void Lab::DeleteWhereAtLeast(int n) {
  if (!ok()) return;
  Content after = ContentOf(*ledger(directory_));
  const size_t erased = std::erase_if(after, [&](const auto& entry) { return NumberOf(entry.second) >= n; });
  Step("delete where n >= " + std::to_string(n), after, erased, false, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const Filter filter, Filter::Parse("n >= " + std::to_string(n)));
    return collection_->DeleteWhere(filter).status();
  });
}

void Lab::BulkLoad(const std::string& prefix, int first, int count, uint32_t segment_rows) {
  if (!ok()) return;
  Ledger* const of = ledger(directory_);
  Content after = ContentOf(*of);
  BulkLoadOptions load_options;
  load_options.segment_rows = segment_rows;
  absl::StatusOr<std::unique_ptr<varve::BulkLoad>> load = collection_->NewBulkLoad(load_options);
  Fail(load.status(), "bulk load");
  if (!ok()) return;
  // Each segment is a step: it ends where the load says that more is durable, and with it all before is.
  uint64_t durable_rows = 0;
  const auto call = [&](const std::string& what, const std::function<absl::Status()>& work) {
    const size_t begun = now();
    Fail(work(), what);
    if ((*load)->durable_rows() == durable_rows) return;
    for (; durable_rows < (*load)->durable_rows(); ++durable_rows) {
      const int i = static_cast<int>(durable_rows);
      after[{"", prefix + std::to_string(i)}] = DescribeValue(first + i);
    }
    of->steps.push_back({.what = "bulk load of " + std::to_string(durable_rows),
                         .issued = begun,
                         .acked = now(),
                         .after = after,
                         .sequence = collection_->Stats().last_sequence});
    MakeDurable(of);
  };
  for (int i = 0; i < count; ++i) {
    call("add", [&] { return (*load)->Add(LabRecord("", prefix + std::to_string(i), first + i)); });
  }
  call("finish", [&] { return (*load)->Finish(); });
  load->reset();
  executor.Settle();
}

void Lab::Flush() {
  Barrier("flush", [&] { return collection_->Flush().status(); });
}
void Lab::Merge(bool full) {
  Barrier("merge", [&] { return collection_->Merge(full).status(); });
}
void Lab::Checkpoint() {
  Barrier("checkpoint", [&] { return collection_->Checkpoint().status(); });
}
void Lab::Sync() {
  Barrier("sync", [&] { return collection_->Sync(); });
}
void Lab::SetSyncMode(const SyncMode& new_mode) {
  Barrier("set sync mode", [&] { return collection_->SetSyncMode(new_mode); });
  mode = new_mode;
}

void Lab::Backup(const std::string& to) {
  if (!ok()) return;
  Ledger copy;
  copy.directory = to;
  copy.copied_from = directory_;
  copy.initial = ContentOf(*ledger(directory_));
  copy.created_issued = now();
  Fail(collection_->Backup(to).status(), "backup");
  copy.created_acked = now();
  ledgers.push_back(std::move(copy));
}

void Lab::Restore(const std::string& backup, const std::string& to) {
  if (!ok()) return;
  Ledger copy;
  copy.directory = to;
  copy.copied_from = backup;
  copy.initial = ContentOf(*ledger(backup));
  copy.created_issued = now();
  BackupOptions backup_options;
  backup_options.file_system = &disk;
  backup_options.clock = &clock;
  Fail(RestoreCollection(backup, to, backup_options).status(), "restore");
  copy.created_acked = now();
  ledgers.push_back(std::move(copy));
}

void Lab::Drop(const std::string& in, const std::string& name) {
  if (!ok()) return;
  DatabaseOptions database_options;
  database_options.collections = options;
  absl::StatusOr<std::unique_ptr<Database>> opened = Database::Open(in, database_options);
  Fail(opened.status(), "open database");
  if (!ok()) return;
  Ledger* const of = ledger(in + "/" + name);
  of->dropped_issued = now();
  executor.Open(false);
  Fail((*opened)->DropCollection(name), "drop");
  of->dropped_acked = now();
  executor.Open(true);
  executor.Settle();
}

}  // namespace varve::testing
