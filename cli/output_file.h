// A file that a command makes: it appears under its name when it is whole and durable, or not at all.
// Thread-compatible.
#ifndef VARVE_CLI_OUTPUT_FILE_H_
#define VARVE_CLI_OUTPUT_FILE_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/file_system.h"

namespace varve::cli {

class OutputFile {
 public:
  // Null `file_system`: the operating system's. Until Publish the file is called `path`.tmp; a former `path` stays.
  static absl::StatusOr<std::unique_ptr<OutputFile>> Create(const std::string& path, FileSystem* file_system = nullptr);
  // Removes what was not published.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  absl::Status Append(std::string_view bytes);
  // Over bytes that were appended, which must be there.
  absl::Status WriteAt(uint64_t offset, std::string_view bytes);
  absl::Status Publish();

  uint64_t size() const { return file_->Size() + buffer_.size(); }

 private:
  OutputFile(FileSystem* fs, std::string path, std::unique_ptr<WritableFile> file)
      : fs_(fs), path_(std::move(path)), file_(std::move(file)) {}
  absl::Status Flush();

  FileSystem* const fs_;
  const std::string path_;
  std::unique_ptr<WritableFile> file_;
  std::string buffer_;
  bool published_ = false;
};

}  // namespace varve::cli

#endif  // VARVE_CLI_OUTPUT_FILE_H_
