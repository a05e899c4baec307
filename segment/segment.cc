// Opening a segment: every check that costs O(1) in its size, in the order of docs/file_format.md, "Opening".
#include "segment/segment.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/status.h"
#include "segment/mapped_segment.h"
#include "segment/segment_head.h"

namespace varve {

absl::StatusOr<std::shared_ptr<const Segment>> Segment::Open(FileSystem* fs, const std::string& path,
                                                             const std::optional<SegmentExpectation>& expected,
                                                             VerifyChecksums verify, IoMode io) {
  ASSIGN_OR_RETURN(std::shared_ptr<const MappedSegment> segment, MappedSegment::Open(fs, path, expected, verify, io));
  return std::shared_ptr<const Segment>(std::move(segment));
}

absl::StatusOr<std::shared_ptr<const MappedSegment>> MappedSegment::Open(
    FileSystem* fs, const std::string& path, const std::optional<SegmentExpectation>& expected, VerifyChecksums verify,
    IoMode io) {
  std::shared_ptr<MappedSegment> segment(new MappedSegment(fs, path));
  RETURN_IF_ERROR(segment->MapFile(expected, io));
  ASSIGN_OR_RETURN(segment->footer_, DecodeSegmentFooter(AsChars(segment->bytes_), path));
  RETURN_IF_ERROR(segment->ReadHeader());
  RETURN_IF_ERROR(segment->CheckIdentity(expected));
  RETURN_IF_ERROR(segment->ReadDirectory(verify));
  RETURN_IF_ERROR(segment->OpenRowSections());
  RETURN_IF_ERROR(segment->CheckSequences(expected));
  RETURN_IF_ERROR(segment->OpenFields());
  return std::shared_ptr<const MappedSegment>(std::move(segment));
}

absl::Status MappedSegment::HeaderDamaged(std::string_view what) const {
  return DataLossAt(path_, footer_.header_offset, "segment header: " + std::string(what));
}

absl::Status MappedSegment::MapFile(const std::optional<SegmentExpectation>& expected, IoMode io) {
  ASSIGN_OR_RETURN(mapping_, fs_->Map(path_, /*copy=*/io == IoMode::kRead));
  bytes_ = mapping_->bytes();
  if (expected.has_value() && bytes_.size() != expected->bytes) {
    return DataLossAt(path_, std::min<uint64_t>(bytes_.size(), expected->bytes),
                      "the file has " + std::to_string(bytes_.size()) + " bytes; the manifest says " +
                          std::to_string(expected->bytes));
  }
  return absl::OkStatus();
}

absl::Status MappedSegment::ReadHeader() {
  const uint64_t length = bytes_.size() - SegmentFooter::kEncodedBytes - footer_.header_offset;
  if (!header_.ParseFromArray(bytes_.data() + footer_.header_offset, static_cast<int>(length))) {
    return HeaderDamaged("not a SegmentHeader message");
  }
  if (header_.vector_count() != footer_.doc_count) {
    return HeaderDamaged("vector_count is not the footer's doc_count");
  }
  if (header_.attachment_of() != 0) return Unimplemented(path_ + ": attachments are not built");
  return absl::OkStatus();
}

// Head, header and manifest must speak of the same segment.
absl::Status MappedSegment::CheckIdentity(const std::optional<SegmentExpectation>& expected) const {
  ASSIGN_OR_RETURN(const SegmentHead head, DecodeSegmentHead(AsChars(bytes_), path_));
  if (header_.collection_uuid() != head.collection.ToHex()) {
    return HeaderDamaged("its collection uuid is not the one at the start of the file");
  }
  if (header_.segment_id() != head.segment_id) {
    return HeaderDamaged("its segment id is not the one at the start of the file");
  }
  if (!expected.has_value()) return absl::OkStatus();
  if (head.collection != expected->collection) {
    return HeaderDamaged("the segment belongs to collection " + head.collection.ToHex() + ", not " +
                         expected->collection.ToHex());
  }
  if (head.segment_id != expected->id) {
    return HeaderDamaged("this is segment " + std::to_string(head.segment_id) + "; the manifest says " +
                         std::to_string(expected->id));
  }
  if (footer_.checksum != expected->footer_crc) {
    return DataLossAt(path_, bytes_.size() - sizeof(Crc32c),
                      "the footer's checksum is " + Crc32cToHex(footer_.checksum) + "; the manifest says " +
                          Crc32cToHex(expected->footer_crc));
  }
  return absl::OkStatus();
}

absl::Status MappedSegment::ReadDirectory(VerifyChecksums verify) {
  ASSIGN_OR_RETURN(directory_, SectionDirectory::Read(header_, footer_.header_offset, path_));
  SegmentFooter stated = footer_;
  SetSectionOffsets(directory_.entries(), &stated);
  if (stated != footer_) {
    return DataLossAt(path_, bytes_.size() - SegmentFooter::kEncodedBytes,
                      "the footer's offsets are not those of the section directory");
  }
  const SectionEntry& checksums = directory_.block_checksums();
  // What lies between the last checksummed byte and the header is looked at here; nothing else covers it.
  const std::string_view padding = AsChars(bytes_.subspan(checksums.end(), footer_.header_offset - checksums.end()));
  if (padding.find_first_not_of('\0') != std::string_view::npos) {
    return DataLossAt(path_, checksums.end(), "the padding before the segment header is not zero");
  }
  verifier_ = std::make_unique<FileBlockVerifier>(
      bytes_, BlockChecksumTable{checksums.offset, checksums.length, checksums.crc}, &path_,
      /*trusting=*/verify == VerifyChecksums::kNever);
  return verify == VerifyChecksums::kAtOpen ? verifier_->VerifyEverything() : absl::OkStatus();
}

absl::Status MappedSegment::OpenRowSections() {
  const SectionView ids = RowSection(SectionKind::kIds);
  sequences_ = RowSection(SectionKind::kSequences);
  times_ = RowSection(SectionKind::kTimes);
  expiry_ = RowSection(SectionKind::kExpiry);
  if (!ids.present() || !times_.present()) {
    return HeaderDamaged("a segment needs the sections IDS and TIMES");
  }
  const uint64_t row_count = rows();
  if (times_.size() != 2 * row_count * sizeof(int64_t)) return times_.Damaged(0, "does not have two entries per row");
  if (expiry_.present() && expiry_.size() != row_count * sizeof(int64_t)) {
    return expiry_.Damaged(0, "does not have one entry per row");
  }
  ASSIGN_OR_RETURN(keys_, KeyTable::Open(ids, rows()));
  if (const SectionView documents = RowSection(SectionKind::kDocuments); documents.present()) {
    ASSIGN_OR_RETURN(documents_, DocumentStore::Open(documents, rows()));
  }
  return absl::OkStatus();
}

// Rows that were ingested have the one sequence that the manifest says; nobody else says it of a file by itself.
absl::Status MappedSegment::CheckSequences(const std::optional<SegmentExpectation>& expected) {
  if (sequences_.present()) {
    if (sequences_.size() != uint64_t{rows()} * sizeof(Sequence)) {
      return sequences_.Damaged(0, "does not have one entry per row");
    }
    if (expected.has_value() && expected->ingest_sequence != 0) {
      return HeaderDamaged("has a section SEQUENCES; the manifest says that its rows were ingested");
    }
    return absl::OkStatus();
  }
  if (expected.has_value() && expected->ingest_sequence == 0) {
    return HeaderDamaged("a segment needs the section SEQUENCES unless its rows were ingested");
  }
  if (header_.smallest_sequence() != 0 || header_.largest_sequence() != 0) {
    return HeaderDamaged("states a range of sequences without a section SEQUENCES");
  }
  ingest_sequence_ = expected.has_value() ? expected->ingest_sequence : 0;
  return absl::OkStatus();
}

absl::Status MappedSegment::OpenFields() {
  if (header_.fields_size() > static_cast<int>(kMaxFields)) return HeaderDamaged("too many fields");
  for (const pb::FieldIndex& index : header_.fields()) {
    if (FindFieldEntry(index.field_id()) != nullptr) {
      return HeaderDamaged("field " + std::to_string(index.field_id()) + " occurs twice");
    }
    RETURN_IF_ERROR(OpenField(index));
  }
  for (const SectionEntry& entry : directory_.entries()) {
    const bool of_field = entry.known && entry.kind != SectionKind::kMetadataColumn && entry.field != 0;
    if (of_field && FindFieldEntry(entry.field) == nullptr) {
      return HeaderDamaged(entry.name() + " belongs to field " + std::to_string(entry.field) +
                           ", which the segment does not have");
    }
  }
  return absl::OkStatus();
}

absl::Status MappedSegment::OpenField(const pb::FieldIndex& index) {
  const std::string name = "field " + std::to_string(index.field_id());
  const pb::Field* schema = nullptr;
  for (const pb::Field& candidate : header_.schema().fields()) {
    if (candidate.id() == index.field_id()) schema = &candidate;
  }
  if (index.field_id() == 0 || schema == nullptr) return HeaderDamaged(name + " is not in the schema");
  if (index.index_type() == pb::AUTO || index.compression() == pb::COMPRESSION_UNSPECIFIED) {
    return HeaderDamaged(name + " has no index type or compression");
  }
  if (index.slots() >= kNoSlot) return HeaderDamaged(name + " has too many slots");
  auto field = std::make_unique<Field>();
  field->index = &index;
  for (const SectionEntry& entry : directory_.entries()) {
    if (entry.known && entry.field == index.field_id()) field->sections.push_back({View(&entry), &entry});
  }
  const SectionView slot_rows = field->Find(SectionKind::kSlotRows);
  if (!slot_rows.present() && index.slots() != rows()) {
    return HeaderDamaged(name + " needs a section SLOT_ROWS, since it has " + std::to_string(index.slots()) +
                         " slots in " + std::to_string(rows()) + " rows");
  }
  ASSIGN_OR_RETURN(field->slots, SlotMap::Open(slot_rows, field->Find(SectionKind::kRowSlots), rows(),
                                               static_cast<uint32_t>(index.slots())));
  RETURN_IF_ERROR(CheckVectors(*schema, field.get()));
  fields_.push_back(std::move(field));
  return absl::OkStatus();
}

absl::Status MappedSegment::CheckVectors(const pb::Field& schema, Field* field) const {
  const SectionView norms = field->Find(SectionKind::kInverseNorms);
  if (norms.present() && norms.size() != field->index->slots() * sizeof(float)) {
    return norms.Damaged(0, "does not have one entry per slot");
  }
  const SectionView vectors = field->Find(SectionKind::kVectors);
  if (!vectors.present()) return absl::OkStatus();
  const uint32_t dimension = field->index->dimension();
  if (dimension == 0 || dimension > kMaxDimension || dimension != schema.dimension()) {
    return HeaderDamaged("the dimension of field " + std::to_string(schema.id()) + " is not that of the schema");
  }
  // VectorBytes gives 0 for an element type that it does not know.
  field->vector_bytes = VectorBytes(static_cast<ElementType>(schema.element()), dimension);
  if (!pb::ElementType_IsValid(static_cast<int>(schema.element())) || field->vector_bytes == 0) {
    return HeaderDamaged("the element type of field " + std::to_string(schema.id()) + " is unknown");
  }
  if (vectors.size() != field->index->slots() * field->vector_bytes) {
    return vectors.Damaged(0, "does not have one vector per slot");
  }
  return absl::OkStatus();
}

}  // namespace varve
