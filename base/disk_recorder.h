// Writes down what FaultFileSystem does, and knows which inode a path leads to.
#ifndef VARVE_BASE_DISK_RECORDER_H_
#define VARVE_BASE_DISK_RECORDER_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "base/disk_tree.h"
#include "varve/disk_trace.h"
#include "varve/file_system.h"

namespace varve {

// Thread-compatible, but for on(); whoever changes the disk while it is on holds the mutex over the change and its
// note, so that the notes have the order of the changes.
class DiskRecorder {
 public:
  bool on() const { return on_.load(std::memory_order_acquire); }
  absl::Mutex* mutex() { return &mutex_; }

  // Begins with what is under `root`, as durable.
  absl::Status Begin(FileSystem* fs, const std::string& root);
  void GoOn(DiskTrace trace);
  const DiskTrace& trace() const { return trace_; }
  size_t size() const { return trace_.operations.size(); }

  // Each notes what was just done.
  DiskInode CreateFile(const std::string& path) { return Make(DiskOperation::Kind::kCreateFile, path); }
  void MakeDirectory(const std::string& path) { Make(DiskOperation::Kind::kMakeDirectory, path); }
  void Remove(const std::string& path, DiskOperation::Kind kind);
  void Rename(const std::string& from, const std::string& to);
  void Link(const std::string& from, const std::string& to);
  void Write(DiskInode inode, uint64_t offset, std::string_view bytes);
  void Truncate(DiskInode inode, uint64_t length);
  // `begun`: size() when it began.
  void Sync(DiskInode inode, size_t begun, DiskOperation::Kind kind = DiskOperation::Kind::kSync);

  // What a path leads to; of a path that is not there, an inode that nothing names.
  DiskInode Find(const std::string& path) const;
  bool Exists(const std::string& path) const;

 private:
  DiskInode Make(DiskOperation::Kind kind, const std::string& path);
  void Add(DiskOperation operation);
  absl::Status AddTree(FileSystem* fs, const std::string& path);

  std::atomic<bool> on_{false};
  absl::Mutex mutex_;
  DiskTree names_;
  DiskTrace trace_;
  DiskInode next_ = 1;
};

}  // namespace varve

#endif  // VARVE_BASE_DISK_RECORDER_H_
