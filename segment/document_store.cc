#include "segment/document_store.h"

#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/status.h"
#include "compression/block_codec.h"

namespace varve {
namespace {

uint64_t IndexOffset(uint64_t stored_bytes) { return AlignUp(kDocumentHeaderBytes + stored_bytes, sizeof(uint64_t)); }

}  // namespace

absl::Status DocumentStoreWriter::Add(std::string_view metadata, std::string_view payload) {
  if (metadata.size() > kMaxMetadataBytes) {
    return InvalidArgument("metadata of " + std::to_string(metadata.size()) + " bytes is beyond the limit of 16 MiB");
  }
  if (payload.size() > kMaxPayloadBytes) {
    return InvalidArgument("a payload of " + std::to_string(payload.size()) + " bytes is beyond the limit of 64 MiB");
  }
  const uint64_t filled = lengths_.size() + bytes_.size();
  const bool full = rows_ - block_first_row_ == kMaxRowsPerDocumentBlock ||
                    (filled > 0 && filled + metadata.size() + payload.size() > kDocumentBlockBytes);
  if (full) EndBlock();
  ByteWriter lengths;
  lengths.Varint(metadata.size());
  lengths.Varint(payload.size());
  lengths_ += lengths.str();
  bytes_ += metadata;
  bytes_ += payload;
  any_ = any_ || !metadata.empty() || !payload.empty();
  ++rows_;
  return absl::OkStatus();
}

void DocumentStoreWriter::EndBlock() {
  std::string plain = std::move(lengths_);
  plain += bytes_;
  DocumentIndexEntry entry;
  entry.offset = stored_bytes_;
  entry.plain_bytes = static_cast<uint32_t>(plain.size());
  entry.first_row = block_first_row_;
  std::string stored = Lz4Compress(plain);
  if (stored.size() >= plain.size()) stored = std::move(plain);
  entry.stored_bytes = static_cast<uint32_t>(stored.size());
  stored_bytes_ += stored.size();
  kept_bytes_ += stored.size();
  index_.push_back(entry);
  blocks_.push_back(std::move(stored));
  lengths_.clear();
  bytes_.clear();
  block_first_row_ = static_cast<uint32_t>(rows_);
}

absl::Status DocumentStoreWriter::AppendTo(SectionSink* sink) {
  if (rows_ > block_first_row_) EndBlock();
  ByteWriter header;
  header.Fixed(rows_);
  header.Fixed(uint64_t{index_.size()});
  header.Fixed(IndexOffset(stored_bytes_));
  header.Zeros(kDocumentHeaderBytes - header.size());
  RETURN_IF_ERROR(sink->Append(AsBytes(header.str())));
  for (std::string& block : blocks_) {
    RETURN_IF_ERROR(sink->Append(AsBytes(block)));
    kept_bytes_ -= block.size();
    block = std::string();
  }
  ByteWriter index;
  index.Zeros(IndexOffset(stored_bytes_) - kDocumentHeaderBytes - stored_bytes_);
  for (const DocumentIndexEntry& entry : index_) {
    index.Fixed(entry.offset + kDocumentHeaderBytes);
    index.Fixed(entry.stored_bytes);
    index.Fixed(entry.plain_bytes);
    index.Fixed(entry.first_row);
    index.Fixed(entry.zero);
  }
  return sink->Append(AsBytes(index.str()));
}

DocumentBlock::Document DocumentBlock::Get(RowId row) const {
  const Place& place = documents_[row - first_row_];
  const std::string_view plain = plain_;
  return {plain.substr(place.metadata, place.payload - place.metadata),
          plain.substr(place.payload, place.end - place.payload)};
}

bool DocumentBlock::Parse(uint32_t rows) {
  // Each row has at least its two lengths: nothing is allocated for rows that cannot be there.
  if (rows > plain_.size() / 2) return false;
  documents_.clear();
  documents_.reserve(rows);
  ByteReader reader(plain_);
  uint64_t position = 0;  // from where the lengths end
  for (uint32_t i = 0; i < rows; ++i) {
    uint64_t metadata = 0;
    uint64_t payload = 0;
    if (!reader.Varint(&metadata) || !reader.Varint(&payload)) return false;
    if (metadata > kMaxMetadataBytes || payload > kMaxPayloadBytes) return false;
    if (metadata + payload > plain_.size() - position) return false;
    documents_.push_back({static_cast<uint32_t>(position), static_cast<uint32_t>(position + metadata),
                          static_cast<uint32_t>(position + metadata + payload)});
    position += metadata + payload;
  }
  if (position != reader.remaining()) return false;
  const auto start = static_cast<uint32_t>(reader.position());
  for (Place& place : documents_) {
    place.metadata += start;
    place.payload += start;
    place.end += start;
  }
  return true;
}

absl::StatusOr<DocumentStore> DocumentStore::Open(const SectionView& section, uint32_t rows) {
  ByteReader reader(section.bytes());
  DocumentHeader header;
  std::string_view zeros;
  const bool complete = reader.Fixed(&header.rows) && reader.Fixed(&header.blocks) &&
                        reader.Fixed(&header.index_offset) &&
                        reader.Bytes(kDocumentHeaderBytes - reader.position(), &zeros);
  if (!complete) return section.Damaged(0, "shorter than its header");
  if (header.rows != rows) return section.Damaged(0, "has not as many rows as the segment");
  if (zeros.find_first_not_of('\0') != std::string_view::npos) {
    return section.Damaged(kDocumentHeaderBytes - zeros.size(), "reserved bytes are not zero");
  }
  uint64_t index_bytes = 0;
  uint64_t end = 0;
  const bool fits = header.blocks <= rows && (header.blocks == 0) == (rows == 0) &&
                    CheckedMul(header.blocks, kDocumentIndexEntryBytes, &index_bytes) &&
                    CheckedAdd(header.index_offset, index_bytes, &end) && end == section.size() &&
                    header.index_offset >= kDocumentHeaderBytes && header.index_offset % sizeof(uint64_t) == 0;
  if (!fits) return section.Damaged(0, "the counts in its header do not fit its length");
  return DocumentStore(section, header);
}

absl::StatusOr<DocumentIndexEntry> DocumentStore::LoadEntry(uint64_t block) const {
  const uint64_t offset = header_.index_offset + block * kDocumentIndexEntryBytes;
  RETURN_IF_ERROR(section_.Verify(offset, kDocumentIndexEntryBytes));
  return LoadUnaligned<DocumentIndexEntry>(section_.data() + offset);
}

absl::StatusOr<DocumentBlock> DocumentStore::DecodeBlock(uint64_t block) const {
  const uint64_t entry_offset = header_.index_offset + block * kDocumentIndexEntryBytes;
  ASSIGN_OR_RETURN(const DocumentIndexEntry entry, LoadEntry(block));
  uint64_t last_row = header_.rows;
  if (block + 1 < header_.blocks) {
    ASSIGN_OR_RETURN(const DocumentIndexEntry next, LoadEntry(block + 1));
    last_row = next.first_row;
  }
  if (entry.first_row >= last_row || last_row > header_.rows || (block == 0 && entry.first_row != 0)) {
    return section_.Damaged(entry_offset, "the rows of a block are out of range");
  }
  if (entry.offset < kDocumentHeaderBytes || entry.offset > header_.index_offset ||
      entry.stored_bytes > header_.index_offset - entry.offset) {
    return section_.Damaged(entry_offset, "a block reaches beyond the blocks' part of the section");
  }
  if (entry.plain_bytes > kMaxDocumentBlockBytes || entry.plain_bytes > MaxLz4PlainBytes(entry.stored_bytes)) {
    return section_.Damaged(entry_offset, "the plain length of a block cannot be right");
  }
  RETURN_IF_ERROR(section_.Verify(entry.offset, entry.stored_bytes));
  const std::string_view stored = AsChars(section_.bytes().subspan(entry.offset, entry.stored_bytes));
  DocumentBlock result;
  result.first_row_ = entry.first_row;
  if (entry.stored_bytes == entry.plain_bytes) {
    result.plain_ = stored;
  } else {
    std::optional<std::string> plain = Lz4Decompress(stored, entry.plain_bytes);
    if (!plain.has_value()) return section_.Damaged(entry.offset, "a block cannot be decompressed");
    result.plain_ = *std::move(plain);
  }
  if (!result.Parse(static_cast<uint32_t>(last_row - entry.first_row))) {
    return section_.Damaged(entry.offset, "a block does not hold the documents of its rows");
  }
  return result;
}

absl::StatusOr<DocumentBlock> DocumentStore::ReadBlock(RowId row) const {
  if (row >= header_.rows) {
    return InvalidArgument("row " + std::to_string(row) + " of a segment of " + std::to_string(header_.rows) + " rows");
  }
  RETURN_IF_ERROR(section_.Verify(0, kDocumentHeaderBytes));
  uint64_t first = 0;  // its first row is not above `row`
  uint64_t last = header_.blocks;
  while (last - first > 1) {
    const uint64_t middle = first + (last - first) / 2;
    ASSIGN_OR_RETURN(const DocumentIndexEntry entry, LoadEntry(middle));
    (entry.first_row <= row ? first : last) = middle;
  }
  ASSIGN_OR_RETURN(DocumentBlock block, DecodeBlock(first));
  if (!block.Contains(row)) {
    return section_.Damaged(header_.index_offset + first * kDocumentIndexEntryBytes,
                            "the rows of blocks do not ascend");
  }
  return block;
}

void DocumentStore::CheckAll(const ReportDamage& report) const {
  uint64_t position = kDocumentHeaderBytes;
  for (uint64_t i = 0; i < header_.blocks; ++i) {
    const uint64_t offset = header_.index_offset + i * kDocumentIndexEntryBytes;
    const auto entry = LoadEntry(i);
    const auto block = DecodeBlock(i);
    if (!entry.ok() || !block.ok()) {
      const absl::Status& status = entry.ok() ? block.status() : entry.status();
      if (!report(offset, std::string(status.message()))) return;
      continue;
    }
    if (entry->zero != 0 && !report(offset, "reserved bytes are not zero")) return;
    if (entry->offset != position && !report(offset, "a block is not behind the one before")) return;
    position = entry->offset + entry->stored_bytes;
  }
  if (IndexOffset(position - kDocumentHeaderBytes) != header_.index_offset) {
    report(position, "the blocks do not fill their part of the section");
    return;
  }
  const std::string_view padding = AsChars(section_.bytes().subspan(position, header_.index_offset - position));
  if (padding.find_first_not_of('\0') != std::string_view::npos) report(position, "the padding is not zero");
}

}  // namespace varve
