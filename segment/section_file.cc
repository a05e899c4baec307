#include "segment/section_file.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "base/publish.h"
#include "base/status.h"

namespace varve {
namespace {

// Small appends (one vector, one key) are gathered, so that neither the system call nor the checksum is paid for each.
constexpr size_t kBufferBytes = 1 << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<SectionFile>> SectionFile::Create(FileSystem* fs, std::string path,
                                                                 std::string_view head, BeforeWrite before_write) {
  ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, fs->CreateFile(path + std::string(kTemporarySuffix)));
  std::unique_ptr<SectionFile> result(new SectionFile(fs, std::move(path), std::move(file), std::move(before_write)));
  RETURN_IF_ERROR(result->Write(head));
  return result;
}

SectionFile::~SectionFile() {
  if (file_ == nullptr) return;
  file_.reset();
  // Nothing refers to it; if this fails as well, the next recovery removes it.
  fs_->RemoveFile(path_ + std::string(kTemporarySuffix)).IgnoreError();
}

absl::Status SectionFile::WriteThrough(std::string_view bytes) {
  if (before_write_) failure_ = before_write_(bytes.size());
  RETURN_IF_ERROR(failure_);
  if (checksumming_) checksummer_.Append(bytes);
  failure_ = file_->Append(bytes).status;
  return failure_;
}

absl::Status SectionFile::Flush() {
  RETURN_IF_ERROR(failure_);
  if (buffer_.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(WriteThrough(buffer_));
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status SectionFile::Write(std::string_view bytes) {
  RETURN_IF_ERROR(failure_);
  if (buffer_.size() + bytes.size() > kBufferBytes) RETURN_IF_ERROR(Flush());
  if (bytes.size() >= kBufferBytes) {
    RETURN_IF_ERROR(WriteThrough(bytes));
  } else {
    buffer_ += bytes;
  }
  size_ += bytes.size();
  return absl::OkStatus();
}

absl::Status SectionFile::AlignTo(uint64_t alignment) {
  static constexpr char kZeros[kPageSectionAlignment] = {};
  return Write({kZeros, AlignUp(size_, alignment) - size_});
}

void SectionFile::EndSection() {
  if (in_section_) entries_.back().length = size_ - entries_.back().offset;
  in_section_ = false;
}

absl::Status SectionFile::BeginSection(SectionKind kind, const ParamMap& params) {
  VARVE_CHECK(checksumming_);
  EndSection();
  if (entries_.size() >= static_cast<size_t>(kMaxSections)) {
    return ResourceExhausted("a segment can have at most " + std::to_string(kMaxSections) + " sections");
  }
  const bool twice = std::any_of(entries_.begin(), entries_.end(), [this, kind](const SectionEntry& entry) {
    return entry.kind == kind && entry.field == field_;
  });
  if (twice) {
    return InvalidArgument("field " + std::to_string(field_) + " has a section " + std::string(SectionKindName(kind)) +
                           " already");
  }
  RETURN_IF_ERROR(AlignTo(SectionAlignment(kind)));
  SectionEntry entry;
  entry.kind = kind;
  entry.known = true;
  entry.kind_number = static_cast<int>(kind);
  entry.field = field_;
  entry.offset = size_;
  entry.codec = kind == SectionKind::kDocuments ? pb::LZ4_BLOCKS : pb::RAW;
  entry.required = IsRequiredSection(kind);
  entry.params = params;
  entries_.push_back(std::move(entry));
  in_section_ = true;
  return absl::OkStatus();
}

absl::Status SectionFile::Append(absl::Span<const std::byte> bytes) {
  VARVE_CHECK(in_section_);
  RETURN_IF_ERROR(Write(AsChars(bytes)));
  // The identity of trained state (an epoch's) is its checksum.
  SectionEntry& entry = entries_.back();
  if (entry.kind == SectionKind::kQuantizer) entry.crc = ExtendCrc32c(entry.crc, bytes);
  return absl::OkStatus();
}

absl::Status SectionFile::FinishSections() {
  SetField(0);
  RETURN_IF_ERROR(BeginSection(SectionKind::kBlockChecksums, {}));
  RETURN_IF_ERROR(Flush());
  checksumming_ = false;
  const std::vector<Crc32c> checksums = checksummer_.Finish();
  const std::string_view bytes(reinterpret_cast<const char*>(checksums.data()), checksums.size() * sizeof(Crc32c));
  RETURN_IF_ERROR(Append(AsBytes(bytes)));
  EndSection();
  entries_.back().crc = ComputeCrc32c(bytes);
  return AlignTo(kSectionAlignment);
}

absl::Status SectionFile::AppendTail(std::string_view bytes) {
  VARVE_CHECK(!checksumming_);
  return Write(bytes);
}

absl::Status SectionFile::Publish() {
  RETURN_IF_ERROR(Flush());
  RETURN_IF_ERROR(PublishTemporary(fs_, file_.get(), path_));
  file_.reset();
  return absl::OkStatus();
}

}  // namespace varve
