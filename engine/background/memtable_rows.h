// The rows of a memtable as a segment's: what a flush and a bulk load build from. Thread-compatible.
#ifndef VARVE_ENGINE_BACKGROUND_MEMTABLE_ROWS_H_
#define VARVE_ENGINE_BACKGROUND_MEMTABLE_ROWS_H_

#include <utility>
#include <vector>

#include "engine/background/segment_builder.h"
#include "engine/write/memtable.h"

namespace varve {

class MemtableRows final : public RowSource {
 public:
  // Those that live at `visible`. The memtable must outlive this object.
  MemtableRows(const Memtable& memtable, Sequence visible) : memtable_(memtable) {
    for (Memtable::Row* row = memtable.LowerBound("", ""); row != nullptr; row = Memtable::Next(row)) {
      if (row->VisibleAt(visible)) rows_.push_back(row);
    }
  }
  uint32_t rows() const override { return static_cast<uint32_t>(rows_.size()); }
  absl::StatusOr<SegmentRow> Row(RowId row) override {
    const Memtable::Row& from = *rows_[row];
    return SegmentRow{from.ns,       from.key,    from.born, from.created_at_us, from.updated_at_us, from.expires_at_ms,
                      from.metadata, from.payload};
  }
  absl::StatusOr<const std::byte*> Vector(RowId row, size_t field) override {
    const Memtable::Row& from = *rows_[row];
    return ((from.present >> field) & 1) != 0 ? memtable_.vector(from.number, field) : nullptr;
  }
  // Which memtable row became which segment row.
  std::vector<const Memtable::Row*> TakeRows() { return std::move(rows_); }
  bool empty() const { return rows_.empty(); }

 private:
  const Memtable& memtable_;
  std::vector<const Memtable::Row*> rows_;
};

}  // namespace varve

#endif  // VARVE_ENGINE_BACKGROUND_MEMTABLE_ROWS_H_
