// The door of Varve: one collection of records with vectors, durable, searchable at once.
//
// A collection is a directory. One process opens it for writing (Open holds a lock); any number of others open it
// read-only beside the writer (OpenReadOnly: takes no lock, writes nothing).
//
//   auto collection = varve::Collection::Create("/data/things", varve::Schema::SingleVector(768,
//   varve::Metric::kCosine)); varve::WriteBatch batch; batch.Put({.key = "a", .vectors = {{"", vector}}, .metadata =
//   R"({"year":2024})"});
//   (*collection)->Write(batch);
//   auto result = (*collection)->Search({.vector = query, .k = 10});
//
// Thread-safe: any number of threads may read while one or more write. A write that has returned OK is seen by every
// later read of this object. Reads never wait for writes.
//
// Errors of all methods, beside those named: InvalidArgument for bad input (nothing changed); DataLoss when a file is
// damaged (the message names file, section and offset); FailedPrecondition for a write to a read-only or closed
// collection, and for every write after the log has failed (the first failure is given again; readers go on; reopen).
#ifndef VARVE_COLLECTION_H_
#define VARVE_COLLECTION_H_

#include <compare>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/bulk_load.h"
#include "varve/filter.h"
#include "varve/options.h"
#include "varve/record.h"
#include "varve/schema.h"
#include "varve/search.h"
#include "varve/stats.h"
#include "varve/write_batch.h"

namespace varve {

// A place in the order of namespace and key, whether a record is there or not.
struct RecordPlace {
  std::string ns;
  std::string key;
  friend auto operator<=>(const RecordPlace&, const RecordPlace&) = default;
};

// Where a scan begins and ends, and which records it gives.
//
// To go on with a scan that was ended: set `after` to the place of the last record that was seen, or let ReadPage keep
// the place in a cursor. With a snapshot all parts are of one state; without one each is of the state of its time.
struct ScanRequest {
  std::optional<std::string> ns;     // only this namespace
  std::string prefix;                // only keys that begin so
  std::optional<std::string> from;   // first key, inclusive; needs `ns` when the collection has several namespaces
  std::optional<RecordPlace> after;  // only records behind this place
  std::optional<RecordPlace> to;     // only records before this place
  std::optional<Filter> filter;      // only records whose metadata it matches
  std::string cursor;                // what ReadPage gave: only records behind it. Empty: from the beginning
  uint64_t limit = 0;                // 0: all
  bool keys_only = false;            // leave vectors, metadata and payload empty
};

// Some records of a scan, and how to get the next ones.
struct ScanPage {
  std::vector<Record> records;
  // For ScanRequest::cursor; printable, and good after a restart too. Empty: the scan has come to its end.
  std::string cursor;
};

// A repeatable view: every read through it sees the collection as it was when it was taken. Holds memory and files for
// as long as it lives. Copyable, cheap to copy; must not outlive its collection.
class Snapshot {
 public:
  Snapshot() = default;
  bool valid() const { return view_ != nullptr; }
  Sequence sequence() const { return sequence_; }

 private:
  friend class CollectionImpl;
  std::shared_ptr<const void> view_;
  Sequence sequence_ = 0;
};

struct ReadOptions {
  const Snapshot* snapshot = nullptr;  // null: the newest state
};

struct DeleteWhereOptions {
  std::optional<std::string> ns;  // only records of this namespace
  WriteOptions write;             // of each batch
  // Told how many records are deleted so far, after each batch.
  std::function<void(uint64_t deleted)> progress;
};

// What Backup made.
struct BackupResult {
  uint64_t generation = 0;    // of the copy's manifest
  Sequence sequence = 0;      // the last write that is in it
  uint64_t files_linked = 0;  // shared with the collection
  uint64_t files_copied = 0;
  uint64_t bytes_copied = 0;
};

class Collection {
 public:
  // Makes a new collection in `directory` (made if missing, with its parents) and opens it for writing.
  // Errors: AlreadyExists if there is one, or anything else that is not empty directories of a failed Create;
  // Unimplemented for field kinds, index types or compressions that this build does not have.
  static absl::StatusOr<std::unique_ptr<Collection>> Create(const std::string& directory, const Schema& schema,
                                                            const Options& options = {});
  // Opens for writing, recovering what a crash left. Costs time by the size of the log, not of the data.
  // Errors: NotFound if there is no directory; FailedPrecondition if it is not a collection, or another writer has it;
  // DataLoss; Unimplemented for a newer format.
  static absl::StatusOr<std::unique_ptr<Collection>> Open(const std::string& directory, const Options& options = {});
  // Opens beside a live writer, or without one. Takes no lock and writes nothing.
  static absl::StatusOr<std::unique_ptr<Collection>> OpenReadOnly(const std::string& directory,
                                                                  const ReadOnlyOptions& options = {});
  // Closes if Close was not called, ignoring its errors.
  virtual ~Collection() = default;

  // Applies the batch, all or nothing, and returns when it is durable as the sync mode says.
  // Errors: AlreadyExists, NotFound, Aborted for a condition that does not hold; ResourceExhausted if there is no space
  // (nothing was written); while memtables are full, the failure of their flush, which is tried again: nothing was
  // written either. Any other failure once the log was touched leaves the outcome of this batch unknown.
  virtual absl::Status Write(const WriteBatch& batch, const WriteOptions& options = {}) = 0;
  absl::Status Put(RecordInput record, const WriteOptions& options = {});
  absl::Status Insert(RecordInput record, const WriteOptions& options = {});
  absl::Status Update(RecordUpdate update, const WriteOptions& options = {});
  absl::Status Delete(std::string ns, std::string key, const WriteOptions& options = {});
  // Deletes every record whose metadata matches the filter, and returns how many that were.
  //
  // Not atomic as a whole: records are deleted in the order of namespace and key, in batches of at most 10,000, each
  // atomic and durable as a Write is. A record that is written while the call runs is deleted if it matches at the
  // moment of its batch and its key lies ahead then; none is deleted that does not match when it dies. An error says
  // how many records were deleted before it: those stay deleted, and the call may be repeated.
  virtual absl::StatusOr<uint64_t> DeleteWhere(const Filter& filter, const DeleteWhereOptions& options = {}) = 0;
  // Begins to load many records around the log (bulk_load.h).
  virtual absl::StatusOr<std::unique_ptr<BulkLoad>> NewBulkLoad(const BulkLoadOptions& options = {}) = 0;

  // NotFound if the key has no live record.
  virtual absl::StatusOr<Record> Get(std::string_view ns, std::string_view key, const ReadOptions& options = {}) = 0;
  virtual absl::StatusOr<SearchResult> Search(const SearchRequest& request, const ReadOptions& options = {}) = 0;
  // Calls visit(record) in the order of namespace and key until it returns false.
  virtual absl::Status Scan(const ScanRequest& request, const std::function<bool(const Record&)>& visit,
                            const ReadOptions& options = {}) = 0;
  // The next records of a scan: `request.limit` of them (1,000 if that is 0), or fewer at its end. The next call is the
  // same request with the page's cursor. Errors: InvalidArgument for a cursor that is not one that ReadPage gave for a
  // request with the same namespace, prefix, `from`, `after` and `to`.
  absl::StatusOr<ScanPage> ReadPage(const ScanRequest& request, const ReadOptions& options = {});
  // Live records, of one namespace if given.
  virtual absl::StatusOr<uint64_t> Count(std::optional<std::string> ns = std::nullopt,
                                         const ReadOptions& options = {}) = 0;
  // Live records whose metadata matches, of one namespace if given. Reads the documents of all that are asked about.
  virtual absl::StatusOr<uint64_t> CountWhere(const Filter& filter, std::optional<std::string> ns = std::nullopt,
                                              const ReadOptions& options = {}) = 0;
  virtual absl::StatusOr<Snapshot> GetSnapshot() = 0;

  // Writes what the memtable holds into segments; returns when that is durable, though others go on writing.
  virtual absl::StatusOr<MaintenanceResult> Flush() = 0;
  // Folds the segments that are there, dropping dead and expired rows; `full`: into as few as memory allows, one
  // mostly.
  virtual absl::StatusOr<MaintenanceResult> Merge(bool full) = 0;
  // Flush, then a checkpoint file from which a lost manifest can be recovered.
  virtual absl::StatusOr<MaintenanceResult> Checkpoint() = 0;
  // Makes a consistent copy in `destination`, which must not exist or be an empty directory, while writes, flushes and
  // merges go on. The copy is an ordinary, cleanly closed collection. It holds every write that was acknowledged before
  // the call, perhaps later ones, and is a prefix of them all; of a read-only collection it is the newest state in the
  // directory, not the one that reads see. Immutable files are hard-linked where the file system allows it (an
  // immutable file is never changed, so that either may be removed first), else copied; log and manifest are always
  // copied. The destination appears when it is whole and durable; what a crash leaves is DESTINATION.tmp, which the
  // next backup to the same place removes.
  // Errors: AlreadyExists for a destination that is not empty; FailedPrecondition if another backup is writing it;
  // Unavailable if the writer, in another process, replaces files faster than they can be opened.
  virtual absl::StatusOr<BackupResult> Backup(const std::string& destination) = 0;
  // Makes every acknowledged write durable.
  virtual absl::Status Sync() = 0;
  // Tightening makes what was acknowledged durable before it returns.
  virtual absl::Status SetSyncMode(const SyncMode& mode) = 0;
  // Read-only collections: moves forward to the newest state. Others: nothing to do.
  virtual absl::Status Refresh() = 0;

  virtual CollectionStats Stats() = 0;
  // One of the properties of properties.h; empty for a name that is none. Also after Close.
  virtual std::optional<std::string> GetProperty(std::string_view name) = 0;
  // Counters since the collection was opened, and what it holds, in Prometheus' text format 0.0.4: the same metrics in
  // the same order every time. Each has the label `collection`: the last component of the directory.
  virtual std::string MetricsText() = 0;
  virtual const Schema& schema() const = 0;
  virtual const std::string& directory() const = 0;

  // Ends background work, cuts and syncs the log. Later calls fail. No other call may be running.
  virtual absl::Status Close() = 0;
};

}  // namespace varve

#endif  // VARVE_COLLECTION_H_
