// Reads a file from front to back through a buffer of bounded size. The file may be cut while it is read (a live writer
// cuts its log when it finishes it): what is gone counts as never having been there. Thread-compatible.
#ifndef VARVE_WAL_READ_WINDOW_H_
#define VARVE_WAL_READ_WINDOW_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "varve/file_system.h"

namespace varve {

inline constexpr size_t kReadWindowBytes = 1u << 20;

class ReadWindow {
 public:
  // Errors: those of RandomAccessFile::Size().
  static absl::StatusOr<ReadWindow> Open(std::unique_ptr<RandomAccessFile> file);

  // As found when the file was opened, or less if a read met the end sooner.
  uint64_t size() const { return size_; }

  // Up to `length` bytes at `offset`: fewer only at the end of the file. Valid until the next call.
  // Requires: length <= kReadWindowBytes. Errors: DataLoss if the bytes asked for cannot be read; that others near them
  // cannot does not matter.
  absl::StatusOr<std::string_view> View(uint64_t offset, size_t length);

  // The same, of any length, as a copy. Allocates no more than the file has.
  absl::StatusOr<std::string> Copy(uint64_t offset, uint64_t length);

  // True if nothing but zeros stands from `offset` to the end of the file. Reads all of it.
  absl::StatusOr<bool> IsZeroFrom(uint64_t offset);

 private:
  ReadWindow(std::unique_ptr<RandomAccessFile> file, uint64_t size) : file_(std::move(file)), size_(size) {}

  // Reads up to `length` bytes to `target`, and takes a short read for the end of the file.
  absl::StatusOr<size_t> ReadInto(uint64_t offset, size_t length, char* target);
  absl::Status Fill(uint64_t offset, size_t needed);
  std::string_view Buffered(uint64_t offset, size_t length) const;

  std::unique_ptr<RandomAccessFile> file_;
  uint64_t size_;
  std::string buffer_;
  uint64_t start_ = 0;  // of the buffer's bytes in the file
  size_t filled_ = 0;
};

bool IsAllZeros(std::string_view bytes);

}  // namespace varve

#endif  // VARVE_WAL_READ_WINDOW_H_
