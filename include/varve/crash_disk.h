// The disks that a loss of power may leave. FaultFileSystem has written down what was done; after any number of these
// operations the power fails, and of what was not yet durable the disk keeps some and loses some.
//
//   FaultFileSystem disk(memory.get());
//   disk.Record("/");
//   ... work on the disk ...
//   for (size_t point = trace.initial; point <= trace.operations.size(); ++point) {
//     CrashDisk crash(trace, point);
//     for (const std::string& state : crash.States({.most = 50, .seed = 1})) {
//       auto disk = crash.Build(state);  // open it, and see what is there
//
// What a disk promises is as little as POSIX lets it: bytes and length of a file are durable when a sync of that file,
// begun behind them, has ended; a name when a sync of its directory has; one says nothing of the other. Whatever is not
// durable may be there or not, each piece by itself and in any order: pieces are the parts of a write between multiples
// of 4,096 or 512 bytes, and whole changes of names. A rename is there or not, never half.
#ifndef VARVE_CRASH_DISK_H_
#define VARVE_CRASH_DISK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/disk_trace.h"
#include "varve/file_system.h"

namespace varve {

struct CrashStateOptions {
  size_t most = 64;     // states; those beyond the first few kinds are chosen by the seed
  uint64_t seed = 1;    // of what is chosen, and of stale bytes
  bool beside = false;  // also disks that damage the 4,096 bytes about a write that they lost
};

// A disk as it is found, in memory. Movable.
struct DiskImage {
  std::unique_ptr<FileSystem> disk;
  uint64_t hash = 0;  // of all names, links and bytes
};

// One moment. `trace` must outlive it and not change. Thread-compatible.
class CrashDisk {
 public:
  // The power fails when the first `point` operations of the trace are done.
  CrashDisk(const DiskTrace& trace, size_t point);
  ~CrashDisk();
  CrashDisk(const CrashDisk&) = delete;
  CrashDisk& operator=(const CrashDisk&) = delete;

  // How many pieces of 4,096 bytes, or changes of names, are not durable.
  size_t pieces() const;

  // Names of disks. All of them when there are few pieces, else those that are known to find mistakes and a sample of
  // the others:
  //
  //   none, all            nothing, or everything, of what was not durable
  //   first:N              the first N pieces: what a disk that keeps the order leaves
  //   but:N, only:N        all pieces but one, only one
  //   without:A:B          the pieces up to B without A: reordered
  //   bits:HEX             these (lowest bit first), each of all subsets
  //   random:SEED          each piece or not, at random
  //
  // then any of: /512 pieces of 512 bytes; /zeros files have their whole length, with zeros where bytes were lost;
  // /stale:SEED the same, with old bytes of other files or noise; /beside:SEED the 4,096 bytes about each lost piece
  // are damaged, also what was durable there.
  std::vector<std::string> States(const CrashStateOptions& options) const;

  // Errors: InvalidArgument for what is no name of a state.
  absl::StatusOr<DiskImage> Build(std::string_view state) const;

 private:
  struct Plan;
  const std::unique_ptr<const Plan> plan_;
};

}  // namespace varve

#endif  // VARVE_CRASH_DISK_H_
