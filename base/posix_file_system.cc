#include "base/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/posix_files.h"
#include "base/status.h"

namespace varve {
namespace {

constexpr mode_t kDirectoryMode = 0755;
// What is shown of a lock's note; more than any note that we write.
constexpr size_t kMaxNoteBytes = 1024;
// How often a file may reappear between its removal and the creation of its successor.
constexpr int kMaxCreateAttempts = 16;

// `call` failed if it returned -1.
absl::Status StatusOfCall(int result, std::string_view call, const std::string& path) {
  return result == 0 ? absl::OkStatus() : ErrnoStatus(errno, call, path);
}

struct flock WholeFileLock() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

// The kernel lets go of the lock when the descriptor, the only one of its open file, is closed.
class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  const Descriptor descriptor_;
};

class PosixFileSystem final : public FileSystem {
 public:
  // The old file is unlinked, not emptied: its other links and mappings keep their bytes.
  absl::StatusOr<std::unique_ptr<WritableFile>> CreateFile(const std::string& path) override {
    absl::StatusOr<Descriptor> descriptor = OpenDescriptor(path, O_RDWR | O_CREAT | O_EXCL);
    for (int i = 1; i < kMaxCreateAttempts && absl::IsAlreadyExists(descriptor.status()); ++i) {
      if (absl::Status removed = RemoveFile(path); !removed.ok() && !absl::IsNotFound(removed)) return removed;
      descriptor = OpenDescriptor(path, O_RDWR | O_CREAT | O_EXCL);
    }
    if (!descriptor.ok()) return descriptor.status();
    return NewPosixWritableFile(*std::move(descriptor), path, 0);
  }

  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForAppend(const std::string& path) override {
    uint64_t size = 0;
    ASSIGN_OR_RETURN(Descriptor descriptor, OpenRegular(path, O_RDWR, &size));
    return NewPosixWritableFile(std::move(descriptor), path, size);
  }

  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(const std::string& path) override {
    ASSIGN_OR_RETURN(Descriptor descriptor, OpenRegular(path, O_RDONLY, /*size=*/nullptr));
    return NewPosixRandomAccessFile(std::move(descriptor), path);
  }

  absl::StatusOr<std::unique_ptr<MappedFile>> Map(const std::string& path, bool copy) override {
    uint64_t size = 0;
    ASSIGN_OR_RETURN(const Descriptor descriptor, OpenRegular(path, O_RDONLY, &size));
    return copy ? CopyPosixFile(descriptor, path, size) : MapPosixFile(descriptor, path, size);
  }

  absl::StatusOr<FileInfo> Stat(const std::string& path) override {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return ErrnoStatus(errno, "stat", path, /*reading=*/true);
    if (S_ISDIR(info.st_mode)) return FileInfo{0, true};
    return FileInfo{static_cast<uint64_t>(info.st_size), false};
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override {
    struct CloseStream {
      void operator()(DIR* stream) const { ::closedir(stream); }
    };
    const std::unique_ptr<DIR, CloseStream> stream(::opendir(directory.c_str()));
    if (stream == nullptr) return ErrnoStatus(errno, "opendir", directory, /*reading=*/true);
    std::vector<std::string> names;
    while (true) {
      errno = 0;
      const struct dirent* entry = ::readdir(stream.get());
      if (entry == nullptr) break;
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return ErrnoStatus(errno, "readdir", directory, /*reading=*/true);
    return names;
  }

  absl::Status CreateDirectory(const std::string& path) override {
    return StatusOfCall(::mkdir(path.c_str(), kDirectoryMode), "mkdir", path);
  }
  absl::Status RemoveDirectory(const std::string& path) override {
    return StatusOfCall(::rmdir(path.c_str()), "rmdir", path);
  }
  absl::Status RemoveFile(const std::string& path) override {
    return StatusOfCall(::unlink(path.c_str()), "unlink", path);
  }
  absl::Status Rename(const std::string& from, const std::string& to) override {
    return StatusOfCall(::rename(from.c_str(), to.c_str()), "rename", from + " to " + to);
  }
  absl::Status Link(const std::string& from, const std::string& to) override {
    return StatusOfCall(::link(from.c_str(), to.c_str()), "link", from + " to " + to);
  }

  absl::Status SyncDirectory(const std::string& directory) override {
    ASSIGN_OR_RETURN(const Descriptor descriptor, OpenDescriptor(directory, O_RDONLY | O_DIRECTORY));
    return StatusOfCall(RetryInterrupted([&] { return ::fsync(descriptor.get()); }), "fsync", directory);
  }

  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path, std::string_view note) override {
    ASSIGN_OR_RETURN(Descriptor descriptor, OpenRegular(path, O_RDWR | O_CREAT, /*size=*/nullptr));
    struct flock lock = WholeFileLock();
    if (RetryInterrupted([&] { return ::fcntl(descriptor.get(), F_OFD_SETLK, &lock); }) != 0) {
      if (errno != EAGAIN && errno != EACCES) return ErrnoStatus(errno, "lock", path);
      return HeldByAnother(descriptor, path);
    }
    // First written over, then cut: on a full disk a note can still replace another.
    if (WriteResult result = WriteAllAt(descriptor.get(), path, 0, note); !result.status.ok()) return result.status;
    const int cut = RetryInterrupted([&] { return ::ftruncate(descriptor.get(), static_cast<off_t>(note.size())); });
    RETURN_IF_ERROR(StatusOfCall(cut, "ftruncate", path));
    return std::unique_ptr<FileLock>(std::make_unique<PosixFileLock>(std::move(descriptor)));
  }

  absl::StatusOr<bool> IsLocked(const std::string& path) override {
    absl::StatusOr<Descriptor> descriptor = OpenRegular(path, O_RDONLY, /*size=*/nullptr);
    if (absl::IsNotFound(descriptor.status())) return false;
    if (!descriptor.ok()) return descriptor.status();
    struct flock lock = WholeFileLock();
    if (::fcntl(descriptor->get(), F_OFD_GETLK, &lock) != 0) return ErrnoStatus(errno, "lock", path);
    return lock.l_type != F_UNLCK;
  }

 private:
  static absl::Status HeldByAnother(const Descriptor& descriptor, const std::string& path) {
    std::string note(kMaxNoteBytes, '\0');
    const absl::StatusOr<size_t> read = ReadAt(descriptor.get(), path, 0, note.size(), note.data());
    note.resize(read.value_or(0));
    return FailedPrecondition("lock " + path + ": held by another: " + note);
  }
};

}  // namespace

std::unique_ptr<FileSystem> NewPosixFileSystem() { return std::make_unique<PosixFileSystem>(); }

FileSystem* FileSystem::Default() {
  static FileSystem* const file_system = new PosixFileSystem;
  return file_system;
}

}  // namespace varve
