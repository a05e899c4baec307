#include "wal/log_test_support.h"

#include "base/bytes.h"
#include "base/status.h"

namespace varve::testing {
namespace {

absl::Status Run(const std::function<absl::Status()>& hook) { return hook ? hook() : absl::OkStatus(); }

class HookedWritableFile final : public WritableFile {
 public:
  HookedWritableFile(const HookedFileSystem::Hooks* hooks, std::unique_ptr<WritableFile> base)
      : hooks_(hooks), base_(std::move(base)) {}

  WriteResult Append(std::string_view data) override { return WriteAt(Size(), data); }
  WriteResult WriteAt(uint64_t offset, std::string_view data) override {
    if (!hooks_->write) return base_->WriteAt(offset, data);
    WriteResult result = hooks_->write(offset, data.size());
    if (result.status.ok()) return base_->WriteAt(offset, data);
    EXPECT_OK(base_->WriteAt(offset, data.substr(0, result.bytes_written)).status);
    return result;
  }
  absl::Status Preallocate(uint64_t length) override {
    RETURN_IF_ERROR(Run(hooks_->preallocate));
    return base_->Preallocate(length);
  }
  absl::Status Truncate(uint64_t length) override {
    RETURN_IF_ERROR(Run(hooks_->truncate));
    return base_->Truncate(length);
  }
  absl::Status Sync() override {
    RETURN_IF_ERROR(Run(hooks_->sync));
    return base_->Sync();
  }
  absl::Status Close() override {
    RETURN_IF_ERROR(Run(hooks_->close));
    return base_->Close();
  }
  uint64_t Size() const override { return base_->Size(); }

 private:
  const HookedFileSystem::Hooks* const hooks_;
  const std::unique_ptr<WritableFile> base_;
};

class HookedRandomAccessFile final : public RandomAccessFile {
 public:
  HookedRandomAccessFile(const HookedFileSystem::Hooks* hooks, std::unique_ptr<RandomAccessFile> base)
      : hooks_(hooks), base_(std::move(base)) {}

  absl::StatusOr<size_t> Read(uint64_t offset, size_t length, char* buffer) const override {
    if (hooks_->read) RETURN_IF_ERROR(hooks_->read(offset, length));
    return base_->Read(offset, length, buffer);
  }
  absl::StatusOr<uint64_t> Size() const override { return base_->Size(); }

 private:
  const HookedFileSystem::Hooks* const hooks_;
  const std::unique_ptr<RandomAccessFile> base_;
};

}  // namespace

std::string RawRecord(uint64_t log, uint64_t offset, LogRecordHeader header, std::string_view payload) {
  header.payload_crc = ComputeCrc32c(payload);
  if (header.payload_bytes == 0) header.payload_bytes = static_cast<uint32_t>(payload.size());
  std::string bytes(kLogRecordHeaderBytes, '\0');
  EncodeLogRecordHeader(header, LogRecordSeed(UuidOf('a'), log), offset, bytes.data());
  bytes.append(payload);
  bytes.resize(AlignUp(bytes.size(), kLogRecordAlignment));
  return bytes;
}

absl::StatusOr<std::unique_ptr<WritableFile>> HookedFileSystem::CreateFile(const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, base_->CreateFile(path));
  return std::unique_ptr<WritableFile>(std::make_unique<HookedWritableFile>(&hooks, std::move(file)));
}

absl::StatusOr<std::unique_ptr<WritableFile>> HookedFileSystem::OpenForAppend(const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, base_->OpenForAppend(path));
  return std::unique_ptr<WritableFile>(std::make_unique<HookedWritableFile>(&hooks, std::move(file)));
}

absl::StatusOr<std::unique_ptr<RandomAccessFile>> HookedFileSystem::OpenForRead(const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, base_->OpenForRead(path));
  return std::unique_ptr<RandomAccessFile>(std::make_unique<HookedRandomAccessFile>(&hooks, std::move(file)));
}

absl::Status HookedFileSystem::SyncDirectory(const std::string& path) {
  RETURN_IF_ERROR(Run(hooks.sync_directory));
  return base_->SyncDirectory(path);
}

}  // namespace varve::testing
