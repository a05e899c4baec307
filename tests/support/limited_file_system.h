// A file system with little room, or with a failing sync: passes everything on, until a budget of bytes is used up.
#ifndef VARVE_TESTS_SUPPORT_LIMITED_FILE_SYSTEM_H_
#define VARVE_TESTS_SUPPORT_LIMITED_FILE_SYSTEM_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "varve/file_system.h"

namespace varve::testing {

// Thread-safe.
class LimitedFileSystem final : public FileSystem {
 public:
  explicit LimitedFileSystem(FileSystem* under) : under_(under) {}

  // So many bytes may still be written; then ResourceExhausted.
  void SetRoom(int64_t bytes) { room_ = bytes; }
  // Whether a write that does not fit writes the part that does (as a disk may), or nothing.
  void SetPartialWrites(bool partial) { partial_ = partial; }
  // Every sync fails from now on.
  void FailSyncs() { fail_syncs_ = true; }

  absl::StatusOr<std::unique_ptr<WritableFile>> CreateFile(const std::string& path) override {
    return Wrap(under_->CreateFile(path));
  }
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForAppend(const std::string& path) override {
    return Wrap(under_->OpenForAppend(path));
  }
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(const std::string& path) override {
    return under_->OpenForRead(path);
  }
  absl::StatusOr<std::unique_ptr<MappedFile>> Map(const std::string& path, bool copy) override {
    return under_->Map(path, copy);
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
  class File final : public WritableFile {
   public:
    File(std::unique_ptr<WritableFile> under, LimitedFileSystem* fs) : under_(std::move(under)), fs_(fs) {}
    WriteResult Append(std::string_view data) override {
      return Limited(data, [&](std::string_view part) { return under_->Append(part); });
    }
    WriteResult WriteAt(uint64_t offset, std::string_view data) override {
      return Limited(data, [&](std::string_view part) { return under_->WriteAt(offset, part); });
    }
    absl::Status Preallocate(uint64_t) override { return Unimplemented("no preallocation in a limited file system"); }
    absl::Status Truncate(uint64_t length) override { return under_->Truncate(length); }
    absl::Status Sync() override {
      if (fs_->fail_syncs_) return Internal("fdatasync: injected");
      return under_->Sync();
    }
    absl::Status Close() override { return under_->Close(); }
    uint64_t Size() const override { return under_->Size(); }

   private:
    template <typename Write>
    WriteResult Limited(std::string_view data, Write write) {
      const int64_t room = fs_->room_.load();
      const size_t fits = static_cast<size_t>(std::clamp<int64_t>(room, 0, static_cast<int64_t>(data.size())));
      if (fits == data.size()) {
        fs_->room_ -= static_cast<int64_t>(fits);
        return write(data);
      }
      WriteResult result;
      if (fs_->partial_ && fits > 0) {
        fs_->room_ -= static_cast<int64_t>(fits);
        result = write(data.substr(0, fits));
      }
      result.status = ResourceExhausted("write: no space left on device (injected)");
      return result;
    }
    std::unique_ptr<WritableFile> under_;
    LimitedFileSystem* fs_;
  };

  absl::StatusOr<std::unique_ptr<WritableFile>> Wrap(absl::StatusOr<std::unique_ptr<WritableFile>> file) {
    if (!file.ok()) return file;
    return std::unique_ptr<WritableFile>(new File(*std::move(file), this));
  }

  FileSystem* const under_;
  std::atomic<int64_t> room_{int64_t{1} << 60};
  std::atomic<bool> partial_{false};
  std::atomic<bool> fail_syncs_{false};
};

}  // namespace varve::testing

#endif  // VARVE_TESTS_SUPPORT_LIMITED_FILE_SYSTEM_H_
