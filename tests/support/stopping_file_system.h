// A file system whose process dies: after a given number of changes nothing is changed any more, so that what is there
// is what a kill at that moment leaves. Also one that refuses hard links, and one that tells when a mapping goes or a
// directory has been listed.
#ifndef VARVE_TESTS_SUPPORT_STOPPING_FILE_SYSTEM_H_
#define VARVE_TESTS_SUPPORT_STOPPING_FILE_SYSTEM_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "base/status.h"
#include "varve/file_system.h"

namespace varve::testing {

// Thread-safe.
class StoppingFileSystem final : public FileSystem {
 public:
  explicit StoppingFileSystem(FileSystem* under) : under_(under) {}

  // So many changes are made from now on; every later one fails.
  void StopAfter(int64_t changes) { left_ = changes; }
  bool stopped() const { return left_ < 0; }
  void ForbidLinks() { links_ = false; }
  // Called when a file is unmapped, by the thread that does it. To be set before a file is mapped.
  void OnUnmap(std::function<void()> hook) { on_unmap_ = std::move(hook); }
  // Called when a directory has been listed. To be set before other threads use the file system.
  void OnListed(std::function<void(const std::string& directory)> hook) { on_listed_ = std::move(hook); }

  absl::StatusOr<std::unique_ptr<WritableFile>> CreateFile(const std::string& path) override {
    RETURN_IF_ERROR(Change());
    return Wrap(under_->CreateFile(path));
  }
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForAppend(const std::string& path) override {
    return Wrap(under_->OpenForAppend(path));
  }
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(const std::string& path) override {
    return under_->OpenForRead(path);
  }
  absl::StatusOr<std::unique_ptr<MappedFile>> Map(const std::string& path, bool copy) override {
    ASSIGN_OR_RETURN(std::unique_ptr<MappedFile> mapping, under_->Map(path, copy));
    return std::unique_ptr<MappedFile>(new Mapping(std::move(mapping), this));
  }
  absl::StatusOr<FileInfo> Stat(const std::string& path) override { return under_->Stat(path); }
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override {
    absl::StatusOr<std::vector<std::string>> names = under_->List(directory);
    if (on_listed_) on_listed_(directory);
    return names;
  }
  absl::Status CreateDirectory(const std::string& path) override {
    RETURN_IF_ERROR(Change());
    return under_->CreateDirectory(path);
  }
  absl::Status RemoveDirectory(const std::string& path) override {
    RETURN_IF_ERROR(Change());
    return under_->RemoveDirectory(path);
  }
  absl::Status RemoveFile(const std::string& path) override {
    RETURN_IF_ERROR(Change());
    return under_->RemoveFile(path);
  }
  absl::Status Rename(const std::string& from, const std::string& to) override {
    RETURN_IF_ERROR(Change());
    return under_->Rename(from, to);
  }
  absl::Status Link(const std::string& from, const std::string& to) override {
    if (!links_) return Internal("link: invalid cross-device link (injected)");
    RETURN_IF_ERROR(Change());
    return under_->Link(from, to);
  }
  absl::Status SyncDirectory(const std::string& directory) override {
    RETURN_IF_ERROR(Change());
    return under_->SyncDirectory(directory);
  }
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path, std::string_view note) override {
    RETURN_IF_ERROR(Change());
    return under_->Lock(path, note);
  }
  absl::StatusOr<bool> IsLocked(const std::string& path) override { return under_->IsLocked(path); }

 private:
  class Mapping final : public MappedFile {
   public:
    Mapping(std::unique_ptr<MappedFile> under, StoppingFileSystem* fs) : under_(std::move(under)), fs_(fs) {}
    ~Mapping() override {
      if (fs_->on_unmap_) fs_->on_unmap_();
    }
    absl::Span<const std::byte> bytes() const override { return under_->bytes(); }
    void Advise(uint64_t offset, uint64_t length, AccessPattern pattern) const override {
      under_->Advise(offset, length, pattern);
    }

   private:
    const std::unique_ptr<MappedFile> under_;
    StoppingFileSystem* const fs_;
  };
  class File final : public WritableFile {
   public:
    File(std::unique_ptr<WritableFile> under, StoppingFileSystem* fs) : under_(std::move(under)), fs_(fs) {}
    WriteResult Append(std::string_view data) override {
      if (absl::Status status = fs_->Change(); !status.ok()) return {std::move(status), 0};
      return under_->Append(data);
    }
    WriteResult WriteAt(uint64_t offset, std::string_view data) override {
      if (absl::Status status = fs_->Change(); !status.ok()) return {std::move(status), 0};
      return under_->WriteAt(offset, data);
    }
    absl::Status Preallocate(uint64_t length) override { return under_->Preallocate(length); }
    absl::Status Truncate(uint64_t length) override {
      RETURN_IF_ERROR(fs_->Change());
      return under_->Truncate(length);
    }
    absl::Status Sync() override {
      RETURN_IF_ERROR(fs_->Change());
      return under_->Sync();
    }
    absl::Status Close() override { return under_->Close(); }
    uint64_t Size() const override { return under_->Size(); }

   private:
    std::unique_ptr<WritableFile> under_;
    StoppingFileSystem* fs_;
  };

  absl::Status Change() {
    if (left_.fetch_sub(1) > 0) return absl::OkStatus();
    left_ = -1;
    return Internal("the process has been stopped (injected)");
  }
  absl::StatusOr<std::unique_ptr<WritableFile>> Wrap(absl::StatusOr<std::unique_ptr<WritableFile>> file) {
    if (!file.ok()) return file;
    return std::unique_ptr<WritableFile>(new File(*std::move(file), this));
  }

  FileSystem* const under_;
  std::atomic<int64_t> left_{int64_t{1} << 60};
  std::atomic<bool> links_{true};
  std::function<void()> on_unmap_;
  std::function<void(const std::string&)> on_listed_;
};

}  // namespace varve::testing

#endif  // VARVE_TESTS_SUPPORT_STOPPING_FILE_SYSTEM_H_
