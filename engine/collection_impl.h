// A collection that is open for writing: owns the parts and wires them together; does nothing itself.
#ifndef VARVE_ENGINE_COLLECTION_IMPL_H_
#define VARVE_ENGINE_COLLECTION_IMPL_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/background/maintenance.h"
#include "engine/version/collection_state.h"
#include "engine/version/publisher.h"
#include "engine/version/recovery.h"
#include "engine/write/log_manager.h"
#include "engine/write/write_path.h"
#include "varve/collection.h"

namespace varve {

// The reading half of a collection, the same for writers and read-only openers. Thread-safe.
class CollectionImpl : public Collection {
 public:
  explicit CollectionImpl(std::unique_ptr<CollectionState> state) : state_(std::move(state)) {}

  absl::StatusOr<Record> Get(std::string_view ns, std::string_view key, const ReadOptions& options) override;
  absl::StatusOr<SearchResult> Search(const SearchRequest& request, const ReadOptions& options) override;
  absl::Status Scan(const ScanRequest& request, const std::function<bool(const Record&)>& visit,
                    const ReadOptions& options) override;
  absl::StatusOr<uint64_t> Count(std::optional<std::string> ns, const ReadOptions& options) override;
  absl::StatusOr<uint64_t> CountWhere(const Filter& filter, std::optional<std::string> ns,
                                      const ReadOptions& options) override;
  absl::StatusOr<Snapshot> GetSnapshot() override;
  CollectionStats Stats() override;
  std::optional<std::string> GetProperty(std::string_view name) override;
  std::string MetricsText() override;
  const Schema& schema() const override { return state_->schema; }
  const std::string& directory() const override { return state_->directory; }

 protected:
  absl::Status CheckOpen() const;
  // The view and point that a read uses: the snapshot's, or the newest.
  ViewRegistry::Pin PinFor(const ReadOptions& options);
  absl::StatusOr<Record> GetRecord(std::string_view ns, std::string_view key, const ReadOptions& options);

  const std::unique_ptr<CollectionState> state_;
  std::atomic<bool> closed_{false};
};

// Thread-safe.
class WritableCollection final : public CollectionImpl, private MemoryBudget::Holder {
 public:
  // `lock` is held for as long as the collection is open.
  static absl::StatusOr<std::unique_ptr<Collection>> Open(const std::string& directory, const Options& options);
  static absl::StatusOr<std::unique_ptr<Collection>> Create(const std::string& directory, const Schema& schema,
                                                            const Options& options);
  ~WritableCollection() override;

  absl::Status Write(const WriteBatch& batch, const WriteOptions& options) override;
  absl::StatusOr<uint64_t> DeleteWhere(const Filter& filter, const DeleteWhereOptions& options) override;
  absl::StatusOr<std::unique_ptr<BulkLoad>> NewBulkLoad(const BulkLoadOptions& options) override;
  absl::StatusOr<MaintenanceResult> Flush() override;
  absl::StatusOr<MaintenanceResult> Merge(bool full) override;
  absl::StatusOr<MaintenanceResult> Checkpoint() override;
  absl::StatusOr<BackupResult> Backup(const std::string& destination) override;
  absl::Status Sync() override;
  absl::Status SetSyncMode(const SyncMode& mode) override;
  absl::Status Refresh() override { return CheckOpen(); }
  CollectionStats Stats() override;
  absl::Status Close() override;

 private:
  // `recovered` without its state.
  WritableCollection(std::unique_ptr<CollectionState> state, const RecoveredCollection& recovered,
                     std::unique_ptr<FileLock> lock);
  // What follows recovery before writes are taken.
  absl::Status TakeOver(const RecoveredCollection& recovered);
  // The same where what follows may not build on the logs that are there.
  absl::Status TakeOverBehindLogs(const RecoveredCollection& recovered);
  // Makes a copy a collection of its own, with a log secret of its own. Requires: everything lies in segments.
  absl::Status TakeIdentity();
  // MemoryBudget::Holder.
  size_t MemtableBytes() const override;
  void RequestFlush() override;

  const std::unique_ptr<FileLock> lock_;
  LogManager log_;
  Publisher publisher_;
  Maintenance maintenance_;
  WritePath writes_;
  const uint64_t generation_at_open_;
  bool is_holder_ = false;
};

// Never writes to the directory. Thread-safe; Refresh may run beside reads.
class ReadOnlyCollection final : public CollectionImpl {
 public:
  static absl::StatusOr<std::unique_ptr<Collection>> Open(const std::string& directory, const ReadOnlyOptions& options);

  absl::Status Write(const WriteBatch& batch, const WriteOptions& options) override;
  absl::StatusOr<uint64_t> DeleteWhere(const Filter& filter, const DeleteWhereOptions& options) override;
  absl::StatusOr<std::unique_ptr<BulkLoad>> NewBulkLoad(const BulkLoadOptions& options) override;
  absl::StatusOr<MaintenanceResult> Flush() override;
  absl::StatusOr<MaintenanceResult> Merge(bool full) override;
  absl::StatusOr<MaintenanceResult> Checkpoint() override;
  absl::StatusOr<BackupResult> Backup(const std::string& destination) override;
  absl::Status Sync() override;
  absl::Status SetSyncMode(const SyncMode& mode) override;
  absl::Status Refresh() override;
  CollectionStats Stats() override;
  absl::Status Close() override;

 private:
  ReadOnlyCollection(RecoveredCollection recovered, const ReadOnlyOptions& options);
  absl::Status MoveForward();

  const ReadOnlyOptions options_;
  absl::Mutex refresh_mutex_;
  // What the newest view was made of.
  pb::Manifest manifest_ ABSL_GUARDED_BY(refresh_mutex_);
  LogEnd newest_log_ ABSL_GUARDED_BY(refresh_mutex_);
};

}  // namespace varve

#endif  // VARVE_ENGINE_COLLECTION_IMPL_H_
