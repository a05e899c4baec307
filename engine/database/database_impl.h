// A database that is open: which of its collections are open, and what they share. Thread-safe.
#ifndef VARVE_ENGINE_DATABASE_DATABASE_IMPL_H_
#define VARVE_ENGINE_DATABASE_DATABASE_IMPL_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/thread_pool.h"
#include "varve/database.h"
#include "varve/file_system.h"
#include "varve/memory_budget.h"
#include "varve/rate_limiter.h"

namespace varve {

// Lives as long as the database or any handle of a collection. Thread-safe.
class DatabaseShare {
 public:
  // `options` are what collections are opened with; what they leave null is made here.
  DatabaseShare(std::string directory, const DatabaseOptions& options);

  const std::string& directory() const { return directory_; }
  const Options& options() const { return options_; }
  FileSystem* fs() const { return options_.file_system; }
  Clock* clock() const { return options_.clock; }
  void Keep(std::unique_ptr<FileLock> lock) { lock_ = std::move(lock); }

  // The open collection of this name. If there is none, the name is claimed for the caller (null), who then calls
  // Settle or Release; meanwhile others wait.
  std::shared_ptr<Collection> FindOrClaim(const std::string& name);
  // Claims the name for dropping. Errors: FailedPrecondition while a handle lives.
  absl::Status ClaimClosed(const std::string& name);
  void Settle(const std::string& name, std::weak_ptr<Collection> handle);
  void Release(const std::string& name);

  // Removes a dropped collection's files on the executor. What cannot be removed goes at the next opening.
  void RemoveInBackground(const std::string& trash);
  void WaitForRemovals();

 private:
  const std::string directory_;
  Options options_;
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<MemoryBudget> budget_;
  std::unique_ptr<RateLimiter> limiter_;

  absl::Mutex mutex_;
  absl::CondVar changed_;
  // A name whose handle is gone is being opened, closed or dropped.
  std::map<std::string, std::weak_ptr<Collection>> collections_ ABSL_GUARDED_BY(mutex_);
  int removals_ ABSL_GUARDED_BY(mutex_) = 0;
  // Last, so that they end first: their tasks use what stands above.
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<ThreadPool> merge_pool_;
};

class DatabaseImpl final : public Database {
 public:
  explicit DatabaseImpl(std::shared_ptr<DatabaseShare> share) : share_(std::move(share)) {}
  ~DatabaseImpl() override { share_->WaitForRemovals(); }

  absl::StatusOr<std::shared_ptr<Collection>> CreateCollection(std::string_view name, const Schema& schema) override;
  absl::StatusOr<std::shared_ptr<Collection>> OpenCollection(std::string_view name) override;
  absl::StatusOr<std::vector<std::string>> ListCollections() const override;
  absl::Status DropCollection(std::string_view name) override;
  const std::string& directory() const override { return share_->directory(); }

 private:
  using Opener = std::function<absl::StatusOr<std::unique_ptr<Collection>>(const std::string& path)>;
  // Opens under a name that was claimed.
  absl::StatusOr<std::shared_ptr<Collection>> OpenClaimed(const std::string& name, const Opener& open);
  absl::Status DropClaimed(const std::string& name);

  const std::shared_ptr<DatabaseShare> share_;
};

}  // namespace varve

#endif  // VARVE_ENGINE_DATABASE_DATABASE_IMPL_H_
