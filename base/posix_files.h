// What the POSIX file system hands out: descriptors that close themselves, and the files and mappings over them.
#ifndef VARVE_BASE_POSIX_FILES_H_
#define VARVE_BASE_POSIX_FILES_H_

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "varve/file_system.h"

namespace varve {

// Owns a file descriptor; -1 is none. Thread-compatible.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();

  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// Calls `call` until it fails with something else than an interruption by a signal, or succeeds.
template <typename Call>
auto RetryInterrupted(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

// open(2) with O_CLOEXEC.
absl::StatusOr<Descriptor> OpenDescriptor(const std::string& path, int flags);
// Opens for reading, and refuses what is no regular file (without waiting for a pipe's writer). `size` may be null.
absl::StatusOr<Descriptor> OpenRegular(const std::string& path, int flags, uint64_t* size);

// Up to `length` bytes at `offset`, fewer only at the end of the file.
absl::StatusOr<size_t> ReadAt(int fd, const std::string& path, uint64_t offset, size_t length, char* buffer);
// All of `data` at `offset`, or an error and how much of it was written.
WriteResult WriteAllAt(int fd, const std::string& path, uint64_t offset, std::string_view data);

std::unique_ptr<WritableFile> NewPosixWritableFile(Descriptor descriptor, std::string path, uint64_t size);
std::unique_ptr<RandomAccessFile> NewPosixRandomAccessFile(Descriptor descriptor, std::string path);
absl::StatusOr<std::unique_ptr<MappedFile>> MapPosixFile(const Descriptor& descriptor, const std::string& path,
                                                         uint64_t size);
absl::StatusOr<std::unique_ptr<MappedFile>> CopyPosixFile(const Descriptor& descriptor, const std::string& path,
                                                          uint64_t size);

}  // namespace varve

#endif  // VARVE_BASE_POSIX_FILES_H_
