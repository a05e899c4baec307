// What was done to a disk, operation by operation: what FaultFileSystem writes down and CrashDisk builds disks from.
#ifndef VARVE_DISK_TRACE_H_
#define VARVE_DISK_TRACE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace varve {

// Files and directories are inodes; names in directories point to them. The root directory is inode 0.
using DiskInode = uint64_t;

struct DiskOperation {
  enum class Kind : uint8_t {
    kCreateFile,       // a new, empty `inode` gets `name` in `directory`
    kMakeDirectory,    // the same for a directory
    kLink,             // a file gets one more name
    kRename,           // `inode` loses `name` in `directory`, gets `to_name` in `to_directory`
    kRemoveFile,       // `inode` loses `name` in `directory`
    kRemoveDirectory,  // the same for a directory
    kWrite,            // `bytes` at `offset` of `inode`
    kTruncate,         // `inode` is cut to `offset` bytes
    kSync,             // what was done to the bytes of `inode` before operation `begun` is durable
    kFailedSync,       // what was done to the bytes of `inode` before is not made durable by any later sync, only by
                       // writing it again: so Linux has it
    kSyncDirectory,    // what was done to the names in directory `inode` before operation `begun` is durable
  };
  Kind kind = Kind::kWrite;
  DiskInode inode = 0;
  DiskInode directory = 0;
  std::string name;
  DiskInode to_directory = 0;
  std::string to_name;
  uint64_t offset = 0;
  std::string bytes;
  size_t begun = 0;
};

// "write", "sync directory" ...
std::string_view DiskOperationName(DiskOperation::Kind kind);

// A value type. The first `initial` operations are not of the program that was watched: they make what it found, and
// sync it.
struct DiskTrace {
  std::vector<DiskOperation> operations;
  size_t initial = 0;
};

// Operation `index` for people: "12 write /c/wal/0000000001.vwal 4096+120". Names are those of that moment.
std::string DescribeDiskOperation(const DiskTrace& trace, size_t index);

}  // namespace varve

#endif  // VARVE_DISK_TRACE_H_
