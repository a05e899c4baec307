#include "engine/write/ingest.h"

#include <utility>

#include "base/status.h"

namespace varve {
namespace {

bool IsAlive(const RowLocation& location) {
  if (location.memtable != nullptr) return location.memtable_row->killer.load(std::memory_order_relaxed) == 0;
  return !location.part->IsDead(location.row, kMaxSequence);
}

}  // namespace

absl::StatusOr<ReplacedRows> ReplacedRows::Find(const Memtable& fresh, std::shared_ptr<const ReadView> view) {
  ReplacedRows found(std::move(view));
  const ReadView& searched = *found.view_;
  // Rows that come while keys are looked up are looked at again by AddNewer.
  found.known_rows_ = searched.memtables.front()->rows();
  for (Memtable::Row* row = fresh.LowerBound("", ""); row != nullptr; row = Memtable::Next(row)) {
    if (row->killer.load(std::memory_order_relaxed) != 0) continue;
    ASSIGN_OR_RETURN(const RowLocation location, FindLiveRow(searched, row->ns, row->key, kMaxSequence));
    if (location.found()) found.rows_.push_back(location);
  }
  return found;
}

absl::Status ReplacedRows::AddNewer(const Memtable& fresh) {
  Memtable& newest = *view_->memtables.front();
  for (; known_rows_ < newest.rows(); ++known_rows_) {
    Memtable::Row* row = newest.row(known_rows_);
    if (row->killer.load(std::memory_order_relaxed) != 0) continue;
    if (fresh.FindNewest(row->ns, row->key) != nullptr) rows_.push_back({.memtable = &newest, .memtable_row = row});
  }
  return absl::OkStatus();
}

void ReplacedRows::Kill(Sequence killer) const {
  for (const RowLocation& location : rows_) {
    if (!IsAlive(location)) continue;
    if (location.memtable != nullptr) {
      location.memtable->Kill(location.memtable_row, killer);
    } else {
      location.part->deaths->Kill(location.row, killer);
    }
  }
}

}  // namespace varve
