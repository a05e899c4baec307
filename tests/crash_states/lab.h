// A disk in memory that is written down, and calls on collections that keep a ledger of what was promised when.
#ifndef VARVE_TESTS_CRASH_STATES_LAB_H_
#define VARVE_TESTS_CRASH_STATES_LAB_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "tests/crash_states/disk_watch.h"
#include "tests/crash_states/gated_executor.h"
#include "tests/crash_states/ledger.h"
#include "varve/collection.h"
#include "varve/database.h"
#include "varve/fault_file_system.h"

namespace varve::testing {

// Everything of a record that a ledger compares.
std::string DescribeRecord(const Record& record);
absl::StatusOr<Content> ReadContent(Collection* collection);

// A record whose vector, metadata and payload follow from a number.
RecordInput LabRecord(const std::string& ns, const std::string& key, int value);

// What is wrong with the disk of a lab.
struct LabTrouble {
  std::vector<DiskFault> lies;  // as long as the lab lives
  // From Record() on: calls may fail, and are tried again once the fault has passed. What is acknowledged, told and
  // readable is judged after each failure.
  std::optional<DiskFault> fault;
};

// Every call expects to succeed, unless there is a fault: else a failure is remembered in `error`, and later calls do
// nothing. One collection is open at a time. Thread-compatible.
class Lab {
 public:
  static constexpr int64_t kStart = 1'700'000'000'000'000;

  explicit Lab(LabTrouble trouble = {});
  ~Lab();

  // Begins to write down what is done; what is there is durable, and every ledger starts from it.
  void Record();
  // The end of a life with a fault: the disk is well again, and so is the collection, if need be once it was opened
  // anew. Nothing of what failed is left.
  void Conclude();

  void Create(const std::string& directory);
  void Open(const std::string& directory);
  void Close();
  // Lets go without Close, as the death of the process does; what was acknowledged stays.
  void Kill();

  // One step each.
  void Put(const std::string& key, int value, const WriteOptions& options = {});
  void PutIn(const std::string& ns, const std::string& key, int value);
  void Insert(const std::string& key, int value);
  void UpdatePayload(const std::string& key, const std::string& payload);
  void Delete(const std::string& key);
  void PutForAWhile(const std::string& key, int value, int64_t seconds);
  // A batch of puts (value >= 0) and deletes.
  void Batch(const std::vector<std::pair<std::string, int>>& operations);
  void DeleteNamespace(const std::string& ns);
  // Deletes all whose metadata has a number of at least `n`.
  void DeleteWhereAtLeast(int n);
  // A step for each segment of the load.
  void BulkLoad(const std::string& prefix, int first, int count, uint32_t segment_rows);

  // What makes durable all before it.
  void Flush();
  void Merge(bool full = true);
  void Checkpoint();
  void Sync();
  void SetSyncMode(const SyncMode& mode);

  void Backup(const std::string& to);
  void Restore(const std::string& backup, const std::string& to);
  // Opens the database, which removes what was dropped before, and drops a collection (if `name` is not empty).
  void Drop(const std::string& database, const std::string& name);

  // Does something, once, just before the first such call of the disk in the next flush or merge.
  void During(DiskCall call, const std::string& path_end, std::function<void()> action);

  void Fail(const absl::Status& status, const std::string& what);
  Ledger* ledger(const std::string& directory);
  const std::string& error() const { return error_; }
  // Whether any call failed, or anything was told to a listener.
  bool WasTold() const;
  // The moment at which the first call that met the fault had returned, and the ledgers of then. kNever: none did.
  size_t met_at() const { return met_at_; }
  const std::vector<Ledger>& ledgers_of_then() const { return ledgers_of_then_; }

  ManualClock clock{kStart};
  GatedExecutor executor;
  std::unique_ptr<FileSystem> memory;
  FaultFileSystem disk;
  DiskWatch watch;
  Options options;  // of the collections that are opened from now on
  SyncMode mode;    // of the collections that are created from now on

  // For who checks.
  std::vector<Ledger> ledgers;
  std::string database;        // a directory that is a Database
  bool needs_salvage = false;  // the collection is damaged; what is tried is its salvage
  bool beside = false;         // the disk may damage what stands beside a write

 private:
  class Listener;
  // What follows a call that failed.
  enum class Next { kNothing, kAgain };

  bool ok() const { return error_.empty(); }
  bool open() const { return ok() && collection_ != nullptr; }
  size_t now() const { return disk.trace_size(); }
  // Background work waits while a call runs, and has its turn when it has ended: so both always touch the disk in the
  // same order.
  void Hold();
  void Settle();
  Content ContentOf(const std::string& directory);
  void Complain(const std::string& what);

  // `change` is what the call does to the content.
  void Step(const std::string& what, const std::function<void(Content*)>& change, uint64_t operations, bool durable,
            const std::function<absl::Status()>& call);
  void Barrier(const std::string& what, const std::function<absl::Status()>& call);
  // Makes a call until it succeeds or need not be tried again. `is_there` says of an error that it does not count at a
  // second attempt: what the first one did is there, though nobody has promised that it stays.
  bool Make(const std::string& what, const std::function<absl::Status()>& call,
            const std::function<bool(const absl::Status&)>& is_there = nullptr);
  void MakeDurable(Ledger* of, size_t steps = kNever);
  void AckAsMode();

  // lab_trouble.cc
  bool IsFaultOver() const;
  Next Judge(const absl::Status& status, const std::string& what, int attempt);
  void CheckReaders(const std::string& what);
  // Whether the fault is one that stops the writer for good, as docs/recovery.md has it.
  bool IsFaultFinal() const;
  void NoteFault();
  bool Reopen();
  // After an opening: which of the outcomes that are possible it was.
  void Resolve();
  void CheckNothingLeft(const std::string& directory);

  const LabTrouble trouble_;
  bool healed_ = false;
  bool closed_well_ = false;
  bool within_ = false;  // another call of the lab
  std::string error_;
  size_t met_at_ = kNever;
  std::vector<Ledger> ledgers_of_then_;
  std::string poison_;  // what the writer says since its log failed
  std::shared_ptr<Listener> listener_;
  std::unique_ptr<Collection> collection_;
  std::unique_ptr<varve::BulkLoad> load_;  // of the collection
  std::string directory_;
};

}  // namespace varve::testing

#endif  // VARVE_TESTS_CRASH_STATES_LAB_H_
