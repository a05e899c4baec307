// Every touch of the disk goes through a FileSystem, so that an embedder, a test or a simulation can stand in for the
// operating system. The POSIX one is FileSystem::Default(); the in-memory one is in base/memory_file_system.h;
// one that fails, dies and loses power as a test asks is in fault_file_system.h.
//
// Errors of all methods: NotFound (ENOENT), AlreadyExists (EEXIST), ResourceExhausted (no space, quota, descriptors or
// memory), PermissionDenied (EACCES, EPERM, EROFS), DataLoss (EIO while reading, or a directory where a file is to be
// read), Internal (anything else). The message names the call and the path. On failure outputs are untouched.
//
// FileSystem is thread-safe; the objects that it hands out are thread-compatible unless they say otherwise.
#ifndef VARVE_FILE_SYSTEM_H_
#define VARVE_FILE_SYSTEM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace varve {

// What became of a write: on failure, how many bytes reached the file before it.
struct WriteResult {
  absl::Status status;
  size_t bytes_written = 0;
};

// A file open for writing. Nothing is buffered in the process: a completed Append survives a crash of the process.
class WritableFile {
 public:
  virtual ~WritableFile() = default;

  // Writes all of `data` at the end of what this object has written so far (see Size()).
  virtual WriteResult Append(std::string_view data) = 0;
  // Writes all of `data` at `offset`, which must not be above Size(): over the bytes that are there, and on behind them
  // where `data` reaches further.
  virtual WriteResult WriteAt(uint64_t offset, std::string_view data) = 0;
  // Reserves space up to `length` bytes. Neither the file's length nor what was written changes, so that after a crash
  // nothing reads the reserved range. May be refused (Unimplemented, ResourceExhausted) without harm.
  virtual absl::Status Preallocate(uint64_t length) = 0;
  // Cuts the file to `length` bytes, which must not be above Size().
  virtual absl::Status Truncate(uint64_t length) = 0;
  // Makes the bytes written and the file's length durable (fdatasync), not its name. Thread-safe beside Append,
  // WriteAt and Preallocate: covers what they had written before it began.
  virtual absl::Status Sync() = 0;
  // Reports errors that the destructor could not.
  virtual absl::Status Close() = 0;
  // Where the next Append goes; preallocated space is not counted.
  virtual uint64_t Size() const = 0;
};

// A file open for reading at any offset. Thread-safe.
class RandomAccessFile {
 public:
  virtual ~RandomAccessFile() = default;
  // Reads up to `length` bytes at `offset` into `buffer`; fewer only at the end of the file. Returns how many.
  virtual absl::StatusOr<size_t> Read(uint64_t offset, size_t length, char* buffer) const = 0;
  virtual absl::StatusOr<uint64_t> Size() const = 0;
};

enum class AccessPattern : uint8_t { kNormal, kRandom, kSequential, kWillNeed };

// The whole of a file in memory, for as long as this object lives. The start is aligned to at least 4,096 bytes.
// Thread-safe.
class MappedFile {
 public:
  virtual ~MappedFile() = default;
  virtual absl::Span<const std::byte> bytes() const = 0;
  // A hint to the kernel; never fails.
  virtual void Advise(uint64_t /*offset*/, uint64_t /*length*/, AccessPattern /*pattern*/) const {}
};

// Held while the object lives. Released by the kernel if the process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

struct FileInfo {
  uint64_t size = 0;
  bool is_directory = false;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // The operating system's. Never destroyed.
  static FileSystem* Default();

  // Makes a new, empty file. One that has the name loses it, but keeps its bytes for its other links and mappings.
  virtual absl::StatusOr<std::unique_ptr<WritableFile>> CreateFile(const std::string& path) = 0;
  // Opens a file that exists; Size() begins at its length.
  virtual absl::StatusOr<std::unique_ptr<WritableFile>> OpenForAppend(const std::string& path) = 0;
  virtual absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(const std::string& path) = 0;
  // Maps a file (kMapped), or reads it whole into memory (copy = true). An empty file gives empty bytes.
  virtual absl::StatusOr<std::unique_ptr<MappedFile>> Map(const std::string& path, bool copy) = 0;

  virtual absl::StatusOr<FileInfo> Stat(const std::string& path) = 0;
  // Names (not paths) in a directory, without "." and "..", in no order.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& directory) = 0;
  virtual absl::Status CreateDirectory(const std::string& path) = 0;  // AlreadyExists if it is there
  virtual absl::Status RemoveDirectory(const std::string& path) = 0;  // must be empty
  virtual absl::Status RemoveFile(const std::string& path) = 0;
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;  // atomic; replaces `to`
  virtual absl::Status Link(const std::string& from, const std::string& to) = 0;    // hard link
  // Makes the names in a directory durable.
  virtual absl::Status SyncDirectory(const std::string& directory) = 0;

  // Takes the exclusive lock of `path`, making the file if needed, and writes `note` into it. Never waits.
  // Errors: FailedPrecondition if another holder lives, in this process or another; the message has its note.
  virtual absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path, std::string_view note) = 0;
  // True if some process (this one included) holds the lock of `path`; false also if there is no such file.
  virtual absl::StatusOr<bool> IsLocked(const std::string& path) = 0;
};

}  // namespace varve

#endif  // VARVE_FILE_SYSTEM_H_
