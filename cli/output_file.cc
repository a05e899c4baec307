#include "cli/output_file.h"

#include <utility>

#include "base/publish.h"
#include "base/status.h"

namespace varve::cli {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<OutputFile>> OutputFile::Create(const std::string& path, FileSystem* file_system) {
  FileSystem* fs = file_system != nullptr ? file_system : FileSystem::Default();
  const absl::StatusOr<FileInfo> info = fs->Stat(path);
  if (info.ok() && info->is_directory) return InvalidArgument(path + ": is a directory: expected a file's name");
  ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, fs->CreateFile(path + std::string(kTemporarySuffix)));
  return std::unique_ptr<OutputFile>(new OutputFile(fs, path, std::move(file)));
}

OutputFile::~OutputFile() {
  if (!published_) fs_->RemoveFile(path_ + std::string(kTemporarySuffix)).IgnoreError();
}

absl::Status OutputFile::Append(std::string_view bytes) {
  buffer_ += bytes;
  return buffer_.size() < kBufferBytes ? absl::OkStatus() : Flush();
}

absl::Status OutputFile::Flush() {
  RETURN_IF_ERROR(file_->Append(buffer_).status);
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status OutputFile::WriteAt(uint64_t offset, std::string_view bytes) {
  RETURN_IF_ERROR(Flush());
  return file_->WriteAt(offset, bytes).status;
}

absl::Status OutputFile::Publish() {
  RETURN_IF_ERROR(Flush());
  published_ = true;  // from here on the failure's clean-up is PublishTemporary's
  return PublishTemporary(fs_, file_.get(), path_);
}

}  // namespace varve::cli
