// Which row each slot of a field belongs to, and which slots each row has: sections SLOT_ROWS and ROW_SLOTS. A field in
// which slot s belongs to row s for every row has neither.
//
// Format: docs/file_format.md, "Slots". SLOT_ROWS is a u32 per slot (0xFFFFFFFF: the slot's row is gone). ROW_SLOTS:
//   offset size field
//        0    4 encoding   1 bitmap, 2 offsets
//        4    4 rows
//        8    4 slots
//       12   52 zeros
//   bitmap (a row has at most one slot): ceil(rows / 64) x u64, bit r set if row r has a slot; then for each 512 rows a
//     u32, the slots of all rows before them. Slots are numbered in the order of their rows.
//   offsets: (rows + 1) x u32; row r has the slots offsets[r] .. offsets[r + 1] - 1.
#ifndef VARVE_SEGMENT_SLOT_MAP_H_
#define VARVE_SEGMENT_SLOT_MAP_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "segment/section.h"
#include "segment/section_check.h"
#include "varve/types.h"

namespace varve {

// Appends section ROW_SLOTS, which `sink` has begun. Requires: `slot_rows` ascends (rows may repeat), entries below
// `rows`.
absl::Status AppendRowSlots(absl::Span<const RowId> slot_rows, uint32_t rows, SectionSink* sink);

// Thread-safe. Errors: DataLoss; InvalidArgument for a row that the segment does not have.
class SlotMap {
 public:
  // Both views not present: slot s is row s, and `slots` must equal `rows`. Checks lengths against `rows` and `slots`;
  // O(1). Errors: DataLoss, also if only one is present.
  static absl::StatusOr<std::unique_ptr<SlotMap>> Open(const SectionView& slot_rows, const SectionView& row_slots,
                                                       uint32_t rows, uint32_t slots);

  // Slot to row; empty where they are equal. The first call checks the range of every entry.
  absl::StatusOr<absl::Span<const RowId>> SlotRows() const;

  struct SlotRange {
    SlotId first = 0;
    uint32_t count = 0;  // 0: the row has no slot
  };
  absl::StatusOr<SlotRange> SlotsOf(RowId row) const;

  // Checks that both directions say the same of every row. The sections' blocks must have been checked.
  void CheckAll(const ReportDamage& report_slot_rows, const ReportDamage& report_row_slots) const;

 private:
  SlotMap(const SectionView& slot_rows, const SectionView& row_slots, uint32_t rows, uint32_t slots)
      : slot_rows_(slot_rows), row_slots_(row_slots), rows_(rows), slots_(slots) {}

  absl::Status ReadEncoding();
  absl::StatusOr<SlotRange> FindInBitmap(RowId row) const;
  absl::StatusOr<SlotRange> FindInOffsets(RowId row) const;

  const SectionView slot_rows_;
  const SectionView row_slots_;
  const uint32_t rows_;
  const uint32_t slots_;
  bool is_bitmap_ = false;
  mutable std::atomic<bool> slot_rows_are_good_{false};
};

}  // namespace varve

#endif  // VARVE_SEGMENT_SLOT_MAP_H_
