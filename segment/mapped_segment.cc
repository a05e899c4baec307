#include "segment/mapped_segment.h"

#include <utility>

#include "base/bytes.h"
#include "base/status.h"

namespace varve {
namespace {

StoredDocument Copy(const DocumentBlock::Document& document) {
  return {std::string(document.metadata), std::string(document.payload)};
}

// Keeps the block decoded last.
class BlockDocumentReader final : public DocumentReader {
 public:
  // Null `store`: the segment has no documents.
  BlockDocumentReader(const DocumentStore* store, uint32_t rows) : store_(store), rows_(rows) {}

  absl::StatusOr<Document> Read(RowId row) override {
    if (row >= rows_) {
      return InvalidArgument("row " + std::to_string(row) + " of a segment of " + std::to_string(rows_) + " rows");
    }
    if (store_ == nullptr) return Document{};
    if (!block_.Contains(row)) {
      ASSIGN_OR_RETURN(block_, store_->ReadBlock(row));
    }
    const DocumentBlock::Document document = block_.Get(row);
    return Document{document.metadata, document.payload};
  }

 private:
  const DocumentStore* const store_;
  const uint32_t rows_;
  DocumentBlock block_;
};

}  // namespace

SectionView MappedSegment::Field::Find(SectionKind kind) const {
  for (const Section& section : sections) {
    if (section.entry->kind == kind) return section.view;
  }
  return SectionView();
}

ParamMap MappedSegment::Field::Params(SectionKind kind) const {
  for (const Section& section : sections) {
    if (section.entry->kind == kind) return section.entry->params;
  }
  return {};
}

SectionView MappedSegment::View(const SectionEntry* entry) const {
  if (entry == nullptr) return SectionView();
  return SectionView(bytes_.subspan(entry->offset, entry->length), entry->offset, verifier_.get(), &path_, entry->kind);
}

absl::Status MappedSegment::CheckRow(RowId row) const {
  if (row < rows()) return absl::OkStatus();
  return InvalidArgument(path_ + ": row " + std::to_string(row) + " of a segment of " + std::to_string(rows()) +
                         " rows");
}

const MappedSegment::Field* MappedSegment::FindFieldEntry(FieldId field) const {
  for (const std::unique_ptr<Field>& entry : fields_) {
    if (entry->index->field_id() == field) return entry.get();
  }
  return nullptr;
}

absl::StatusOr<RowId> MappedSegment::FindKey(std::string_view ns, std::string_view key) const {
  return keys_->Find(ns, key);
}

absl::StatusOr<Segment::Key> MappedSegment::KeyOf(RowId row) const {
  ASSIGN_OR_RETURN(const KeyTable::Key key, keys_->KeyOf(row));
  return Key{key.ns, key.key};
}

absl::StatusOr<RowId> MappedSegment::LowerBound(std::string_view ns, std::string_view key) const {
  return keys_->LowerBound(ns, key);
}

absl::StatusOr<std::pair<RowId, RowId>> MappedSegment::NamespaceRows(std::string_view ns) const {
  return keys_->NamespaceRows(ns);
}

absl::StatusOr<Sequence> MappedSegment::SequenceOf(RowId row) const {
  RETURN_IF_ERROR(CheckRow(row));
  if (ingest_sequence_.has_value()) return *ingest_sequence_;
  const uint64_t offset = uint64_t{row} * sizeof(Sequence);
  RETURN_IF_ERROR(sequences_.Verify(offset, sizeof(Sequence)));
  const auto sequence = LoadUnaligned<Sequence>(sequences_.data() + offset);
  if (sequence < header_.smallest_sequence() || sequence > header_.largest_sequence()) {
    return sequences_.Damaged(offset, "a row's sequence is outside the range that the header states");
  }
  return sequence;
}

absl::StatusOr<Segment::Times> MappedSegment::TimesOf(RowId row) const {
  RETURN_IF_ERROR(CheckRow(row));
  const uint64_t created = uint64_t{row} * sizeof(int64_t);
  const uint64_t updated = (uint64_t{rows()} + row) * sizeof(int64_t);
  RETURN_IF_ERROR(times_.Verify(created, sizeof(int64_t)));
  RETURN_IF_ERROR(times_.Verify(updated, sizeof(int64_t)));
  return Times{LoadUnaligned<int64_t>(times_.data() + created), LoadUnaligned<int64_t>(times_.data() + updated)};
}

absl::StatusOr<absl::Span<const int64_t>> MappedSegment::Expiry() const {
  if (!expiry_.present()) return absl::Span<const int64_t>();
  // Sections are aligned to 64 bytes.
  const absl::Span<const int64_t> expiry(reinterpret_cast<const int64_t*>(expiry_.data()), rows());
  if (expiry_is_good_.load(std::memory_order_acquire)) return expiry;
  RETURN_IF_ERROR(expiry_.Verify(0, expiry_.size()));
  for (size_t row = 0; row < expiry.size(); ++row) {
    if (expiry[row] == kNeverExpires) continue;
    if (expiry[row] < header_.smallest_expiry() || expiry[row] > header_.largest_expiry()) {
      return expiry_.Damaged(row * sizeof(int64_t), "a row's expiry is outside the range that the header states");
    }
  }
  expiry_is_good_.store(true, std::memory_order_release);
  return expiry;
}

absl::StatusOr<StoredDocument> MappedSegment::ReadDocument(RowId row) const {
  RETURN_IF_ERROR(CheckRow(row));
  if (!documents_.has_value()) return StoredDocument{};
  ASSIGN_OR_RETURN(const DocumentBlock block, documents_->ReadBlock(row));
  return Copy(block.Get(row));
}

std::unique_ptr<DocumentReader> MappedSegment::NewDocumentReader() const {
  return std::make_unique<BlockDocumentReader>(documents_.has_value() ? &*documents_ : nullptr, rows());
}

const pb::FieldIndex* MappedSegment::FindField(FieldId field) const {
  const Field* entry = FindFieldEntry(field);
  return entry == nullptr ? nullptr : entry->index;
}

const SectionSource& MappedSegment::FieldSections(FieldId field) const {
  const Field* entry = FindFieldEntry(field);
  return entry == nullptr ? no_field_ : *entry;
}

absl::StatusOr<absl::Span<const RowId>> MappedSegment::SlotRows(FieldId field) const {
  const Field* entry = FindFieldEntry(field);
  if (entry == nullptr) return absl::Span<const RowId>();
  return entry->slots->SlotRows();
}

absl::StatusOr<SlotId> MappedSegment::SlotOf(FieldId field, RowId row) const {
  RETURN_IF_ERROR(CheckRow(row));
  const Field* entry = FindFieldEntry(field);
  if (entry == nullptr) return kNoSlot;
  ASSIGN_OR_RETURN(const SlotMap::SlotRange range, entry->slots->SlotsOf(row));
  return range.count == 0 ? kNoSlot : range.first;
}

absl::StatusOr<absl::Span<const std::byte>> MappedSegment::VectorOf(FieldId field, RowId row) const {
  RETURN_IF_ERROR(CheckRow(row));
  const Field* entry = FindFieldEntry(field);
  if (entry == nullptr || entry->vector_bytes == 0) return absl::Span<const std::byte>();
  ASSIGN_OR_RETURN(const SlotMap::SlotRange range, entry->slots->SlotsOf(row));
  const SectionView vectors = entry->Find(SectionKind::kVectors);
  const uint64_t offset = range.first * entry->vector_bytes;
  const uint64_t length = range.count * entry->vector_bytes;
  RETURN_IF_ERROR(vectors.Verify(offset, length));
  return vectors.bytes().subspan(offset, length);
}

}  // namespace varve
