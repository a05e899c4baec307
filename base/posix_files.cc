#include "base/posix_files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "base/aligned_bytes.h"
#include "base/bytes.h"
#include "base/status.h"

namespace varve {
namespace {

constexpr mode_t kFileMode = 0644;

// True if the range is one that the system's signed offsets can name.
bool FitsOffsets(uint64_t offset, uint64_t length) {
  uint64_t end = 0;
  return CheckedAdd(offset, length, &end) && end <= static_cast<uint64_t>(std::numeric_limits<off_t>::max());
}

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(Descriptor descriptor, std::string path, uint64_t size)
      : descriptor_(std::move(descriptor)), path_(std::move(path)), size_(size) {}

  WriteResult Append(std::string_view data) override {
    WriteResult result = WriteAllAt(descriptor_.get(), path_, size_, data);
    size_ += result.bytes_written;
    return result;
  }

  WriteResult WriteAt(uint64_t offset, std::string_view data) override {
    if (offset > size_) {
      return {InvalidArgument("write " + path_ + ": at offset " + std::to_string(offset) + ": expected at most the " +
                              std::to_string(size_) + " bytes written"),
              0};
    }
    WriteResult result = WriteAllAt(descriptor_.get(), path_, offset, data);
    size_ = std::max(size_, offset + result.bytes_written);
    return result;
  }

  // Keeps the file's length: who opens the file after a crash finds what was written and nothing behind it.
  absl::Status Preallocate(uint64_t length) override {
    if (length <= size_) return absl::OkStatus();
    if (!FitsOffsets(size_, length - size_)) return ErrnoStatus(EFBIG, "fallocate", path_);
    const int result = RetryInterrupted([&] {
      return ::fallocate(descriptor_.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(size_),
                         static_cast<off_t>(length - size_));
    });
    if (result == 0) return absl::OkStatus();
    if (errno == EOPNOTSUPP || errno == ENOSYS) return Unimplemented("fallocate " + path_ + ": not supported here");
    return ErrnoStatus(errno, "fallocate", path_);
  }

  absl::Status Truncate(uint64_t length) override {
    if (length > size_) {
      return InvalidArgument("ftruncate " + path_ + ": to " + std::to_string(length) + " bytes: expected at most the " +
                             std::to_string(size_) + " written");
    }
    if (RetryInterrupted([&] { return ::ftruncate(descriptor_.get(), static_cast<off_t>(length)); }) != 0) {
      return ErrnoStatus(errno, "ftruncate", path_);
    }
    size_ = length;
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    if (RetryInterrupted([&] { return ::fdatasync(descriptor_.get()); }) != 0) {
      return ErrnoStatus(errno, "fdatasync", path_);
    }
    return absl::OkStatus();
  }

  absl::Status Close() override {
    // Linux has let go of the descriptor even when it says EINTR; calling again could close another's.
    if (const int fd = descriptor_.Release(); fd >= 0 && ::close(fd) != 0 && errno != EINTR) {
      return ErrnoStatus(errno, "close", path_);
    }
    return absl::OkStatus();
  }

  uint64_t Size() const override { return size_; }

 private:
  Descriptor descriptor_;
  const std::string path_;
  uint64_t size_;
};

class PosixRandomAccessFile final : public RandomAccessFile {
 public:
  PosixRandomAccessFile(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  absl::StatusOr<size_t> Read(uint64_t offset, size_t length, char* buffer) const override {
    return ReadAt(descriptor_.get(), path_, offset, length, buffer);
  }

  absl::StatusOr<uint64_t> Size() const override {
    struct stat info {};
    if (::fstat(descriptor_.get(), &info) != 0) return ErrnoStatus(errno, "fstat", path_, /*reading=*/true);
    return static_cast<uint64_t>(info.st_size);
  }

 private:
  const Descriptor descriptor_;
  const std::string path_;
};

int AdviceOf(AccessPattern pattern) {
  switch (pattern) {
    case AccessPattern::kNormal:
      return MADV_NORMAL;
    case AccessPattern::kRandom:
      return MADV_RANDOM;
    case AccessPattern::kSequential:
      return MADV_SEQUENTIAL;
    case AccessPattern::kWillNeed:
      return MADV_WILLNEED;
  }
  return MADV_NORMAL;
}

class MemoryMapping final : public MappedFile {
 public:
  MemoryMapping(void* start, size_t size) : start_(start), size_(size) {}
  ~MemoryMapping() override { ::munmap(start_, size_); }
  MemoryMapping(const MemoryMapping&) = delete;
  MemoryMapping& operator=(const MemoryMapping&) = delete;

  absl::Span<const std::byte> bytes() const override { return {static_cast<const std::byte*>(start_), size_}; }

  void Advise(uint64_t offset, uint64_t length, AccessPattern pattern) const override {
    if (offset >= size_) return;
    // madvise wants the start of a page; a hint may well cover a little more.
    const uint64_t page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
    const uint64_t first = offset / page * page;
    const uint64_t end = offset + std::min<uint64_t>(length, size_ - offset);
    ::madvise(static_cast<char*>(start_) + first, end - first, AdviceOf(pattern));
  }

 private:
  void* const start_;
  const size_t size_;
};

class CopiedFile final : public MappedFile {
 public:
  CopiedFile(AlignedBytes memory, size_t size) : memory_(std::move(memory)), size_(size) {}
  absl::Span<const std::byte> bytes() const override { return {memory_.get(), size_}; }

 private:
  const AlignedBytes memory_;
  const size_t size_;
};

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

absl::StatusOr<Descriptor> OpenDescriptor(const std::string& path, int flags) {
  const int fd = RetryInterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, kFileMode); });
  if (fd < 0) return ErrnoStatus(errno, "open", path);
  return Descriptor(fd);
}

absl::StatusOr<Descriptor> OpenRegular(const std::string& path, int flags, uint64_t* size) {
  // Without O_NONBLOCK opening a pipe would wait; for a regular file it means nothing.
  ASSIGN_OR_RETURN(Descriptor descriptor, OpenDescriptor(path, flags | O_NONBLOCK));
  struct stat info {};
  if (::fstat(descriptor.get(), &info) != 0) return ErrnoStatus(errno, "fstat", path, /*reading=*/true);
  const bool reading = (flags & O_ACCMODE) == O_RDONLY;
  if (S_ISDIR(info.st_mode)) return ErrnoStatus(EISDIR, "open", path, reading);
  if (!S_ISREG(info.st_mode)) return Internal("open " + path + ": not a regular file");
  if (size != nullptr) *size = static_cast<uint64_t>(info.st_size);
  return descriptor;
}

absl::StatusOr<size_t> ReadAt(int fd, const std::string& path, uint64_t offset, size_t length, char* buffer) {
  // Nothing lies beyond the largest offset: the rest of such a range is behind the end of the file.
  constexpr uint64_t kEnd = std::numeric_limits<off_t>::max();
  if (offset >= kEnd) return size_t{0};
  length = std::min<uint64_t>(length, kEnd - offset);
  size_t done = 0;
  while (done < length) {
    const ssize_t count =
        RetryInterrupted([&] { return ::pread(fd, buffer + done, length - done, static_cast<off_t>(offset + done)); });
    if (count < 0) return ErrnoStatus(errno, "read", path, /*reading=*/true);
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

WriteResult WriteAllAt(int fd, const std::string& path, uint64_t offset, std::string_view data) {
  if (!FitsOffsets(offset, data.size())) return {ErrnoStatus(EFBIG, "write", path), 0};
  size_t done = 0;
  while (done < data.size()) {
    const ssize_t count = RetryInterrupted(
        [&] { return ::pwrite(fd, data.data() + done, data.size() - done, static_cast<off_t>(offset + done)); });
    if (count < 0) return {ErrnoStatus(errno, "write", path), done};
    if (count == 0) return {Internal("write " + path + ": the system wrote nothing"), done};
    done += static_cast<size_t>(count);
  }
  return {absl::OkStatus(), done};
}

std::unique_ptr<WritableFile> NewPosixWritableFile(Descriptor descriptor, std::string path, uint64_t size) {
  return std::make_unique<PosixWritableFile>(std::move(descriptor), std::move(path), size);
}

std::unique_ptr<RandomAccessFile> NewPosixRandomAccessFile(Descriptor descriptor, std::string path) {
  return std::make_unique<PosixRandomAccessFile>(std::move(descriptor), std::move(path));
}

absl::StatusOr<std::unique_ptr<MappedFile>> MapPosixFile(const Descriptor& descriptor, const std::string& path,
                                                         uint64_t size) {
  if (size == 0) return CopyPosixFile(descriptor, path, 0);  // mmap refuses empty ranges
  void* start = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor.get(), 0);
  if (start == MAP_FAILED) return ErrnoStatus(errno, "mmap", path);
  return std::unique_ptr<MappedFile>(std::make_unique<MemoryMapping>(start, size));
}

absl::StatusOr<std::unique_ptr<MappedFile>> CopyPosixFile(const Descriptor& descriptor, const std::string& path,
                                                          uint64_t size) {
  AlignedBytes memory = AllocateAligned(size);
  if (size != 0 && memory == nullptr) return ErrnoStatus(ENOMEM, "read", path);
  ASSIGN_OR_RETURN(const size_t read, ReadAt(descriptor.get(), path, 0, size, reinterpret_cast<char*>(memory.get())));
  return std::unique_ptr<MappedFile>(std::make_unique<CopiedFile>(std::move(memory), read));
}

}  // namespace varve
