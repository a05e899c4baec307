// A disk in memory that is written down, and calls on collections that keep a ledger of what was promised when.
#ifndef VARVE_TESTS_CRASH_STATES_LAB_H_
#define VARVE_TESTS_CRASH_STATES_LAB_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
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

// Every call expects to succeed: a failure is remembered in `error`, and later calls do nothing. One collection is open
// at a time. Thread-compatible.
class Lab {
 public:
  static constexpr int64_t kStart = 1'700'000'000'000'000;

  // `lies` hold for as long as the lab does.
  explicit Lab(std::vector<DiskFault> lies = {});
  ~Lab();

  // Begins to write down what is done; what is there is durable, and every ledger starts from it.
  void Record();

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
  void Drop(const std::string& database, const std::string& name);

  void Fail(const absl::Status& status, const std::string& what);
  Ledger* ledger(const std::string& directory);
  const std::string& error() const { return error_; }

  ManualClock clock{kStart};
  GatedExecutor executor;
  std::unique_ptr<FileSystem> memory;
  FaultFileSystem disk;
  Options options;  // of the collections that are opened from now on
  SyncMode mode;    // of the collections that are created from now on

  // For who checks.
  std::vector<Ledger> ledgers;
  std::string database;        // a directory that is a Database
  bool needs_salvage = false;  // the collection is damaged; what is tried is its salvage
  bool beside = false;         // the disk may damage what stands beside a write

 private:
  bool ok() const { return error_.empty(); }
  size_t now() const { return disk.trace_size(); }
  void Step(const std::string& what, const Content& after, uint64_t operations, bool durable,
            const std::function<absl::Status()>& call);
  void Barrier(const std::string& what, const std::function<absl::Status()>& call);
  void MakeDurable(Ledger* of);
  void AckAsMode();

  void Lie();

  const std::vector<DiskFault> lies_;
  std::string error_;
  std::unique_ptr<Collection> collection_;
  std::string directory_;
};

}  // namespace varve::testing

#endif  // VARVE_TESTS_CRASH_STATES_LAB_H_
