// The calls of a Lab.
#include <algorithm>
#include <utility>

#include "base/status.h"
#include "engine/admin/backup.h"
#include "tests/crash_states/lab.h"
#include "tests/crash_states/lab_values.h"
#include "varve/filter.h"

namespace varve::testing {

void Lab::Put(const std::string& key, int value, const WriteOptions& write) {
  const auto change = [&](Content* content) { (*content)[{"", key}] = DescribeValue(value); };
  Step("put " + key, change, 1, write.sync, [&] { return collection_->Put(LabRecord("", key, value), write); });
}

void Lab::PutIn(const std::string& ns, const std::string& key, int value) {
  const auto change = [&](Content* content) { (*content)[{ns, key}] = DescribeValue(value); };
  Step("put " + ns + "/" + key, change, 1, false, [&] { return collection_->Put(LabRecord(ns, key, value)); });
}

void Lab::Insert(const std::string& key, int value) {
  const auto change = [&](Content* content) { (*content)[{"", key}] = DescribeValue(value); };
  Step("insert " + key, change, 1, false, [&] { return collection_->Insert(LabRecord("", key, value)); });
}

void Lab::UpdatePayload(const std::string& key, const std::string& payload) {
  const auto change = [&](Content* content) {
    std::string& described = (*content)[{"", key}];
    const int value = NumberOf(described);
    described = Describe(DescribeNumbers(LabRecord("", key, value).vectors[0].value.floats()), MetadataOf(value),
                         payload, kNeverExpires);
  };
  RecordUpdate update;
  update.key = key;
  update.payload = payload;
  Step("update " + key, change, 1, false, [&] { return collection_->Update(update); });
}

void Lab::PutForAWhile(const std::string& key, int value, int64_t seconds) {
  RecordInput record = LabRecord("", key, value);
  record.ttl_seconds = seconds;
  const int64_t expiry = clock.WallMicros() / 1000 + seconds * 1000;
  const auto change = [&](Content* content) { (*content)[{"", key}] = DescribeValue(value, expiry); };
  Step("put for a while " + key, change, 1, false, [&] { return collection_->Put(record); });
}

void Lab::Delete(const std::string& key) {
  const auto change = [&](Content* content) { content->erase({"", key}); };
  Step("delete " + key, change, 1, false, [&] { return collection_->Delete("", key); });
}

void Lab::Batch(const std::vector<std::pair<std::string, int>>& operations) {
  WriteBatch batch;
  for (const auto& [key, value] : operations) {
    if (value >= 0) {
      batch.Put(LabRecord("", key, value));
    } else {
      batch.Delete("", key);
    }
  }
  const auto change = [&](Content* content) {
    for (const auto& [key, value] : operations) {
      if (value >= 0) {
        (*content)[{"", key}] = DescribeValue(value);
      } else {
        content->erase({"", key});
      }
    }
  };
  Step("batch of " + std::to_string(operations.size()), change, operations.size(), false,
       [&] { return collection_->Write(batch); });
}

void Lab::DeleteNamespace(const std::string& ns) {
  const auto change = [&](Content* content) {
    std::erase_if(*content, [&](const auto& entry) { return entry.first.first == ns; });
  };
  WriteBatch batch;
  batch.DeleteNamespace(ns);
  Step("delete namespace " + ns, change, 1, false, [&] { return collection_->Write(batch); });
}

void Lab::DeleteWhereAtLeast(int n) {
  if (!open()) return;
  const auto matches = [&](const auto& entry) { return NumberOf(entry.second) >= n; };
  const auto change = [&](Content* content) { std::erase_if(*content, matches); };
  const Content before = ContentOf(directory_);
  const auto count = static_cast<uint64_t>(std::count_if(before.begin(), before.end(), matches));
  Step("delete where n >= " + std::to_string(n), change, count, false, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const Filter filter, Filter::Parse("n >= " + std::to_string(n)));
    return collection_->DeleteWhere(filter).status();
  });
}

void Lab::BulkLoad(const std::string& prefix, int first, int count, uint32_t segment_rows) {
  if (!open()) return;
  Ledger* const of = ledger(directory_);
  Content after = ContentOf(directory_);
  BulkLoadOptions load_options;
  load_options.segment_rows = segment_rows;
  // It counts rows as durable, says so, and goes on with a flush: from when on they are promised.
  uint64_t durable_rows = 0;
  size_t counted = kNever;
  load_options.progress = [&](uint64_t /*rows*/) {
    if (load_ != nullptr && load_->durable_rows() != durable_rows) counted = std::min(counted, now());
  };
  absl::StatusOr<std::unique_ptr<varve::BulkLoad>> begun_load = collection_->NewBulkLoad(load_options);
  Fail(begun_load.status(), "bulk load");
  if (!ok()) return;
  load_ = *std::move(begun_load);
  // Each segment is a step: it ends where the load says that more is durable, and with it all before is.
  const auto with_rows = [&](uint64_t end) {
    Content content = after;
    for (uint64_t i = durable_rows; i < end; ++i) {
      const int row = static_cast<int>(i);
      content[{"", prefix + std::to_string(row)}] = DescribeValue(first + row);
    }
    return content;
  };
  int added = 0;
  const auto call = [&](const std::string& what, const std::function<absl::Status()>& work) {
    for (int attempt = 1; open(); ++attempt) {
      watch.Doing("bulk load");
      const size_t begun = now();
      Hold();
      const absl::Status status = work();
      if (const uint64_t rows = load_->durable_rows(); rows != durable_rows) {
        if (!poison_.empty()) Complain("a bulk load enters a writer that takes no more writes: " + poison_);
        after = with_rows(rows);
        durable_rows = rows;
        of->steps.push_back({.what = "bulk load of " + std::to_string(durable_rows),
                             .issued = begun,
                             .acked = std::min(counted, now()),
                             .after = after,
                             .sequence = collection_->Stats().last_sequence});
        of->maybe.clear();
        for (Ledger::Step& step : of->steps) step.durable = std::min(step.durable, of->steps.back().acked);
        counted = kNever;
      } else if (!status.ok()) {
        of->maybe.push_back(with_rows(static_cast<uint64_t>(added)));
      }
      Settle();
      if (status.ok()) return true;
      if (Judge(status, "bulk load: " + what, attempt) == Next::kNothing) return false;
      if (load_ == nullptr) return false;  // it went with the collection
    }
    return false;
  };
  bool goes_on = true;
  for (int i = 0; i < count && goes_on; ++i) {
    goes_on = call("add", [&] { return load_->Add(LabRecord("", prefix + std::to_string(i), first + i)); });
    added = i + 1;
  }
  if (goes_on) call("finish", [&] { return load_->Finish(); });
  load_.reset();
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
  // A collection that is opened anew has its own again.
  if (open()) options.sync = mode = new_mode;
}

void Lab::Backup(const std::string& to) {
  if (!open()) return;
  const Ledger& of = *ledger(directory_);
  Ledger copy;
  copy.directory = to;
  copy.copied_from = directory_;
  copy.initial = ContentOf(directory_);
  copy.maybe = of.maybe;
  copy.created_issued = now();
  copy.created_acked = kNever;
  ledgers.push_back(std::move(copy));
  const bool done = Make(
      "backup", [&] { return open() ? collection_->Backup(to).status() : absl::OkStatus(); }, absl::IsAlreadyExists);
  if (done) ledger(to)->created_acked = now();
}

void Lab::Restore(const std::string& backup, const std::string& to) {
  if (!ok()) return;
  Ledger copy;
  copy.directory = to;
  copy.copied_from = backup;
  copy.initial = ContentOf(backup);
  copy.created_issued = now();
  copy.created_acked = kNever;
  ledgers.push_back(std::move(copy));
  BackupOptions backup_options;
  backup_options.file_system = &disk;
  backup_options.clock = &clock;
  const bool done = Make(
      "restore", [&] { return RestoreCollection(backup, to, backup_options).status(); }, absl::IsAlreadyExists);
  if (done) ledger(to)->created_acked = now();
}

void Lab::Drop(const std::string& in, const std::string& name) {
  if (!ok()) return;
  DatabaseOptions database_options;
  database_options.collections = options;
  std::unique_ptr<Database> opened;
  const bool done = Make("open database", [&]() -> absl::Status {
    ASSIGN_OR_RETURN(opened, Database::Open(in, database_options));
    return absl::OkStatus();
  });
  if (!done) return;
  std::vector<std::string> names;
  const bool listed = Make("list", [&]() -> absl::Status {
    ASSIGN_OR_RETURN(names, opened->ListCollections());
    return absl::OkStatus();
  });
  const auto is_there = [&](const Ledger& ledger) {
    return ledger.directory.starts_with(in + "/") && ledger.dropped_acked == kNever;
  };
  if (listed && names.size() < static_cast<size_t>(std::count_if(ledgers.begin(), ledgers.end(), is_there))) {
    Complain("the database lists " + std::to_string(names.size()) + " collections");
  }
  if (name.empty()) return;
  ledger(in + "/" + name)->dropped_issued = now();
  const bool dropped = Make(
      "drop", [&] { return opened->DropCollection(name); }, absl::IsNotFound);
  if (dropped) ledger(in + "/" + name)->dropped_acked = now();
}

}  // namespace varve::testing
