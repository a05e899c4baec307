#include "segment/segment_writer.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/status.h"
#include "segment/document_store.h"
#include "segment/key_table_writer.h"
#include "segment/section_directory.h"
#include "segment/section_file.h"
#include "segment/segment_footer.h"
#include "segment/segment_head.h"
#include "segment/slot_map.h"

namespace varve {
namespace {

template <typename T>
absl::Status AppendArray(absl::Span<const T> values, SectionSink* sink) {
  return sink->Append(AsBytes({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)}));
}

// True if no slot is given another row than its own number.
bool SlotsAreRows(absl::Span<const RowId> slot_rows) {
  for (size_t slot = 0; slot < slot_rows.size(); ++slot) {
    if (slot_rows[slot] != slot) return false;
  }
  return true;
}

// Rows are kept in memory as compact arrays; everything else goes through to the file.
class StreamingSegmentWriter final : public SegmentWriter {
 public:
  StreamingSegmentWriter(SegmentWriterOptions options, std::unique_ptr<SectionFile> file)
      : options_(std::move(options)), file_(std::move(file)), keys_(options_.filter_seed) {}

  absl::Status AddRow(const SegmentRow& row) override;
  absl::Status BeginField(const SegmentField& field, uint64_t slot_count, absl::Span<const RowId> slot_rows) override;
  absl::Status BeginSection(SectionKind kind, const ParamMap& params) override;
  absl::Status Append(absl::Span<const std::byte> bytes) override;
  absl::StatusOr<FinishedSegment> Finish() override;

 private:
  enum class State { kRows, kField, kSection, kFinished };

  absl::Status WriteRows();
  absl::Status CheckField(const SegmentField& field, uint64_t slot_count, absl::Span<const RowId> slot_rows) const;
  const pb::Field* FindSchemaField(FieldId field) const;
  pb::SegmentHeader MakeHeader() const;
  void DescribeFirstDenseField(pb::SegmentHeader* header) const;

  const SegmentWriterOptions options_;
  const std::unique_ptr<SectionFile> file_;
  State state_ = State::kRows;
  KeyTableWriter keys_;
  DocumentStoreWriter documents_;
  std::vector<Sequence> sequences_;
  std::vector<int64_t> created_at_us_;
  std::vector<int64_t> updated_at_us_;
  std::vector<int64_t> expires_at_ms_;  // empty until a row expires
  uint32_t rows_ = 0;
  Sequence smallest_sequence_ = 0;
  Sequence largest_sequence_ = 0;
  int64_t smallest_expiry_ms_ = 0;  // with any expiry: of the rows that expire
  int64_t largest_expiry_ms_ = 0;
  std::vector<pb::FieldIndex> fields_;
};

absl::Status StreamingSegmentWriter::AddRow(const SegmentRow& row) {
  if (state_ != State::kRows) return FailedPrecondition("rows of a segment come before its fields");
  if (row.metadata.size() > kMaxMetadataBytes || row.payload.size() > kMaxPayloadBytes) {
    return InvalidArgument("metadata or payload of " + Quoted(row.key) + " is beyond its limit");
  }
  RETURN_IF_ERROR(keys_.Add(row.ns, row.key));
  RETURN_IF_ERROR(documents_.Add(row.metadata, row.payload));
  if (!options_.ingested) sequences_.push_back(row.sequence);
  created_at_us_.push_back(row.created_at_us);
  updated_at_us_.push_back(row.updated_at_us);
  const Sequence sequence = options_.ingested ? 0 : row.sequence;
  smallest_sequence_ = rows_ == 0 ? sequence : std::min(smallest_sequence_, sequence);
  largest_sequence_ = std::max(largest_sequence_, sequence);
  if (row.expires_at_ms != kNeverExpires) {
    const bool first = expires_at_ms_.empty();
    expires_at_ms_.resize(rows_, kNeverExpires);
    smallest_expiry_ms_ = first ? row.expires_at_ms : std::min(smallest_expiry_ms_, row.expires_at_ms);
    largest_expiry_ms_ = first ? row.expires_at_ms : std::max(largest_expiry_ms_, row.expires_at_ms);
    expires_at_ms_.push_back(row.expires_at_ms);
  } else if (!expires_at_ms_.empty()) {
    expires_at_ms_.push_back(kNeverExpires);
  }
  ++rows_;
  return absl::OkStatus();
}

absl::Status StreamingSegmentWriter::WriteRows() {
  RETURN_IF_ERROR(file_->BeginSection(SectionKind::kIds, {}));
  RETURN_IF_ERROR(keys_.AppendTo(file_.get()));
  keys_ = KeyTableWriter(options_.filter_seed);  // no row follows: its memory is for the indexes
  if (!options_.ingested) {
    RETURN_IF_ERROR(file_->BeginSection(SectionKind::kSequences, {}));
    RETURN_IF_ERROR(AppendArray<Sequence>(sequences_, file_.get()));
  }
  RETURN_IF_ERROR(file_->BeginSection(SectionKind::kTimes, {}));
  RETURN_IF_ERROR(AppendArray<int64_t>(created_at_us_, file_.get()));
  RETURN_IF_ERROR(AppendArray<int64_t>(updated_at_us_, file_.get()));
  if (!expires_at_ms_.empty()) {
    RETURN_IF_ERROR(file_->BeginSection(SectionKind::kExpiry, {}));
    RETURN_IF_ERROR(AppendArray<int64_t>(expires_at_ms_, file_.get()));
  }
  if (documents_.any()) {
    RETURN_IF_ERROR(file_->BeginSection(SectionKind::kDocuments, {}));
    RETURN_IF_ERROR(documents_.AppendTo(file_.get()));
  }
  return absl::OkStatus();
}

const pb::Field* StreamingSegmentWriter::FindSchemaField(FieldId field) const {
  for (const pb::Field& candidate : options_.schema.fields()) {
    if (candidate.id() == field) return &candidate;
  }
  return nullptr;
}

absl::Status StreamingSegmentWriter::CheckField(const SegmentField& field, uint64_t slot_count,
                                                absl::Span<const RowId> slot_rows) const {
  const std::string name = "field " + std::to_string(field.id);
  if (field.id == 0 || FindSchemaField(field.id) == nullptr) return InvalidArgument(name + " is not in the schema");
  for (const pb::FieldIndex& other : fields_) {
    if (other.field_id() == field.id) return InvalidArgument(name + " is in the segment already");
  }
  if (field.index_type == IndexType::kAuto || field.compression == CompressionType::kUnspecified) {
    return InvalidArgument(name + " needs a definite index type and compression");
  }
  if (slot_count >= kNoSlot) return ResourceExhausted(name + " has more slots than a segment can hold");
  // Without slot_rows slots are rows; a field that no row has is the exception, and has an empty map on disk.
  if (slot_rows.size() != slot_count && !(slot_rows.empty() && slot_count == rows_)) {
    return InvalidArgument(name + ": " + std::to_string(slot_rows.size()) + " rows given for " +
                           std::to_string(slot_count) + " slots");
  }
  for (size_t slot = 0; slot < slot_rows.size(); ++slot) {
    if (slot_rows[slot] >= rows_ || (slot > 0 && slot_rows[slot] < slot_rows[slot - 1])) {
      return InvalidArgument(name + ": the rows of its slots must ascend and be rows of the segment");
    }
  }
  return absl::OkStatus();
}

absl::Status StreamingSegmentWriter::BeginField(const SegmentField& field, uint64_t slot_count,
                                                absl::Span<const RowId> slot_rows) {
  if (state_ == State::kFinished) return FailedPrecondition("the segment is finished");
  RETURN_IF_ERROR(CheckField(field, slot_count, slot_rows));
  if (state_ == State::kRows) RETURN_IF_ERROR(WriteRows());
  state_ = State::kField;
  pb::FieldIndex entry;
  entry.set_field_id(field.id);
  entry.set_index_type(static_cast<pb::IndexType>(field.index_type));
  entry.set_compression(static_cast<pb::CompressionType>(field.compression));
  entry.set_dimension(field.dimension);
  entry.set_slots(slot_count);
  entry.set_why(field.why);
  for (const auto& [name, value] : field.params) {
    pb::Parameter* param = entry.add_params();
    param->set_name(name);
    param->set_value(value);
  }
  fields_.push_back(std::move(entry));
  file_->SetField(field.id);
  // A map that says nothing is left out.
  if (slot_count == rows_ && SlotsAreRows(slot_rows)) return absl::OkStatus();
  RETURN_IF_ERROR(file_->BeginSection(SectionKind::kSlotRows, {}));
  RETURN_IF_ERROR(AppendArray<RowId>(slot_rows, file_.get()));
  RETURN_IF_ERROR(file_->BeginSection(SectionKind::kRowSlots, {}));
  return AppendRowSlots(slot_rows, rows_, file_.get());
}

absl::Status StreamingSegmentWriter::BeginSection(SectionKind kind, const ParamMap& params) {
  if (state_ != State::kField && state_ != State::kSection) return FailedPrecondition("a section needs a field");
  if (IsRowSection(kind) || kind == SectionKind::kSlotRows || kind == SectionKind::kRowSlots) {
    return InvalidArgument(std::string(SectionKindName(kind)) + " is written by the segment itself");
  }
  RETURN_IF_ERROR(file_->BeginSection(kind, params));
  state_ = State::kSection;
  return absl::OkStatus();
}

absl::Status StreamingSegmentWriter::Append(absl::Span<const std::byte> bytes) {
  if (state_ != State::kSection) return FailedPrecondition("bytes of a segment need a section");
  return file_->Append(bytes);
}

void StreamingSegmentWriter::DescribeFirstDenseField(pb::SegmentHeader* header) const {
  for (const pb::FieldIndex& field : fields_) {
    if (FindSchemaField(field.field_id())->kind() != pb::DENSE) continue;
    header->set_dimension(field.dimension());
    header->set_index_type(field.index_type());
    header->set_compression(field.compression());
    return;
  }
}

pb::SegmentHeader StreamingSegmentWriter::MakeHeader() const {
  pb::SegmentHeader header;
  header.set_collection_uuid(options_.collection.ToHex());
  header.set_segment_id(options_.segment_id);
  header.set_vector_count(rows_);
  DescribeFirstDenseField(&header);
  header.set_created_at(options_.created_at_us);
  for (const SectionEntry& entry : file_->entries()) *header.add_sections() = EncodeSectionEntry(entry);
  *header.mutable_schema() = options_.schema;
  header.set_smallest_sequence(smallest_sequence_);
  header.set_largest_sequence(largest_sequence_);
  header.set_smallest_expiry(smallest_expiry_ms_);
  header.set_largest_expiry(largest_expiry_ms_);
  for (const FileId id : options_.replaces) header.add_replaces(id);
  header.set_writer_version(options_.writer_version);
  for (const pb::FieldIndex& field : fields_) *header.add_fields() = field;
  return header;
}

absl::StatusOr<FinishedSegment> StreamingSegmentWriter::Finish() {
  if (state_ == State::kFinished) return FailedPrecondition("the segment is finished");
  if (state_ == State::kRows) RETURN_IF_ERROR(WriteRows());
  state_ = State::kFinished;
  RETURN_IF_ERROR(file_->FinishSections());
  SegmentFooter footer;
  footer.header_offset = file_->size();
  SetSectionOffsets(file_->entries(), &footer);
  footer.doc_count = rows_;
  footer.max_doc_id = rows_ == 0 ? 0 : rows_ - 1;

  std::string header;
  if (!MakeHeader().SerializeToString(&header)) return Internal("cannot serialise a segment header");
  if (header.size() > kMaxSegmentHeaderBytes) return ResourceExhausted("the segment's header is beyond 1 MiB");
  const std::string footer_bytes = EncodeSegmentFooter(footer, header);
  RETURN_IF_ERROR(file_->AppendTail(header));
  RETURN_IF_ERROR(file_->AppendTail(footer_bytes));
  FinishedSegment finished;
  finished.id = options_.segment_id;
  finished.rows = rows_;
  finished.bytes = file_->size();
  finished.footer_crc = Crc32c{LoadUnaligned<uint32_t>(footer_bytes.data() + SegmentFooterLayout::kChecksum)};
  finished.smallest_sequence = smallest_sequence_;
  finished.largest_sequence = largest_sequence_;
  RETURN_IF_ERROR(file_->Publish());
  return finished;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SegmentWriter>> SegmentWriter::Create(FileSystem* fs, std::string path,
                                                                     SegmentWriterOptions options) {
  const std::string head = EncodeSegmentHead({options.segment_id, options.collection});
  ASSIGN_OR_RETURN(std::unique_ptr<SectionFile> file,
                   SectionFile::Create(fs, std::move(path), head, options.before_write));
  return std::unique_ptr<SegmentWriter>(std::make_unique<StreamingSegmentWriter>(std::move(options), std::move(file)));
}

}  // namespace varve
