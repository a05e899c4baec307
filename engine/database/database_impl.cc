#include "engine/database/database_impl.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/directories.h"
#include "base/publish.h"
#include "base/status.h"
#include "engine/database/database_directory.h"
#include "engine/version/collection_lock.h"
#include "engine/version/file_names.h"
#include "engine/version/manifest.h"
#include "varve/clock.h"

namespace varve {
namespace {

// As for a collection with a budget of its own.
constexpr size_t kMinMemoryBytes = size_t{4} << 20;
// Index builds run in several threads.
constexpr int kThreadsPerMerge = 4;

}  // namespace

DatabaseShare::DatabaseShare(std::string directory, const DatabaseOptions& options)
    : directory_(std::move(directory)), options_(options.collections) {
  if (options_.file_system == nullptr) options_.file_system = FileSystem::Default();
  if (options_.clock == nullptr) options_.clock = Clock::Default();
  if (options_.memory_budget == nullptr) {
    budget_ = std::make_unique<MemoryBudget>(options_.memory_bytes);
    options_.memory_budget = budget_.get();
  }
  if (options_.rate_limiter == nullptr && options.background_bytes_per_second != 0) {
    limiter_ = std::make_unique<RateLimiter>(options.background_bytes_per_second, options_.clock);
    options_.rate_limiter = limiter_.get();
  }
  if (options_.executor == nullptr) {
    const int wanted = options_.threads > 0 ? options_.threads : static_cast<int>(std::thread::hardware_concurrency());
    const int threads = std::max(wanted, 1);
    pool_ = std::make_unique<ThreadPool>(threads, ThreadPriority::kLow);
    options_.executor = pool_.get();
    if (options_.merge_executor == nullptr) {
      const int merges = std::max(threads / kThreadsPerMerge, 1);
      merge_pool_ = std::make_unique<ThreadPool>(merges, ThreadPriority::kLow);
      options_.merge_executor = merge_pool_.get();
      options_.threads = threads / merges;
    }
  }
}

std::shared_ptr<Collection> DatabaseShare::FindOrClaim(const std::string& name) {
  absl::MutexLock lock(&mutex_);
  for (;;) {
    const auto found = collections_.find(name);
    if (found == collections_.end()) break;
    if (std::shared_ptr<Collection> handle = found->second.lock()) return handle;
    changed_.Wait(&mutex_);
  }
  collections_[name] = {};
  return nullptr;
}

absl::Status DatabaseShare::ClaimClosed(const std::string& name) {
  absl::MutexLock lock(&mutex_);
  for (;;) {
    const auto found = collections_.find(name);
    if (found == collections_.end()) break;
    // A handle taken here, if only to look, might be the last one, and would close the collection under the lock.
    if (const int64_t handles = found->second.use_count(); handles > 0) {
      return FailedPrecondition("collection " + Quoted(name) + " of " + directory_ + ": is open in this process (" +
                                std::to_string(handles) + " handles): let go of them first");
    }
    changed_.Wait(&mutex_);
  }
  collections_[name] = {};
  return absl::OkStatus();
}

void DatabaseShare::Settle(const std::string& name, std::weak_ptr<Collection> handle) {
  absl::MutexLock lock(&mutex_);
  collections_[name] = std::move(handle);
  changed_.SignalAll();
}

void DatabaseShare::Release(const std::string& name) {
  absl::MutexLock lock(&mutex_);
  collections_.erase(name);
  changed_.SignalAll();
}

void DatabaseShare::RemoveInBackground(const std::string& trash) {
  {
    absl::MutexLock lock(&mutex_);
    ++removals_;
  }
  options_.executor->Schedule([this, trash] {
    (void)RemoveTree(fs(), trash);
    absl::MutexLock lock(&mutex_);
    --removals_;
    changed_.SignalAll();
  });
}

void DatabaseShare::WaitForRemovals() {
  absl::MutexLock lock(&mutex_);
  while (removals_ > 0) changed_.Wait(&mutex_);
}

absl::StatusOr<std::shared_ptr<Collection>> DatabaseImpl::OpenClaimed(const std::string& name, const Opener& open) {
  absl::StatusOr<std::unique_ptr<Collection>> opened = open(JoinPath(directory(), name));
  if (!opened.ok()) {
    share_->Release(name);
    return opened.status();
  }
  // Whoever asks for the name while the last handle goes waits until the collection is closed. The share is kept until
  // then, since the collection works with what it owns.
  std::shared_ptr<Collection> handle(opened->release(), [share = share_, name](const Collection* collection) {
    delete collection;
    share->Release(name);
  });
  share_->Settle(name, handle);
  return handle;
}

absl::StatusOr<std::shared_ptr<Collection>> DatabaseImpl::CreateCollection(std::string_view name,
                                                                           const Schema& schema) {
  RETURN_IF_ERROR(ValidateCollectionName(name));
  const std::string own(name);
  if (share_->FindOrClaim(own) != nullptr) {
    return AlreadyExists("collection " + Quoted(name) + " of " + directory() + ": is there already");
  }
  return OpenClaimed(own, [&](const std::string& path) { return Collection::Create(path, schema, share_->options()); });
}

absl::StatusOr<std::shared_ptr<Collection>> DatabaseImpl::OpenCollection(std::string_view name) {
  RETURN_IF_ERROR(ValidateCollectionName(name));
  const std::string own(name);
  if (std::shared_ptr<Collection> handle = share_->FindOrClaim(own)) return handle;
  return OpenClaimed(own, [&](const std::string& path) { return Collection::Open(path, share_->options()); });
}

absl::StatusOr<std::vector<std::string>> DatabaseImpl::ListCollections() const {
  return ListDatabase(share_->fs(), directory());
}

absl::Status DatabaseImpl::DropCollection(std::string_view name) {
  RETURN_IF_ERROR(ValidateCollectionName(name));
  const std::string own(name);
  RETURN_IF_ERROR(share_->ClaimClosed(own));
  const absl::Status status = DropClaimed(own);
  share_->Release(own);
  return status;
}

absl::Status DatabaseImpl::DropClaimed(const std::string& name) {
  const std::string path = JoinPath(directory(), name);
  const absl::Status there = CheckIsCollection(share_->fs(), path);
  if (absl::IsNotFound(there) || absl::IsFailedPrecondition(there)) {
    return NotFound("collection " + Quoted(name) + " of " + directory() + ": is not there");
  }
  RETURN_IF_ERROR(there);
  // Another process may have the collection alone open. The lock goes with the directory: who comes later finds
  // neither.
  ASSIGN_OR_RETURN(const std::unique_ptr<FileLock> lock, LockCollection(share_->fs(), share_->clock(), path));
  ASSIGN_OR_RETURN(const std::string trash, MoveToTrash(share_->fs(), directory(), name));
  share_->RemoveInBackground(trash);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& directory, const DatabaseOptions& options) {
  auto share = std::make_shared<DatabaseShare>(WithoutTrailingSlashes(directory), options);
  if (share->directory().empty()) return InvalidArgument("the directory's name is empty");
  const size_t memory_bytes = options.collections.memory_bytes;
  if (options.collections.memory_budget == nullptr && memory_bytes != 0 && memory_bytes < kMinMemoryBytes) {
    return InvalidArgument("memory_bytes is below 4 MiB");
  }
  FileSystem* fs = share->fs();
  if (options.create_if_missing) RETURN_IF_ERROR(MakeDirectories(fs, share->directory()));
  const absl::Status marker = CheckDatabaseMarker(fs, share->directory());
  if (absl::IsNotFound(marker) && !options.create_if_missing) {
    RETURN_IF_ERROR(fs->Stat(share->directory()).status());
    return FailedPrecondition(share->directory() + ": is not a database (it has no " +
                              std::string(kDatabaseMarkerName) + ")");
  }
  if (!absl::IsNotFound(marker)) RETURN_IF_ERROR(marker);
  // Nothing is written into a directory that may not become a database, not even a lock.
  if (!marker.ok()) RETURN_IF_ERROR(CheckMayBeMarked(fs, share->directory()));
  absl::StatusOr<std::unique_ptr<FileLock>> lock =
      fs->Lock(JoinPath(share->directory(), kLockName), LockNote(share->clock()));
  if (!lock.ok()) return Annotate(lock.status(), share->directory() + ": the database is open elsewhere");
  share->Keep(*std::move(lock));
  if (!marker.ok()) RETURN_IF_ERROR(MarkDatabase(fs, share->directory()));
  ASSIGN_OR_RETURN(const std::vector<std::string> trash, FindTrash(fs, share->directory()));
  for (const std::string& dropped : trash) share->RemoveInBackground(dropped);
  return std::unique_ptr<Database>(new DatabaseImpl(std::move(share)));
}

absl::StatusOr<std::vector<std::string>> Database::List(const std::string& directory, FileSystem* file_system) {
  FileSystem* fs = file_system != nullptr ? file_system : FileSystem::Default();
  ASSIGN_OR_RETURN(const FileInfo info, fs->Stat(directory));
  if (!info.is_directory) return FailedPrecondition(directory + ": is not a directory, expected a database");
  ASSIGN_OR_RETURN(std::vector<std::string> names, ListDatabase(fs, directory));
  const absl::Status marker = CheckDatabaseMarker(fs, directory);
  if (!absl::IsNotFound(marker)) RETURN_IF_ERROR(marker);
  if (!marker.ok() && names.empty()) {
    return FailedPrecondition(directory + ": is neither a database nor holds any collection");
  }
  return names;
}

}  // namespace varve
