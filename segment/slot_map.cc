#include "segment/slot_map.h"

#include <bit>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace varve {
namespace {

constexpr uint64_t kHeaderBytes = 64;
constexpr uint32_t kBitmap = 1;
constexpr uint32_t kOffsets = 2;
// One rank for each cache line of bitmap.
constexpr uint32_t kWordsPerRank = 8;
constexpr uint32_t kRowsPerRank = kWordsPerRank * 64;

constexpr uint64_t BitmapWords(uint64_t rows) { return (rows + 63) / 64; }
constexpr uint64_t RankCount(uint64_t rows) { return (rows + kRowsPerRank - 1) / kRowsPerRank; }
constexpr uint64_t RankOffset(uint64_t rows) { return kHeaderBytes + BitmapWords(rows) * sizeof(uint64_t); }

// Bytes of a ROW_SLOTS section.
constexpr uint64_t RowSlotsBytes(bool is_bitmap, uint64_t rows) {
  return is_bitmap ? RankOffset(rows) + RankCount(rows) * sizeof(uint32_t)
                   : kHeaderBytes + (rows + 1) * sizeof(uint32_t);
}

template <typename T>
absl::Status AppendArray(const std::vector<T>& values, SectionSink* sink) {
  return sink->Append(AsBytes({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)}));
}

absl::Status AppendBitmap(absl::Span<const RowId> slot_rows, uint32_t rows, SectionSink* sink) {
  std::vector<uint64_t> words(BitmapWords(rows));
  for (const RowId row : slot_rows) words[row / 64] |= uint64_t{1} << (row % 64);
  std::vector<uint32_t> ranks;
  uint32_t rank = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i % kWordsPerRank == 0) ranks.push_back(rank);
    rank += static_cast<uint32_t>(std::popcount(words[i]));
  }
  RETURN_IF_ERROR(AppendArray(words, sink));
  return AppendArray(ranks, sink);
}

absl::Status AppendOffsets(absl::Span<const RowId> slot_rows, uint32_t rows, SectionSink* sink) {
  std::vector<uint32_t> offsets(uint64_t{rows} + 1);
  for (const RowId row : slot_rows) ++offsets[uint64_t{row} + 1];
  for (uint64_t row = 0; row < rows; ++row) offsets[row + 1] += offsets[row];
  return AppendArray(offsets, sink);
}

}  // namespace

absl::Status AppendRowSlots(absl::Span<const RowId> slot_rows, uint32_t rows, SectionSink* sink) {
  bool is_bitmap = true;
  for (size_t i = 1; i < slot_rows.size() && is_bitmap; ++i) is_bitmap = slot_rows[i] != slot_rows[i - 1];
  ByteWriter header;
  header.Fixed(is_bitmap ? kBitmap : kOffsets);
  header.Fixed(rows);
  header.Fixed(static_cast<uint32_t>(slot_rows.size()));
  header.Zeros(kHeaderBytes - header.size());
  RETURN_IF_ERROR(sink->Append(AsBytes(header.str())));
  return is_bitmap ? AppendBitmap(slot_rows, rows, sink) : AppendOffsets(slot_rows, rows, sink);
}

absl::StatusOr<std::unique_ptr<SlotMap>> SlotMap::Open(const SectionView& slot_rows, const SectionView& row_slots,
                                                       uint32_t rows, uint32_t slots) {
  const SectionView& named = slot_rows.present() ? slot_rows : row_slots;
  if (slot_rows.present() != row_slots.present()) return named.Damaged(0, "SLOT_ROWS and ROW_SLOTS need each other");
  std::unique_ptr<SlotMap> map(new SlotMap(slot_rows, row_slots, rows, slots));
  if (slot_rows.present()) {
    if (slot_rows.size() != uint64_t{slots} * sizeof(RowId)) {
      return slot_rows.Damaged(0, "does not have one entry for each of " + std::to_string(slots) + " slots");
    }
    RETURN_IF_ERROR(map->ReadEncoding());
  }
  return map;
}

absl::Status SlotMap::ReadEncoding() {
  ByteReader reader(row_slots_.bytes());
  uint32_t encoding = 0;
  uint32_t rows = 0;
  uint32_t slots = 0;
  std::string_view zeros;
  if (!reader.Fixed(&encoding) || !reader.Fixed(&rows) || !reader.Fixed(&slots) ||
      !reader.Bytes(kHeaderBytes - reader.position(), &zeros)) {
    return row_slots_.Damaged(0, "shorter than its header");
  }
  if (rows != rows_ || slots != slots_)
    return row_slots_.Damaged(0, "has other counts of rows and slots than the segment");
  if (encoding != kBitmap && encoding != kOffsets) return row_slots_.Damaged(0, "has an unknown encoding");
  if (zeros.find_first_not_of('\0') != std::string_view::npos) {
    return row_slots_.Damaged(kHeaderBytes - zeros.size(), "reserved bytes are not zero");
  }
  is_bitmap_ = encoding == kBitmap;
  if (row_slots_.size() != RowSlotsBytes(is_bitmap_, rows_)) {
    return row_slots_.Damaged(0, "its length does not fit its rows");
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::Span<const RowId>> SlotMap::SlotRows() const {
  if (!slot_rows_.present()) return absl::Span<const RowId>();
  // Sections are aligned to 64 bytes.
  const absl::Span<const RowId> rows(reinterpret_cast<const RowId*>(slot_rows_.data()), slots_);
  if (slot_rows_are_good_.load(std::memory_order_acquire)) return rows;
  RETURN_IF_ERROR(slot_rows_.Verify(0, slot_rows_.size()));
  for (size_t slot = 0; slot < rows.size(); ++slot) {
    if (rows[slot] >= rows_ && rows[slot] != kNoRow) {
      return slot_rows_.Damaged(slot * sizeof(RowId), "the row of slot " + std::to_string(slot) + " is out of range");
    }
  }
  slot_rows_are_good_.store(true, std::memory_order_release);
  return rows;
}

absl::StatusOr<SlotMap::SlotRange> SlotMap::FindInBitmap(RowId row) const {
  const uint64_t rank_index = row / kRowsPerRank;
  const uint64_t rank_offset = RankOffset(rows_) + rank_index * sizeof(uint32_t);
  const uint64_t first_word = rank_index * kWordsPerRank;
  const uint64_t word = row / 64;
  const uint64_t first_offset = kHeaderBytes + first_word * sizeof(uint64_t);
  RETURN_IF_ERROR(row_slots_.Verify(first_offset, (word - first_word + 1) * sizeof(uint64_t)));
  RETURN_IF_ERROR(row_slots_.Verify(rank_offset, sizeof(uint32_t)));
  const auto load = [this](uint64_t i) {
    return LoadUnaligned<uint64_t>(row_slots_.data() + kHeaderBytes + i * sizeof(uint64_t));
  };
  const uint64_t last = load(word);
  if (((last >> (row % 64)) & 1) == 0) return SlotRange{};
  uint64_t slot = LoadUnaligned<uint32_t>(row_slots_.data() + rank_offset);
  for (uint64_t i = first_word; i < word; ++i) slot += static_cast<uint64_t>(std::popcount(load(i)));
  slot += static_cast<uint64_t>(std::popcount(last & ((uint64_t{1} << (row % 64)) - 1)));
  if (slot >= slots_) return row_slots_.Damaged(rank_offset, "the slot of a row is out of range");
  return SlotRange{static_cast<SlotId>(slot), 1};
}

absl::StatusOr<SlotMap::SlotRange> SlotMap::FindInOffsets(RowId row) const {
  const uint64_t offset = kHeaderBytes + uint64_t{row} * sizeof(uint32_t);
  RETURN_IF_ERROR(row_slots_.Verify(offset, 2 * sizeof(uint32_t)));
  const auto first = LoadUnaligned<uint32_t>(row_slots_.data() + offset);
  const auto last = LoadUnaligned<uint32_t>(row_slots_.data() + offset + sizeof(uint32_t));
  if (first > last || last > slots_) return row_slots_.Damaged(offset, "the slots of a row are out of range");
  if (first == last) return SlotRange{};
  return SlotRange{first, last - first};
}

absl::StatusOr<SlotMap::SlotRange> SlotMap::SlotsOf(RowId row) const {
  if (row >= rows_) {
    return InvalidArgument("row " + std::to_string(row) + " of a segment of " + std::to_string(rows_) + " rows");
  }
  if (!slot_rows_.present()) return SlotRange{row, 1};
  RETURN_IF_ERROR(row_slots_.Verify(0, kHeaderBytes));
  ASSIGN_OR_RETURN(const SlotRange range, is_bitmap_ ? FindInBitmap(row) : FindInOffsets(row));
  // The other direction must agree: a wrong vector is worse than none.
  for (uint32_t i = 0; i < range.count; ++i) {
    const uint64_t offset = (uint64_t{range.first} + i) * sizeof(RowId);
    RETURN_IF_ERROR(slot_rows_.Verify(offset, sizeof(RowId)));
    if (LoadUnaligned<RowId>(slot_rows_.data() + offset) != row) {
      return slot_rows_.Damaged(offset, "the row of a slot is not the one that has it in ROW_SLOTS");
    }
  }
  return range;
}

void SlotMap::CheckAll(const ReportDamage& report_slot_rows, const ReportDamage& report_row_slots) const {
  if (!slot_rows_.present()) return;
  const auto slot_rows = SlotRows();
  if (!slot_rows.ok()) {
    report_slot_rows(0, std::string(slot_rows.status().message()));
    return;
  }
  uint64_t found = 0;
  for (uint64_t row = 0; row < rows_; ++row) {
    const auto range = SlotsOf(static_cast<RowId>(row));
    if (!range.ok()) {
      if (!report_row_slots(0, std::string(range.status().message()))) return;
      continue;
    }
    found += range->count;
  }
  uint64_t owned = 0;
  for (const RowId row : *slot_rows) owned += row != kNoRow ? 1 : 0;
  if (found != owned) {
    report_row_slots(0, "rows have " + std::to_string(found) + " slots, of " + std::to_string(owned) + " with a row");
  }
  if (is_bitmap_ && rows_ % 64 != 0) {
    const uint64_t offset = RankOffset(rows_) - sizeof(uint64_t);
    if (LoadUnaligned<uint64_t>(row_slots_.data() + offset) >> (rows_ % 64) != 0) {
      report_row_slots(offset, "bits behind the last row are set");
    }
  }
}

}  // namespace varve
