// A file system for tests: passes everything on to another one, and on the way fails what it is told to fail, stops
// when the process is to die, and writes down what was done, so that CrashDisk can build what a loss of power leaves.
#ifndef VARVE_FAULT_FILE_SYSTEM_H_
#define VARVE_FAULT_FILE_SYSTEM_H_

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "varve/disk_trace.h"
#include "varve/file_system.h"

namespace varve {

class DiskFaults;
class DiskRecorder;

enum class DiskCall : uint8_t {
  kCreateFile,
  kOpenForAppend,
  kOpenForRead,
  kMap,
  kStat,
  kList,
  kCreateDirectory,
  kRemoveDirectory,
  kRemoveFile,
  kRename,
  kLink,
  kSyncDirectory,
  kLock,
  kIsLocked,
  kWrite,  // Append and WriteAt
  kPreallocate,
  kTruncate,
  kSync,
  kClose,
  kRead,
};
inline constexpr size_t kDiskCalls = 20;
std::string_view DiskCallName(DiskCall call);

// Which calls fail, and how. A value type.
struct DiskFault {
  static constexpr uint64_t kForever = std::numeric_limits<uint64_t>::max();

  std::vector<DiskCall> calls;  // empty: every call
  std::string path_part;        // only calls whose path has this in it; a rename or link: the path that it makes
  std::string path_end;         // only calls whose path ends so
  uint64_t skip = 0;            // so many of these calls go through first
  uint64_t times = kForever;    // and so many fail
  // The errno that it fails with, as FileSystem reports it: EIO, ENOSPC, EMFILE, EINTR, EROFS, ENOMEM, EXDEV ... 0: the
  // call says that it was done, and nothing was done: a disk that lies.
  int error = EIO;
  // A write that fails: a part of the bytes, chosen by the seed, is written all the same.
  bool partial = false;
};

// Thread-safe. `under` must outlive it, and it its files.
class FaultFileSystem final : public FileSystem {
 public:
  explicit FaultFileSystem(FileSystem* under, uint64_t seed = 1);
  // Goes on with a trace, whose disk `under` has with nothing lost (state "all"): what another process left.
  FaultFileSystem(FileSystem* under, DiskTrace trace, uint64_t seed = 1);
  ~FaultFileSystem() override;

  void Fail(DiskFault fault);
  // Nothing fails any more, and nothing is stopped.
  void Heal();
  // Nothing is stopped any more; what was told to fail still does.
  void Revive();
  // How many calls matched a fault and failed.
  uint64_t failures() const;
  // How often a call was made.
  uint64_t calls(DiskCall call) const;
  uint64_t calls() const;
  // How many files, mappings and locks were handed out and not yet given back: 0 when nobody uses the file system.
  int64_t open_handles() const { return handles_.load(); }

  // So many bytes may still be written; then ENOSPC. `partial`: a write that does not fit writes the part that does.
  void SetRoom(int64_t bytes, bool partial = false);

  // The process dies: so many changes of the disk are made from now on, and every later one fails.
  void StopAfter(int64_t changes);
  bool stopped() const;

  // Writes down what is done to the disk from now on; what is there under `root` is taken for durable. No call may be
  // running. Nobody else may change the disk.
  absl::Status Record(const std::string& root = "/");
  DiskTrace trace() const;
  size_t trace_size() const;

  // Called before each call, unless the process is dead, by the thread that makes it and without a lock: it may make
  // calls itself.
  // To be set before other threads use the file system.
  void OnCall(std::function<void(DiskCall call, const std::string& path)> hook);
  // Called when a file is unmapped, by the thread that does it. To be set before a file is mapped.
  void OnUnmap(std::function<void()> hook);
  // Called when a directory has been listed. To be set before other threads use the file system.
  void OnListed(std::function<void(const std::string& directory)> hook);

  absl::StatusOr<std::unique_ptr<WritableFile>> CreateFile(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForAppend(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<MappedFile>> Map(const std::string& path, bool copy) override;
  absl::StatusOr<FileInfo> Stat(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override;
  absl::Status CreateDirectory(const std::string& path) override;
  absl::Status RemoveDirectory(const std::string& path) override;
  absl::Status RemoveFile(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Link(const std::string& from, const std::string& to) override;
  absl::Status SyncDirectory(const std::string& directory) override;
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path, std::string_view note) override;
  absl::StatusOr<bool> IsLocked(const std::string& path) override;

 private:
  class File;
  class Reader;
  class Mapping;
  class HeldLock;
  // Counts one of the things that are handed out.
  class Handle {
   public:
    explicit Handle(FaultFileSystem* fs) : fs_(fs) { ++fs_->handles_; }
    ~Handle() { --fs_->handles_; }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

   private:
    FaultFileSystem* const fs_;
  };

  // Makes a change of the disk as it may be made, and writes it down: `note(recorder)` once `make` has made it.
  template <typename Make, typename Note>
  absl::Status Change(DiskCall call, const std::string& path, Make make, Note note);
  absl::StatusOr<std::unique_ptr<WritableFile>> Wrap(absl::StatusOr<std::unique_ptr<WritableFile>> file,
                                                     const std::string& path, DiskInode inode);

  FileSystem* const under_;
  const std::unique_ptr<DiskFaults> faults_;
  const std::unique_ptr<DiskRecorder> recorder_;
  std::atomic<int64_t> handles_{0};
  std::function<void()> on_unmap_;
  std::function<void(const std::string&)> on_listed_;
};

}  // namespace varve

#endif  // VARVE_FAULT_FILE_SYSTEM_H_
