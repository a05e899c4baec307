#include "base/memory_file_system.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "base/disk_tree.h"
#include "base/memory_inode.h"
#include "base/status.h"

namespace varve {
namespace {

using InodePointer = std::shared_ptr<MemoryInode>;

class MemoryWritableFile final : public WritableFile {
 public:
  MemoryWritableFile(InodePointer inode, std::string path)
      : inode_(std::move(inode)), path_(std::move(path)), size_(inode_->bytes.size()) {}

  WriteResult Append(std::string_view data) override { return WriteAt(size_, data); }

  WriteResult WriteAt(uint64_t offset, std::string_view data) override {
    if (offset > size_) {
      return {InvalidArgument("write " + path_ + ": at offset " + std::to_string(offset) + ": expected at most the " +
                              std::to_string(size_) + " bytes written"),
              0};
    }
    if (!inode_->bytes.Write(offset, data)) return {ErrnoStatus(ENOMEM, "write", path_), 0};
    size_ = std::max(size_, offset + data.size());
    return {absl::OkStatus(), data.size()};
  }

  absl::Status Preallocate(uint64_t /*length*/) override { return absl::OkStatus(); }

  absl::Status Truncate(uint64_t length) override {
    if (length > size_) {
      return InvalidArgument("ftruncate " + path_ + ": to " + std::to_string(length) + " bytes: expected at most the " +
                             std::to_string(size_) + " written");
    }
    inode_->bytes.Truncate(length);
    size_ = length;
    return absl::OkStatus();
  }

  absl::Status Sync() override { return absl::OkStatus(); }
  absl::Status Close() override { return absl::OkStatus(); }
  uint64_t Size() const override { return size_; }

 private:
  const InodePointer inode_;
  const std::string path_;
  uint64_t size_;
};

class MemoryRandomAccessFile final : public RandomAccessFile {
 public:
  explicit MemoryRandomAccessFile(InodePointer inode) : inode_(std::move(inode)) {}
  absl::StatusOr<size_t> Read(uint64_t offset, size_t length, char* buffer) const override {
    return inode_->bytes.Read(offset, length, buffer);
  }
  absl::StatusOr<uint64_t> Size() const override { return inode_->bytes.size(); }

 private:
  const InodePointer inode_;
};

class MemoryMappedFile final : public MappedFile {
 public:
  explicit MemoryMappedFile(MemoryBytes::View view) : view_(std::move(view)) {}
  absl::Span<const std::byte> bytes() const override { return {view_.owner.get(), view_.size}; }

 private:
  const MemoryBytes::View view_;
};

// The names and locks, shared with the locks handed out so that these may outlive the file system.
struct Tree {
  absl::Mutex mutex;
  const InodePointer root{new MemoryInode{.is_directory = true}};
};

class MemoryFileLock final : public FileLock {
 public:
  MemoryFileLock(std::shared_ptr<Tree> tree, InodePointer inode) : tree_(std::move(tree)), inode_(std::move(inode)) {}
  ~MemoryFileLock() override {
    absl::MutexLock lock(&tree_->mutex);
    inode_->locked = false;
  }

 private:
  const std::shared_ptr<Tree> tree_;
  const InodePointer inode_;
};

// Where a path leads: its directory, its last name there, and what the name points to (null if there is no such name).
struct Place {
  MemoryInode* directory = nullptr;
  std::string name;
  InodePointer inode;
};

class MemoryFileSystem final : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<WritableFile>> CreateFile(const std::string& path) override {
    absl::MutexLock lock(&tree_->mutex);
    ASSIGN_OR_RETURN(const Place place, Find("open", path));
    if (place.inode != nullptr && place.inode->is_directory) return ErrnoStatus(EISDIR, "open", path);
    const InodePointer inode(new MemoryInode{.is_directory = false});
    place.directory->names[place.name] = inode;
    return NewWritableFile(inode, path);
  }

  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForAppend(const std::string& path) override {
    absl::MutexLock lock(&tree_->mutex);
    ASSIGN_OR_RETURN(const InodePointer inode, FindFile("open", path, /*reading=*/false));
    return NewWritableFile(inode, path);
  }

  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(const std::string& path) override {
    absl::MutexLock lock(&tree_->mutex);
    ASSIGN_OR_RETURN(const InodePointer inode, FindFile("open", path, /*reading=*/true));
    return std::unique_ptr<RandomAccessFile>(std::make_unique<MemoryRandomAccessFile>(inode));
  }

  // The bytes are in memory and never change under a view, so that a copy would be no different.
  absl::StatusOr<std::unique_ptr<MappedFile>> Map(const std::string& path, bool /*copy*/) override {
    absl::MutexLock lock(&tree_->mutex);
    ASSIGN_OR_RETURN(const InodePointer inode, FindFile("open", path, /*reading=*/true));
    return std::unique_ptr<MappedFile>(std::make_unique<MemoryMappedFile>(inode->bytes.Share()));
  }

  absl::StatusOr<FileInfo> Stat(const std::string& path) override {
    absl::MutexLock lock(&tree_->mutex);
    ASSIGN_OR_RETURN(const InodePointer inode, FindInode("stat", path));
    if (inode->is_directory) return FileInfo{0, true};
    return FileInfo{inode->bytes.size(), false};
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override {
    absl::MutexLock lock(&tree_->mutex);
    ASSIGN_OR_RETURN(const InodePointer inode, FindInode("opendir", directory));
    if (!inode->is_directory) return ErrnoStatus(ENOTDIR, "opendir", directory);
    std::vector<std::string> names;
    for (const auto& [name, child] : inode->names) names.push_back(name);
    return names;
  }

  absl::Status CreateDirectory(const std::string& path) override {
    absl::MutexLock lock(&tree_->mutex);
    ASSIGN_OR_RETURN(const Place place, Find("mkdir", path));
    if (place.inode != nullptr) return ErrnoStatus(EEXIST, "mkdir", path);
    place.directory->names[place.name] = InodePointer(new MemoryInode{.is_directory = true});
    return absl::OkStatus();
  }

  absl::Status RemoveDirectory(const std::string& path) override {
    absl::MutexLock lock(&tree_->mutex);
    ASSIGN_OR_RETURN(const Place place, Find("rmdir", path));
    if (place.inode == nullptr) return ErrnoStatus(ENOENT, "rmdir", path);
    if (!place.inode->is_directory) return ErrnoStatus(ENOTDIR, "rmdir", path);
    if (place.directory == nullptr) return ErrnoStatus(EBUSY, "rmdir", path);
    if (!place.inode->names.empty()) return ErrnoStatus(ENOTEMPTY, "rmdir", path);
    place.directory->names.erase(place.name);
    return absl::OkStatus();
  }

  absl::Status RemoveFile(const std::string& path) override {
    absl::MutexLock lock(&tree_->mutex);
    ASSIGN_OR_RETURN(const Place place, Find("unlink", path));
    if (place.inode == nullptr) return ErrnoStatus(ENOENT, "unlink", path);
    if (place.inode->is_directory) return ErrnoStatus(EISDIR, "unlink", path);
    place.directory->names.erase(place.name);
    return absl::OkStatus();
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    absl::MutexLock lock(&tree_->mutex);
    const std::string both = from + " to " + to;
    ASSIGN_OR_RETURN(const Place source, Find("rename", from));
    ASSIGN_OR_RETURN(const Place target, Find("rename", to));
    if (source.inode == nullptr) return ErrnoStatus(ENOENT, "rename", both);
    if (source.directory == nullptr || target.directory == nullptr) return ErrnoStatus(EBUSY, "rename", both);
    if (source.inode == target.inode) return absl::OkStatus();  // as rename(2) has it, also for two links of one file
    if (source.inode->is_directory && IsWithin(*source.inode, to)) return ErrnoStatus(EINVAL, "rename", both);
    if (target.inode != nullptr) {
      if (source.inode->is_directory && !target.inode->is_directory) return ErrnoStatus(ENOTDIR, "rename", both);
      if (!source.inode->is_directory && target.inode->is_directory) return ErrnoStatus(EISDIR, "rename", both);
      if (!target.inode->names.empty()) return ErrnoStatus(ENOTEMPTY, "rename", both);
    }
    source.directory->names.erase(source.name);
    target.directory->names[target.name] = source.inode;
    return absl::OkStatus();
  }

  absl::Status Link(const std::string& from, const std::string& to) override {
    absl::MutexLock lock(&tree_->mutex);
    const std::string both = from + " to " + to;
    ASSIGN_OR_RETURN(const InodePointer inode, FindInode("link", from));
    if (inode->is_directory) return ErrnoStatus(EPERM, "link", both);
    ASSIGN_OR_RETURN(const Place target, Find("link", to));
    if (target.inode != nullptr) return ErrnoStatus(EEXIST, "link", both);
    target.directory->names[target.name] = inode;
    return absl::OkStatus();
  }

  absl::Status SyncDirectory(const std::string& directory) override {
    absl::MutexLock lock(&tree_->mutex);
    ASSIGN_OR_RETURN(const InodePointer inode, FindInode("open", directory));
    return inode->is_directory ? absl::OkStatus() : ErrnoStatus(ENOTDIR, "open", directory);
  }

  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path, std::string_view note) override {
    absl::MutexLock lock(&tree_->mutex);
    ASSIGN_OR_RETURN(const Place place, Find("open", path));
    InodePointer inode = place.inode;
    if (inode == nullptr) {
      inode = InodePointer(new MemoryInode{.is_directory = false});
      place.directory->names[place.name] = inode;
    }
    if (inode->is_directory) return ErrnoStatus(EISDIR, "open", path);
    if (inode->locked) return FailedPrecondition("lock " + path + ": held by another: " + inode->bytes.ToString());
    inode->bytes.Truncate(0);
    if (!inode->bytes.Write(0, note)) return ErrnoStatus(ENOMEM, "write", path);
    inode->locked = true;
    return std::unique_ptr<FileLock>(std::make_unique<MemoryFileLock>(tree_, inode));
  }

  absl::StatusOr<bool> IsLocked(const std::string& path) override {
    absl::MutexLock lock(&tree_->mutex);
    ASSIGN_OR_RETURN(const Place place, Find("open", path));
    return place.inode != nullptr && place.inode->locked;
  }

 private:
  static absl::StatusOr<std::unique_ptr<WritableFile>> NewWritableFile(const InodePointer& inode,
                                                                       const std::string& path) {
    return std::unique_ptr<WritableFile>(std::make_unique<MemoryWritableFile>(inode, path));
  }

  // The root's directory is null and its name empty.
  absl::StatusOr<Place> Find(std::string_view call, const std::string& path) const
      ABSL_SHARED_LOCKS_REQUIRED(tree_->mutex) {
    if (path.empty()) return ErrnoStatus(ENOENT, call, path);
    Place place{nullptr, "", tree_->root};
    for (std::string& part : SplitDiskPath(path)) {
      if (place.inode == nullptr) return ErrnoStatus(ENOENT, call, path);
      if (!place.inode->is_directory) return ErrnoStatus(ENOTDIR, call, path);
      place.directory = place.inode.get();
      place.name = std::move(part);
      const auto found = place.directory->names.find(place.name);
      place.inode = found == place.directory->names.end() ? nullptr : found->second;
    }
    return place;
  }

  absl::StatusOr<InodePointer> FindInode(std::string_view call, const std::string& path) const
      ABSL_SHARED_LOCKS_REQUIRED(tree_->mutex) {
    ASSIGN_OR_RETURN(Place place, Find(call, path));
    if (place.inode == nullptr) return ErrnoStatus(ENOENT, call, path);
    return std::move(place.inode);
  }

  absl::StatusOr<InodePointer> FindFile(std::string_view call, const std::string& path, bool reading) const
      ABSL_SHARED_LOCKS_REQUIRED(tree_->mutex) {
    ASSIGN_OR_RETURN(InodePointer inode, FindInode(call, path));
    if (inode->is_directory) return ErrnoStatus(EISDIR, call, path, reading);
    return inode;
  }

  // True if the path leads through the directory.
  bool IsWithin(const MemoryInode& directory, const std::string& path) const ABSL_SHARED_LOCKS_REQUIRED(tree_->mutex) {
    const MemoryInode* inode = tree_->root.get();
    for (const std::string& part : SplitDiskPath(path)) {
      if (inode == &directory) return true;
      const auto found = inode->names.find(part);
      if (found == inode->names.end()) return false;
      inode = found->second.get();
    }
    return false;
  }

  const std::shared_ptr<Tree> tree_ = std::make_shared<Tree>();
};

}  // namespace

std::unique_ptr<FileSystem> NewMemoryFileSystem() { return std::make_unique<MemoryFileSystem>(); }

}  // namespace varve
