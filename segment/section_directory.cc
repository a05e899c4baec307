#include "segment/section_directory.h"

#include <set>
#include <utility>

#include "base/bytes.h"
#include "base/status.h"
#include "segment/segment_head.h"

namespace varve {
namespace {

SectionEntry DecodeEntry(const pb::Section& section) {
  SectionEntry entry;
  entry.kind_number = static_cast<int>(section.kind());
  entry.known = pb::SectionKind_IsValid(entry.kind_number) && section.kind() != pb::SECTION_UNSPECIFIED;
  if (entry.known) entry.kind = static_cast<SectionKind>(entry.kind_number);
  entry.field = section.field_id();
  entry.offset = section.offset();
  entry.length = section.length();
  entry.codec = section.codec();
  entry.required = section.required();
  entry.crc = Crc32c{section.crc()};
  for (const pb::Parameter& param : section.params()) entry.params[param.name()] = param.value();
  return entry;
}

// Errors speak of the header, which holds the directory, and name the section.
class DirectoryChecker {
 public:
  DirectoryChecker(uint64_t header_offset, const std::string& file) : header_offset_(header_offset), file_(file) {}

  absl::Status Check(const SectionEntry& entry) {
    RETURN_IF_ERROR(CheckKind(entry));
    RETURN_IF_ERROR(CheckPlace(entry));
    if (entry.known && !seen_.insert({entry.field, entry.kind_number}).second) {
      return Damaged(entry, "occurs twice for field " + std::to_string(entry.field));
    }
    return absl::OkStatus();
  }

  absl::Status CheckEnd(const std::vector<SectionEntry>& entries) const {
    if (entries.empty() || !entries.back().known || entries.back().kind != SectionKind::kBlockChecksums) {
      return DataLossAt(file_, header_offset_, "section directory: the last section is not BLOCK_CHECKSUMS");
    }
    const SectionEntry& checksums = entries.back();
    const uint64_t blocks = (checksums.offset + BlockVerifier::kBlockBytes - 1) / BlockVerifier::kBlockBytes;
    if (checksums.length != blocks * sizeof(uint32_t)) {
      return Damaged(checksums, "does not hold one checksum for each block of the file");
    }
    if (header_offset_ != AlignUp(end_, kSectionAlignment)) {
      return DataLossAt(
          file_, header_offset_,
          "section directory: the sections end at " + std::to_string(end_) + ", not where the header begins");
    }
    return absl::OkStatus();
  }

 private:
  absl::Status CheckKind(const SectionEntry& entry) const {
    if (entry.kind_number == 0) return Damaged(entry, "has no kind");
    if (!entry.known) {
      if (!entry.required) return absl::OkStatus();
      return Unimplemented(file_ + ": needs a required section of kind " + std::to_string(entry.kind_number) +
                           ", which this build does not know");
    }
    if (!pb::SectionCodec_IsValid(static_cast<int>(entry.codec))) {
      return Unimplemented(file_ + ": " + entry.name() + " has codec " + std::to_string(static_cast<int>(entry.codec)) +
                           ", which this build does not know");
    }
    const pb::SectionCodec codec = entry.kind == SectionKind::kDocuments ? pb::LZ4_BLOCKS : pb::RAW;
    if (entry.kind != SectionKind::kMetadataColumn && entry.codec != codec) {
      return Damaged(entry, "has a codec that its kind does not use");
    }
    if (entry.kind != SectionKind::kMetadataColumn && IsRowSection(entry.kind) != (entry.field == 0)) {
      return Damaged(entry, "has field id " + std::to_string(entry.field));
    }
    return absl::OkStatus();
  }

  absl::Status CheckPlace(const SectionEntry& entry) {
    const uint64_t alignment = entry.known ? SectionAlignment(entry.kind) : kSectionAlignment;
    // A kind of a later build may ask for more than this build's least alignment.
    const uint64_t padding_limit = entry.known ? alignment : kPageSectionAlignment;
    if (entry.offset % alignment != 0) return Damaged(entry, "is not aligned");
    if (entry.offset < end_) return Damaged(entry, "overlaps what is before it, or is out of order");
    if (entry.offset - end_ >= padding_limit) return Damaged(entry, "does not follow what is before it");
    uint64_t end = 0;
    if (!CheckedAdd(entry.offset, entry.length, &end) || end > header_offset_) {
      return Damaged(entry, "reaches beyond the sections' part of the file");
    }
    end_ = end;
    return absl::OkStatus();
  }

  absl::Status Damaged(const SectionEntry& entry, std::string_view what) const {
    return DataLossAt(file_, header_offset_,
                      "section directory: " + entry.name() + " at " + std::to_string(entry.offset) + " of " +
                          std::to_string(entry.length) + " bytes " + std::string(what));
  }

  const uint64_t header_offset_;
  const std::string& file_;
  uint64_t end_ = kSegmentHeadBytes;  // of what has been checked
  std::set<std::pair<FieldId, int>> seen_;
};

bool ParamsAreSorted(const pb::Section& section) {
  for (int i = 1; i < section.params_size(); ++i) {
    if (section.params(i - 1).name() >= section.params(i).name()) return false;
  }
  return true;
}

}  // namespace

std::string SectionEntry::name() const {
  return known ? std::string(SectionKindName(kind)) : "section kind " + std::to_string(kind_number);
}

absl::StatusOr<SectionDirectory> SectionDirectory::Read(const pb::SegmentHeader& header, uint64_t header_offset,
                                                        const std::string& file) {
  if (header.sections_size() > kMaxSections) {
    return DataLossAt(file, header_offset,
                      "section directory: more than " + std::to_string(kMaxSections) + " sections");
  }
  DirectoryChecker checker(header_offset, file);
  SectionDirectory directory;
  directory.entries_.reserve(static_cast<size_t>(header.sections_size()));
  for (const pb::Section& section : header.sections()) {
    SectionEntry entry = DecodeEntry(section);
    RETURN_IF_ERROR(checker.Check(entry));
    if (!ParamsAreSorted(section)) {
      return DataLossAt(file, header_offset, "section directory: params of " + entry.name() + " are not sorted");
    }
    directory.entries_.push_back(std::move(entry));
  }
  RETURN_IF_ERROR(checker.CheckEnd(directory.entries_));
  return directory;
}

const SectionEntry* SectionDirectory::Find(FieldId field, SectionKind kind) const {
  for (const SectionEntry& entry : entries_) {
    if (entry.known && entry.kind == kind && entry.field == field) return &entry;
  }
  return nullptr;
}

void SetSectionOffsets(absl::Span<const SectionEntry> entries, SegmentFooter* footer) {
  footer->vectors_offset = 0;
  footer->graph_offset = 0;
  footer->ids_offset = 0;
  footer->term_dict_offset = 0;
  footer->term_dict_len = 0;
  footer->postings_offset = 0;
  footer->postings_len = 0;
  for (const SectionEntry& entry : entries) {
    if (!entry.known) continue;
    if (entry.kind == SectionKind::kIds && footer->ids_offset == 0) footer->ids_offset = entry.offset;
    if (entry.kind == SectionKind::kVectors && footer->vectors_offset == 0) footer->vectors_offset = entry.offset;
    if ((entry.kind == SectionKind::kGraph || entry.kind == SectionKind::kInvertedLists) && footer->graph_offset == 0) {
      footer->graph_offset = entry.offset;
    }
    if (entry.kind == SectionKind::kTermDictionary && footer->term_dict_offset == 0) {
      footer->term_dict_offset = entry.offset;
      footer->term_dict_len = entry.length;
    }
    if (entry.kind == SectionKind::kPostings && footer->postings_offset == 0) {
      footer->postings_offset = entry.offset;
      footer->postings_len = entry.length;
    }
  }
}

pb::Section EncodeSectionEntry(const SectionEntry& entry) {
  pb::Section section;
  section.set_kind(static_cast<pb::SectionKind>(entry.kind_number));
  section.set_field_id(entry.field);
  section.set_offset(entry.offset);
  section.set_length(entry.length);
  section.set_codec(entry.codec);
  section.set_required(entry.required);
  section.set_crc(static_cast<uint32_t>(entry.crc));
  for (const auto& [name, value] : entry.params) {
    pb::Parameter* param = section.add_params();
    param->set_name(name);
    param->set_value(value);
  }
  return section;
}

}  // namespace varve
