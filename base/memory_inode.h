// What a name of the memory file system points to: a file's bytes or a directory's names.
#ifndef VARVE_BASE_MEMORY_INODE_H_
#define VARVE_BASE_MEMORY_INODE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "base/aligned_bytes.h"

namespace varve {

// Bytes that grow. A view of them keeps what it saw: writes to viewed bytes go to a copy, appends behind them go in
// place. Thread-safe.
class MemoryBytes {
 public:
  // A view; `owner` keeps the memory.
  struct View {
    std::shared_ptr<const std::byte> owner;
    size_t size = 0;
  };

  uint64_t size() const;
  // A hole between the end and `offset` reads as zeros. False, and nothing has changed, if there is no memory.
  [[nodiscard]] bool Write(uint64_t offset, std::string_view data);
  // Does nothing if the file is shorter.
  void Truncate(uint64_t length);
  // How many bytes were copied to `buffer`: `length`, or fewer at the end.
  size_t Read(uint64_t offset, size_t length, char* buffer) const;
  View Share();
  std::string ToString() const;

 private:
  mutable absl::Mutex mutex_;
  std::shared_ptr<std::byte> memory_ ABSL_GUARDED_BY(mutex_);
  uint64_t capacity_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t size_ ABSL_GUARDED_BY(mutex_) = 0;
  // Some view may hold the bytes of memory_ before this offset.
  uint64_t shared_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Which of the two it is never changes. Names, links and locks are guarded by the file system's mutex.
struct MemoryInode {
  const bool is_directory;
  MemoryBytes bytes;                                                         // a file's
  std::map<std::string, std::shared_ptr<MemoryInode>, std::less<>> names{};  // a directory's
  bool locked = false;
};

}  // namespace varve

#endif  // VARVE_BASE_MEMORY_INODE_H_
