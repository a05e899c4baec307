// Writes a segment file section by section to PATH.tmp: aligns, checksums every 64 KiB, keeps the directory, and
// publishes the file. What the sections mean is the caller's business.
//
// After the first failed write every call returns that failure. An object that is destroyed before Publish has returned
// OK removes what it wrote. Thread-compatible.
#ifndef VARVE_SEGMENT_SECTION_FILE_H_
#define VARVE_SEGMENT_SECTION_FILE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "segment/block_checksums.h"
#include "segment/section.h"
#include "segment/section_directory.h"
#include "varve/file_system.h"

namespace varve {

class SectionFile final : public SectionSink {
 public:
  // Called with their number before bytes go to the file; may wait. Its error is that of the
  // write. May be empty.
  using BeforeWrite = std::function<absl::Status(uint64_t bytes)>;
  // Creates PATH.tmp and writes `head` (the file's first bytes, in no section).
  static absl::StatusOr<std::unique_ptr<SectionFile>> Create(FileSystem* fs, std::string path, std::string_view head,
                                                             BeforeWrite before_write = {});
  ~SectionFile() override;
  SectionFile(const SectionFile&) = delete;
  SectionFile& operator=(const SectionFile&) = delete;

  // The field that the next sections belong to; 0 for the rows.
  void SetField(FieldId field) { field_ = field; }

  // Errors: ResourceExhausted beyond kMaxSections; InvalidArgument if the field has such a section already.
  absl::Status BeginSection(SectionKind kind, const ParamMap& params) override;
  // Requires: a section has begun.
  absl::Status Append(absl::Span<const std::byte> bytes) override;

  // Writes the block_checksums section and the padding behind it; no section may follow.
  absl::Status FinishSections();
  // In the order of the file.
  absl::Span<const SectionEntry> entries() const { return entries_; }
  // Appends bytes that are in no section (header and footer). Requires: FinishSections.
  absl::Status AppendTail(std::string_view bytes);
  absl::Status Publish();

  // Bytes so far; where the next one goes.
  uint64_t size() const { return size_; }

 private:
  SectionFile(FileSystem* fs, std::string path, std::unique_ptr<WritableFile> file, BeforeWrite before_write)
      : fs_(fs), path_(std::move(path)), before_write_(std::move(before_write)), file_(std::move(file)) {}

  absl::Status Write(std::string_view bytes);
  absl::Status AlignTo(uint64_t alignment);
  // Hands what is buffered to the file and, while sections are written, to the checksums.
  absl::Status Flush();
  absl::Status WriteThrough(std::string_view bytes);
  void EndSection();

  FileSystem* const fs_;
  const std::string path_;
  const BeforeWrite before_write_;
  std::unique_ptr<WritableFile> file_;
  absl::Status failure_;
  std::string buffer_;
  uint64_t size_ = 0;
  BlockChecksummer checksummer_;
  bool checksumming_ = true;
  FieldId field_ = 0;
  bool in_section_ = false;
  std::vector<SectionEntry> entries_;
};

}  // namespace varve

#endif  // VARVE_SEGMENT_SECTION_FILE_H_
