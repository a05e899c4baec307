// Sections: the named, aligned, checksummed byte ranges of a segment file. This is all of a segment that an index type
// sees: it appends its bytes through a SectionSink and later reads them in place through SectionViews.
#ifndef VARVE_SEGMENT_SECTION_H_
#define VARVE_SEGMENT_SECTION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/schema.h"
#include "varve/types.h"

namespace varve {

// On disk; the same numbers as pb::SectionKind.
enum class SectionKind : uint16_t {
  kIds = 1,
  kSlotRows = 2,
  kRowSlots = 3,
  kVectors = 4,
  kInverseNorms = 5,
  kCodes = 6,
  kQuantizer = 7,
  kGraph = 8,
  kInvertedLists = 9,
  kTermDictionary = 10,
  kTermInfo = 11,
  kPostings = 12,
  kDocumentLengths = 13,
  kForwardIndex = 14,
  kDocuments = 15,
  kMetadataColumn = 16,
  kSequences = 17,
  kTimes = 18,
  kExpiry = 19,
  kBlockChecksums = 20,
  kGraphLevels = 21,
};

std::string_view SectionKindName(SectionKind kind);  // "IDS", "VECTORS" ...

// Checks bytes of one mapped file against its block checksums when they are first touched. Thread-safe: blocks may be
// checked twice at once, with the same outcome.
class BlockVerifier {
 public:
  static constexpr uint64_t kBlockBytes = 64 << 10;

  virtual ~BlockVerifier() = default;

  // OK if every block that overlaps [offset, offset + length) of the file has been found good, now or earlier.
  // Errors: DataLoss naming the file and the block's offset.
  absl::Status Verify(uint64_t offset, uint64_t length) const {
    if (length == 0 || IsVerified(offset, length)) return absl::OkStatus();
    return VerifySlow(offset, length);
  }
  // True if Verify would return at once; one or two loads.
  bool IsVerified(uint64_t offset, uint64_t length) const {
    if (all_verified_.load(std::memory_order_relaxed)) return true;
    const uint64_t last = (offset + length - 1) / kBlockBytes;
    for (uint64_t block = offset / kBlockBytes; block <= last; ++block) {
      if (((verified_[block >> 6].load(std::memory_order_relaxed) >> (block & 63)) & 1) == 0) return false;
    }
    return true;
  }

 protected:
  virtual absl::Status VerifySlow(uint64_t offset, uint64_t length) const = 0;

  mutable std::atomic<bool> all_verified_{false};
  mutable std::unique_ptr<std::atomic<uint64_t>[]> verified_;  // one bit per block; set by the subclass
};

// The bytes of one section in the mapping. A value; valid while its segment is open. Nothing in `bytes()` is trusted:
// the reader calls Verify for what it touches, and range-checks every number that it finds.
class SectionView {
 public:
  SectionView() = default;
  // `verifier` may be null (bytes are known to be good).
  SectionView(absl::Span<const std::byte> bytes, uint64_t file_offset, const BlockVerifier* verifier,
              const std::string* file_name, SectionKind kind)
      : bytes_(bytes), file_offset_(file_offset), verifier_(verifier), file_name_(file_name), kind_(kind) {}

  bool present() const { return file_name_ != nullptr; }
  absl::Span<const std::byte> bytes() const { return bytes_; }
  const std::byte* data() const { return bytes_.data(); }
  size_t size() const { return bytes_.size(); }
  SectionKind kind() const { return kind_; }
  // Where the section starts in its file.
  uint64_t file_offset() const { return file_offset_; }

  // Checks the blocks under [offset, offset + length) of the section, which must lie within it.
  absl::Status Verify(uint64_t offset, uint64_t length) const {
    if (IsVerified(offset, length)) return absl::OkStatus();
    return VerifySlow(offset, length);
  }
  bool IsVerified(uint64_t offset, uint64_t length) const {
    return verifier_ == nullptr || length == 0 || verifier_->IsVerified(file_offset_ + offset, length);
  }
  // DataLoss that names the file, this section and the file offset of the section's byte `offset`.
  absl::Status Damaged(uint64_t offset, std::string_view what) const;

 private:
  absl::Status VerifySlow(uint64_t offset, uint64_t length) const;  // names the section in the error

  absl::Span<const std::byte> bytes_;
  uint64_t file_offset_ = 0;
  const BlockVerifier* verifier_ = nullptr;
  const std::string* file_name_ = nullptr;
  SectionKind kind_ = SectionKind::kIds;
};

// Receives the sections that an index writes for one field, one after the other. Thread-compatible.
class SectionSink {
 public:
  virtual ~SectionSink() = default;
  // Ends the section before and begins a new one of the current field, aligned as its kind asks (vectors, codes, graphs
  // 4,096 bytes, others 64). `params` go into the section's directory entry.
  virtual absl::Status BeginSection(SectionKind kind, const ParamMap& params) = 0;
  virtual absl::Status Append(absl::Span<const std::byte> bytes) = 0;
};

// The sections of one field of one open segment, as an index type's Open gets them.
class SectionSource {
 public:
  virtual ~SectionSource() = default;
  // Not present() if the field has no such section.
  virtual SectionView Find(SectionKind kind) const = 0;
  // The directory entry's params; empty if there is no such section.
  virtual ParamMap Params(SectionKind kind) const = 0;
};

}  // namespace varve

#endif  // VARVE_SEGMENT_SECTION_H_
