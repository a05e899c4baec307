// The one implementation of Segment: a mapped file whose footer, header and directory have been checked. Opening is in
// segment.cc, the full check in segment_verifier.cc. Thread-safe.
#ifndef VARVE_SEGMENT_MAPPED_SEGMENT_H_
#define VARVE_SEGMENT_MAPPED_SEGMENT_H_

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "segment/block_checksums.h"
#include "segment/document_store.h"
#include "segment/key_table.h"
#include "segment/section_directory.h"
#include "segment/segment.h"
#include "segment/segment_footer.h"
#include "segment/slot_map.h"
#include "varve/file_system.h"

namespace varve {

class MappedSegment final : public Segment {
 public:
  // One field of the segment: its sections as its index sees them, and its slots.
  class Field final : public SectionSource {
   public:
    SectionView Find(SectionKind kind) const override;
    ParamMap Params(SectionKind kind) const override;

    const pb::FieldIndex* index = nullptr;
    uint64_t vector_bytes = 0;  // of one vector; 0 if the field has no vectors section
    std::unique_ptr<SlotMap> slots;
    struct Section {
      SectionView view;
      const SectionEntry* entry;
    };
    std::vector<Section> sections;
  };

  // Maps the file and checks what Segment::Open promises.
  static absl::StatusOr<std::shared_ptr<const MappedSegment>> Open(FileSystem* fs, const std::string& path,
                                                                   const std::optional<SegmentExpectation>& expected,
                                                                   VerifyChecksums verify, IoMode io);

  FileId id() const override { return header_.segment_id(); }
  const std::string& path() const override { return path_; }
  uint32_t rows() const override { return footer_.doc_count; }
  uint64_t bytes() const override { return bytes_.size(); }
  uint64_t row_bytes() const override {
    return RowSection(SectionKind::kIds).size() + RowSection(SectionKind::kDocuments).size();
  }
  Crc32c footer_crc() const override { return footer_.checksum; }
  const pb::SegmentHeader& header() const override { return header_; }

  absl::StatusOr<RowId> FindKey(std::string_view ns, std::string_view key) const override;
  absl::StatusOr<Key> KeyOf(RowId row) const override;
  absl::StatusOr<RowId> LowerBound(std::string_view ns, std::string_view key) const override;
  absl::StatusOr<std::pair<RowId, RowId>> NamespaceRows(std::string_view ns) const override;
  absl::StatusOr<Sequence> SequenceOf(RowId row) const override;
  absl::StatusOr<Times> TimesOf(RowId row) const override;
  absl::StatusOr<absl::Span<const int64_t>> Expiry() const override;
  absl::StatusOr<StoredDocument> ReadDocument(RowId row) const override;
  std::unique_ptr<DocumentReader> NewDocumentReader() const override;
  const pb::FieldIndex* FindField(FieldId field) const override;
  const SectionSource& FieldSections(FieldId field) const override;
  absl::StatusOr<absl::Span<const RowId>> SlotRows(FieldId field) const override;
  absl::StatusOr<SlotId> SlotOf(FieldId field, RowId row) const override;
  absl::StatusOr<absl::Span<const std::byte>> VectorOf(FieldId field, RowId row) const override;
  void VerifyAll(std::vector<Damage>* damage) const override;

  // For the verifier and the dump.
  FileSystem* file_system() const { return fs_; }
  absl::Span<const std::byte> file_bytes() const { return bytes_; }
  const SegmentFooter& footer() const { return footer_; }
  const SectionDirectory& directory() const { return directory_; }
  const FileBlockVerifier& verifier() const { return *verifier_; }
  const KeyTable& keys() const { return *keys_; }
  const std::optional<DocumentStore>& documents() const { return documents_; }
  absl::Span<const std::unique_ptr<Field>> fields() const { return fields_; }
  // Not present if there is no such section.
  SectionView View(const SectionEntry* entry) const;
  SectionView RowSection(SectionKind kind) const { return View(directory_.Find(0, kind)); }

 private:
  MappedSegment(FileSystem* fs, std::string path) : fs_(fs), path_(std::move(path)) {}

  // The steps of opening (segment.cc).
  absl::Status MapFile(const std::optional<SegmentExpectation>& expected, IoMode io);
  absl::Status ReadHeader();
  absl::Status CheckSequences(const std::optional<SegmentExpectation>& expected);
  absl::Status CheckIdentity(const std::optional<SegmentExpectation>& expected) const;
  absl::Status ReadDirectory(VerifyChecksums verify);
  absl::Status OpenRowSections();
  absl::Status OpenFields();
  absl::Status OpenField(const pb::FieldIndex& index);
  absl::Status CheckVectors(const pb::Field& schema, Field* field) const;
  absl::Status HeaderDamaged(std::string_view what) const;

  absl::Status CheckRow(RowId row) const;
  const Field* FindFieldEntry(FieldId field) const;

  FileSystem* const fs_;
  const std::string path_;
  std::unique_ptr<MappedFile> mapping_;
  absl::Span<const std::byte> bytes_;
  SegmentFooter footer_;
  pb::SegmentHeader header_;
  SectionDirectory directory_;
  std::unique_ptr<FileBlockVerifier> verifier_;
  std::optional<KeyTable> keys_;
  std::optional<DocumentStore> documents_;
  SectionView sequences_;
  std::optional<Sequence> ingest_sequence_;  // instead of the section
  SectionView times_;
  SectionView expiry_;
  mutable std::atomic<bool> expiry_is_good_{false};
  std::vector<std::unique_ptr<Field>> fields_;
  const Field no_field_{};
};

}  // namespace varve

#endif  // VARVE_SEGMENT_MAPPED_SEGMENT_H_
