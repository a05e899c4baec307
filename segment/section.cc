#include "segment/section.h"

#include "base/status.h"

namespace varve {

std::string_view SectionKindName(SectionKind kind) {
  switch (kind) {
    case SectionKind::kIds:
      return "IDS";
    case SectionKind::kSlotRows:
      return "SLOT_ROWS";
    case SectionKind::kRowSlots:
      return "ROW_SLOTS";
    case SectionKind::kVectors:
      return "VECTORS";
    case SectionKind::kInverseNorms:
      return "INVERSE_NORMS";
    case SectionKind::kCodes:
      return "CODES";
    case SectionKind::kQuantizer:
      return "QUANTIZER";
    case SectionKind::kGraph:
      return "GRAPH";
    case SectionKind::kInvertedLists:
      return "INVERTED_LISTS";
    case SectionKind::kTermDictionary:
      return "TERM_DICTIONARY";
    case SectionKind::kTermInfo:
      return "TERM_INFO";
    case SectionKind::kPostings:
      return "POSTINGS";
    case SectionKind::kDocumentLengths:
      return "DOCUMENT_LENGTHS";
    case SectionKind::kForwardIndex:
      return "FORWARD_INDEX";
    case SectionKind::kDocuments:
      return "DOCUMENTS";
    case SectionKind::kMetadataColumn:
      return "METADATA_COLUMN";
    case SectionKind::kSequences:
      return "SEQUENCES";
    case SectionKind::kTimes:
      return "TIMES";
    case SectionKind::kExpiry:
      return "EXPIRY";
    case SectionKind::kBlockChecksums:
      return "BLOCK_CHECKSUMS";
    case SectionKind::kGraphLevels:
      return "GRAPH_LEVELS";
  }
  return "UNKNOWN";
}

absl::Status SectionView::VerifySlow(uint64_t offset, uint64_t length) const {
  return Annotate(verifier_->Verify(file_offset_ + offset, length), SectionKindName(kind_));
}

absl::Status SectionView::Damaged(uint64_t offset, std::string_view what) const {
  const std::string_view file = file_name_ == nullptr ? std::string_view("segment") : std::string_view(*file_name_);
  std::string message(SectionKindName(kind_));
  message += ": ";
  message += what;
  return DataLossAt(file, file_offset_ + offset, message);
}

}  // namespace varve
