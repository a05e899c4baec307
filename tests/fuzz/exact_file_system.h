// The file system in memory, but for mappings: each is an allocation of its own that ends with the file, so that the
// sanitizer sees a read behind it.
#ifndef VARVE_TESTS_FUZZ_EXACT_FILE_SYSTEM_H_
#define VARVE_TESTS_FUZZ_EXACT_FILE_SYSTEM_H_

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/aligned_bytes.h"
#include "base/memory_file_system.h"
#include "base/status.h"
#include "varve/file_system.h"

namespace varve::fuzz {

// Thread-safe.
class ExactFileSystem final : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<WritableFile>> CreateFile(const std::string& path) override {
    return under_->CreateFile(path);
  }
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForAppend(const std::string& path) override {
    return under_->OpenForAppend(path);
  }
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(const std::string& path) override {
    return under_->OpenForRead(path);
  }
  absl::StatusOr<std::unique_ptr<MappedFile>> Map(const std::string& path, bool copy) override {
    ASSIGN_OR_RETURN(const std::unique_ptr<MappedFile> mapping, under_->Map(path, copy));
    return std::unique_ptr<MappedFile>(new Copy(mapping->bytes()));
  }
  absl::StatusOr<FileInfo> Stat(const std::string& path) override { return under_->Stat(path); }
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override {
    return under_->List(directory);
  }
  absl::Status CreateDirectory(const std::string& path) override { return under_->CreateDirectory(path); }
  absl::Status RemoveDirectory(const std::string& path) override { return under_->RemoveDirectory(path); }
  absl::Status RemoveFile(const std::string& path) override { return under_->RemoveFile(path); }
  absl::Status Rename(const std::string& from, const std::string& to) override { return under_->Rename(from, to); }
  absl::Status Link(const std::string& from, const std::string& to) override { return under_->Link(from, to); }
  absl::Status SyncDirectory(const std::string& directory) override { return under_->SyncDirectory(directory); }
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path, std::string_view note) override {
    return under_->Lock(path, note);
  }
  absl::StatusOr<bool> IsLocked(const std::string& path) override { return under_->IsLocked(path); }

 private:
  class Copy final : public MappedFile {
   public:
    explicit Copy(absl::Span<const std::byte> bytes) : size_(bytes.size()), bytes_(AllocateAligned(bytes.size())) {
      if (size_ > 0) std::memcpy(bytes_.get(), bytes.data(), size_);
    }
    absl::Span<const std::byte> bytes() const override { return {bytes_.get(), size_}; }

   private:
    const size_t size_;
    const AlignedBytes bytes_;
  };

  const std::unique_ptr<FileSystem> under_ = NewMemoryFileSystem();
};

}  // namespace varve::fuzz

#endif  // VARVE_TESTS_FUZZ_EXACT_FILE_SYSTEM_H_
