#include "segment/deletion_bitmap.h"

#include <utility>

#include "base/bytes.h"
#include "base/publish.h"
#include "base/status.h"

namespace varve {
namespace {

constexpr std::string_view kMagic = "VDEL";
constexpr size_t kHeaderBytes = 64;
constexpr size_t kChecksumBytes = sizeof(uint32_t);
constexpr size_t kEncodingOffset = 56;
constexpr uint8_t kWords = 1;
constexpr uint8_t kSortedRows = 2;

constexpr uint64_t WordsBytes(uint64_t rows) { return (rows + 63) / 64 * sizeof(uint64_t); }
constexpr uint64_t SortedBytes(uint64_t dead) { return dead * sizeof(RowId); }
// Of any bitmap file: sorted rows are only used where they are smaller.
constexpr uint64_t kMaxFileBytes = kHeaderBytes + WordsBytes(kMaxRowsPerSegment) + kChecksumBytes;

std::string Encode(const DeletionBitmapHeader& header, const RowSet& dead) {
  const bool words = WordsBytes(header.rows) <= SortedBytes(header.dead);
  ByteWriter writer;
  writer.Bytes(kMagic);
  writer.Fixed(kFormatVersion);
  writer.Bytes(header.collection.view());
  writer.Fixed(header.segment);
  writer.Fixed(header.file_id);
  writer.Fixed(header.rows);
  writer.Fixed(header.dead);
  writer.Fixed(header.durable_sequence);
  writer.Fixed(words ? kWords : kSortedRows);
  writer.Zeros(kHeaderBytes - writer.size());
  if (words) {
    for (const uint64_t word : dead.words()) writer.Fixed(word);
  } else {
    dead.ForEach([&writer](RowId row) { writer.Fixed(row); });
  }
  writer.Fixed(ComputeCrc32c(writer.str()));
  return writer.Take();
}

// Decodes one whole file, whose checksum has been found right.
class BitmapDecoder {
 public:
  BitmapDecoder(std::string_view bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  absl::StatusOr<LoadedBitmap> Decode(uint32_t max_rows) {
    LoadedBitmap loaded;
    uint8_t encoding = 0;
    RETURN_IF_ERROR(DecodeHeader(&loaded.header, &encoding));
    if (loaded.header.rows > max_rows) return Damaged(40, "has more rows than its segment");
    const uint64_t payload_bytes = bytes_.size() - kHeaderBytes - kChecksumBytes;
    const uint64_t expected = encoding == kWords ? WordsBytes(loaded.header.rows) : SortedBytes(loaded.header.dead);
    if (payload_bytes != expected) return Damaged(kHeaderBytes, "has not the length that its counts say");
    loaded.dead = RowSet(loaded.header.rows);
    RETURN_IF_ERROR(encoding == kWords ? DecodeWords(&loaded.dead)
                                       : DecodeSortedRows(loaded.header.dead, &loaded.dead));
    if (loaded.dead.Count() != loaded.header.dead) return Damaged(44, "has not as many dead rows as its header says");
    return loaded;
  }

 private:
  absl::Status Damaged(uint64_t offset, std::string_view what) const {
    return DataLossAt(path_, offset, "deletion bitmap: " + std::string(what));
  }

  absl::Status DecodeHeader(DeletionBitmapHeader* header, uint8_t* encoding) const {
    ByteReader reader(bytes_);
    uint32_t version = 0;
    std::string_view uuid, zeros;
    const bool complete = reader.Skip(kMagic.size()) && reader.Fixed(&version) &&
                          reader.Bytes(header->collection.bytes.size(), &uuid) && reader.Fixed(&header->segment) &&
                          reader.Fixed(&header->file_id) && reader.Fixed(&header->rows) &&
                          reader.Fixed(&header->dead) && reader.Fixed(&header->durable_sequence) &&
                          reader.Fixed(encoding) && reader.Bytes(kHeaderBytes - reader.position(), &zeros);
    if (!complete) return Damaged(0, "shorter than its header");
    if (version != kFormatVersion) {
      return Unimplemented(path_ + ": deletion bitmap format version " + std::to_string(version) +
                           "; this build reads version " + std::to_string(kFormatVersion));
    }
    uuid.copy(header->collection.bytes.data(), uuid.size());
    if (*encoding != kWords && *encoding != kSortedRows) return Damaged(kEncodingOffset, "has an unknown encoding");
    if (zeros.find_first_not_of('\0') != std::string_view::npos) {
      return Damaged(kEncodingOffset + 1, "reserved bytes are not zero");
    }
    if (header->dead > header->rows) return Damaged(44, "has more dead rows than rows");
    return absl::OkStatus();
  }

  absl::Status DecodeWords(RowSet* dead) const {
    ByteReader reader(bytes_.substr(kHeaderBytes));
    for (uint64_t& word : dead->mutable_words()) {
      if (!reader.Fixed(&word)) return Damaged(kHeaderBytes, "too short");
    }
    const uint32_t used_bits = dead->bound() % 64;
    if (used_bits != 0 && dead->words().back() >> used_bits != 0) {
      return Damaged(bytes_.size() - kChecksumBytes - sizeof(uint64_t), "a row beyond the segment's is dead");
    }
    return absl::OkStatus();
  }

  absl::Status DecodeSortedRows(uint32_t count, RowSet* dead) const {
    ByteReader reader(bytes_.substr(kHeaderBytes));
    RowId previous = 0;
    for (uint32_t i = 0; i < count; ++i) {
      RowId row = 0;
      const uint64_t offset = kHeaderBytes + reader.position();
      if (!reader.Fixed(&row)) return Damaged(offset, "too short");
      if (row >= dead->bound()) return Damaged(offset, "a row beyond the segment's is dead");
      if (i > 0 && row <= previous) return Damaged(offset, "its rows do not ascend");
      dead->Add(row);
      previous = row;
    }
    return absl::OkStatus();
  }

  const std::string_view bytes_;
  const std::string& path_;
};

}  // namespace

absl::StatusOr<PublishedBitmap> WriteDeletionBitmap(FileSystem* fs, const std::string& path,
                                                    DeletionBitmapHeader header, const RowSet& dead) {
  header.rows = dead.bound();
  header.dead = dead.Count();
  const std::string bytes = Encode(header, dead);
  RETURN_IF_ERROR(PublishFile(fs, path, bytes));
  return PublishedBitmap{bytes.size(), Crc32c{LoadUnaligned<uint32_t>(bytes.data() + bytes.size() - kChecksumBytes)}};
}

absl::StatusOr<LoadedBitmap> ReadDeletionBitmap(FileSystem* fs, const std::string& path, uint32_t max_rows) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(fs, path, kMaxFileBytes));
  if (bytes.size() < kHeaderBytes + kChecksumBytes) {
    return DataLossAt(path, bytes.size(), "deletion bitmap: shorter than its header and checksum");
  }
  if (std::string_view(bytes).substr(0, kMagic.size()) != kMagic) {
    return DataLossAt(path, 0, "not a deletion bitmap: no VDEL at the start");
  }
  const uint64_t end = bytes.size() - kChecksumBytes;
  const Crc32c crc{LoadUnaligned<uint32_t>(bytes.data() + end)};
  if (crc != ComputeCrc32c(std::string_view(bytes).substr(0, end))) {
    return DataLossAt(path, end, "deletion bitmap: the checksum does not match");
  }
  ASSIGN_OR_RETURN(LoadedBitmap loaded, BitmapDecoder(bytes, path).Decode(max_rows));
  loaded.bytes = bytes.size();
  loaded.crc = crc;
  return loaded;
}

}  // namespace varve
