#include "segment/segment_verifier.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/status.h"
#include "segment/segment_head.h"

namespace varve {
namespace {

constexpr uint64_t kBlockBytes = BlockVerifier::kBlockBytes;

class SegmentVerifier {
 public:
  SegmentVerifier(const MappedSegment& segment, std::vector<Segment::Damage>* damage)
      : segment_(segment), damage_(damage) {}

  void Run() {
    OpenFile();
    if (!CheckChecksumTable()) return;  // without it nothing can be said of the rest
    CheckBlocks();
    CheckTail();
    CheckPadding();
    CheckRowSections();
    for (const std::unique_ptr<MappedSegment::Field>& field : segment_.fields()) CheckField(*field);
  }

 private:
  void Add(uint64_t offset, std::string section, std::string_view what) {
    damage_->push_back({offset, std::move(section), std::string(what)});
  }
  // For the checks of one section.
  ReportDamage Reporter(const SectionView& view) {
    auto findings = std::make_shared<int>(0);
    return [this, view, findings](uint64_t offset, std::string_view what) {
      Add(view.file_offset() + offset, std::string(SectionKindName(view.kind())), what);
      return ++*findings < kMaxFindingsPerSection;
    };
  }

  void OpenFile();
  // Reads bytes of the file into `buffer`. False, after adding a line, if they cannot be had.
  bool Read(uint64_t offset, uint64_t length, std::string* buffer);
  bool CheckChecksumTable();
  void CheckBlocks();
  void CheckTail();
  void CheckPadding();
  void CheckRowSections();
  void CheckSequences();
  void CheckExpiry();
  void CheckField(const MappedSegment::Field& field);

  std::string SectionNameAt(uint64_t offset, uint64_t length) const;
  // Whether every block under the section is what was written.
  bool IsSound(const SectionView& view) const;
  bool IsSound(uint64_t offset, uint64_t length) const;

  const MappedSegment& segment_;
  std::vector<Segment::Damage>* const damage_;
  std::unique_ptr<RandomAccessFile> file_;  // null: the mapping is all there is
  std::string table_;
  std::vector<bool> bad_blocks_;
};

void SegmentVerifier::OpenFile() {
  auto file = segment_.file_system()->OpenForRead(segment_.path());
  if (file.ok()) {
    file_ = *std::move(file);
  } else if (file.status().code() != absl::StatusCode::kNotFound) {
    Add(0, "FILE", std::string(file.status().message()));
  }
  // A merged segment that is still in use has no name any more; its mapping is then what is checked.
}

bool SegmentVerifier::Read(uint64_t offset, uint64_t length, std::string* buffer) {
  if (file_ == nullptr) {
    *buffer = AsChars(segment_.file_bytes().subspan(offset, length));
    return true;
  }
  buffer->resize(length);
  const absl::StatusOr<size_t> read = file_->Read(offset, length, buffer->data());
  if (read.ok() && *read == length) return true;
  Add(offset, SectionNameAt(offset, length),
      read.ok() ? "the file ends within these bytes" : std::string(read.status().message()));
  return false;
}

std::string SegmentVerifier::SectionNameAt(uint64_t offset, uint64_t length) const {
  if (offset >= segment_.footer().header_offset) return "HEADER";
  for (const SectionEntry& entry : segment_.directory().entries()) {
    if (entry.offset < offset + length && entry.end() > offset) return entry.name();
  }
  return "PADDING";
}

bool SegmentVerifier::IsSound(uint64_t offset, uint64_t length) const {
  if (length == 0) return true;
  for (uint64_t block = offset / kBlockBytes; block <= (offset + length - 1) / kBlockBytes; ++block) {
    if (bad_blocks_[block]) return false;
  }
  return true;
}

bool SegmentVerifier::IsSound(const SectionView& view) const { return IsSound(view.file_offset(), view.size()); }

bool SegmentVerifier::CheckChecksumTable() {
  const SectionEntry& entry = segment_.directory().block_checksums();
  if (!Read(entry.offset, entry.length, &table_)) return false;
  if (ComputeCrc32c(table_) == entry.crc) return true;
  Add(entry.offset, entry.name(), "the section's own checksum does not match");
  return false;
}

void SegmentVerifier::CheckBlocks() {
  const uint64_t covered = segment_.directory().block_checksums().offset;
  bad_blocks_.assign(ChecksumBlockCount(covered), false);
  std::string block;
  for (size_t i = 0; i < bad_blocks_.size(); ++i) {
    const uint64_t offset = i * kBlockBytes;
    const uint64_t length = std::min(kBlockBytes, covered - offset);
    bad_blocks_[i] = true;
    if (!Read(offset, length, &block)) continue;
    if (ComputeCrc32c(block) == Crc32c{LoadUnaligned<uint32_t>(table_.data() + i * sizeof(uint32_t))}) {
      bad_blocks_[i] = false;
    } else {
      Add(offset, SectionNameAt(offset, length),
          "the checksum of the block of " + std::to_string(length) + " bytes does not match");
    }
  }
}

// Header and footer were checked at open, from the mapping; here, that the file still says the same.
void SegmentVerifier::CheckTail() {
  const uint64_t offset = segment_.directory().block_checksums().end();
  std::string tail;
  if (!Read(offset, segment_.bytes() - offset, &tail)) return;
  if (tail != AsChars(segment_.file_bytes().subspan(offset))) {
    Add(offset, "HEADER", "header and footer are not what they were when the file was opened");
  }
}

void SegmentVerifier::CheckPadding() {
  uint64_t end = kSegmentHeadBytes;
  for (const SectionEntry& entry : segment_.directory().entries()) {
    const std::string_view padding = AsChars(segment_.file_bytes().subspan(end, entry.offset - end));
    if (IsSound(end, padding.size()) && padding.find_first_not_of('\0') != std::string_view::npos) {
      Add(end, "PADDING", "the padding before " + entry.name() + " is not zero");
    }
    end = entry.end();
  }
}

void SegmentVerifier::CheckRowSections() {
  const SectionView ids = segment_.RowSection(SectionKind::kIds);
  if (IsSound(ids)) segment_.keys().CheckAll(Reporter(ids));
  CheckSequences();
  CheckExpiry();
  if (segment_.documents().has_value()) {
    const SectionView documents = segment_.RowSection(SectionKind::kDocuments);
    if (IsSound(documents)) segment_.documents()->CheckAll(Reporter(documents));
  }
}

void SegmentVerifier::CheckSequences() {
  const SectionView view = segment_.RowSection(SectionKind::kSequences);
  if (!view.present() || !IsSound(view)) return;
  Sequence smallest = segment_.rows() == 0 ? 0 : kMaxSequence;
  Sequence largest = 0;
  for (uint64_t row = 0; row < segment_.rows(); ++row) {
    const auto sequence = LoadUnaligned<Sequence>(view.data() + row * sizeof(Sequence));
    smallest = std::min(smallest, sequence);
    largest = std::max(largest, sequence);
  }
  if (smallest != segment_.header().smallest_sequence() || largest != segment_.header().largest_sequence()) {
    Add(view.file_offset(), std::string(SectionKindName(view.kind())),
        "smallest and largest sequence are not those that the header states");
  }
}

void SegmentVerifier::CheckExpiry() {
  const SectionView view = segment_.RowSection(SectionKind::kExpiry);
  if (!view.present() || !IsSound(view)) return;
  int64_t smallest = kNeverExpires;
  int64_t largest = std::numeric_limits<int64_t>::min();
  bool any = false;
  for (uint64_t row = 0; row < segment_.rows(); ++row) {
    const auto expiry = LoadUnaligned<int64_t>(view.data() + row * sizeof(int64_t));
    if (expiry == kNeverExpires) continue;
    any = true;
    smallest = std::min(smallest, expiry);
    largest = std::max(largest, expiry);
  }
  if (!any || smallest != segment_.header().smallest_expiry() || largest != segment_.header().largest_expiry()) {
    Add(view.file_offset(), std::string(SectionKindName(view.kind())),
        "smallest and largest expiry are not those that the header states");
  }
}

void SegmentVerifier::CheckField(const MappedSegment::Field& field) {
  const SectionView slot_rows = field.Find(SectionKind::kSlotRows);
  const SectionView row_slots = field.Find(SectionKind::kRowSlots);
  if (!slot_rows.present() || !IsSound(slot_rows) || !IsSound(row_slots)) return;
  field.slots->CheckAll(Reporter(slot_rows), Reporter(row_slots));
}

}  // namespace

void VerifySegment(const MappedSegment& segment, std::vector<Segment::Damage>* damage) {
  SegmentVerifier(segment, damage).Run();
}

void MappedSegment::VerifyAll(std::vector<Damage>* damage) const { VerifySegment(*this, damage); }

}  // namespace varve
