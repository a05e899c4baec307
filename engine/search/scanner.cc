#include "engine/search/scanner.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/status.h"
#include "engine/search/filter_compiler.h"
#include "engine/search/scan_cursor.h"
#include "engine/write/batch_validator.h"

namespace varve {

absl::StatusOr<RowCursor> RowCursor::Make(const ReadView& view, const ReadPoint& point, std::string_view ns,
                                          std::string_view key) {
  RowCursor cursor;
  cursor.point_ = point;
  for (const std::shared_ptr<Memtable>& memtable : view.memtables) {
    Part part;
    part.location.memtable = memtable.get();
    part.row = memtable->LowerBound(ns, key);
    RETURN_IF_ERROR(cursor.Settle(&part));
    cursor.parts_.push_back(part);
  }
  for (const SegmentPart& segment : view.segments) {
    Part part;
    part.location.part = &segment;
    ASSIGN_OR_RETURN(part.live, MakeSlotFilter(segment, point, 0, kNoRow));
    ASSIGN_OR_RETURN(part.location.row, segment.segment().LowerBound(ns, key));
    RETURN_IF_ERROR(cursor.Settle(&part));
    cursor.parts_.push_back(part);
  }
  cursor.PickLeast();
  return cursor;
}

absl::Status RowCursor::Settle(Part* part) {
  if (part->location.memtable != nullptr) {
    const Memtable::Row* row = part->row;
    while (row != nullptr && (!row->VisibleAt(point_.visible) || row->expires_at_ms <= point_.now_ms)) {
      row = Memtable::Next(row);
    }
    part->row = row;
    part->done = row == nullptr;
    if (part->done) return absl::OkStatus();
    part->location.memtable_row = const_cast<Memtable::Row*>(row);
    part->ns = row->ns;
    part->key = row->key;
    return absl::OkStatus();
  }
  RowId& row = part->location.row;
  while (row < part->live.rows && !part->live.AllowsRow(row)) ++row;
  part->done = row >= part->live.rows;
  if (part->done) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Segment::Key key, part->location.part->segment().KeyOf(row));
  part->ns = key.ns;
  part->key = key.key;
  return absl::OkStatus();
}

absl::Status RowCursor::Next() {
  Part& part = parts_[current_];
  if (part.location.memtable != nullptr) {
    part.row = Memtable::Next(part.row);
  } else {
    ++part.location.row;
  }
  RETURN_IF_ERROR(Settle(&part));
  PickLeast();
  return absl::OkStatus();
}

void RowCursor::PickLeast() {
  current_ = kNone;
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].done) continue;
    if (current_ == kNone ||
        std::pair(parts_[i].ns, parts_[i].key) < std::pair(parts_[current_].ns, parts_[current_].key)) {
      current_ = i;
    }
  }
}

namespace {

// Where a scan begins: at the first row that is not before `first`, and is behind `behind`, if there is one.
struct ScanStart {
  RecordPlace first;
  std::optional<RecordPlace> behind;
};

absl::StatusOr<ScanStart> StartOf(const ScanRequest& request) {
  ScanStart start;
  start.first.ns = request.ns.value_or("");
  // Without a namespace the prefix is looked for in each, from its beginning.
  start.first.key = std::max(request.from.value_or(""), request.ns.has_value() ? request.prefix : std::string());
  start.behind = request.after;
  if (!request.cursor.empty()) {
    ASSIGN_OR_RETURN(RecordPlace place, DecodeScanCursor(request));
    if (!start.behind.has_value() || *start.behind < place) start.behind = std::move(place);
  }
  if (start.behind.has_value() && start.first < *start.behind) start.first = *start.behind;
  return start;
}

bool IsAt(const RowCursor& cursor, const RecordPlace& place) {
  return cursor.ns() == place.ns && cursor.key() == place.key;
}

bool IsBefore(const RowCursor& cursor, const RecordPlace& place) {
  return std::pair(cursor.ns(), cursor.key()) < std::pair<std::string_view, std::string_view>(place.ns, place.key);
}

}  // namespace

absl::Status RunScan(const Schema& schema, const ScanRequest& request, const ReadView& view, const ReadPoint& point,
                     const std::function<bool(const Record&)>& visit) {
  if (request.ns.has_value()) RETURN_IF_ERROR(ValidateNamespace(*request.ns));
  std::unique_ptr<FilterProgram> program;
  if (request.filter.has_value()) {
    ASSIGN_OR_RETURN(program, FilterProgram::Make(*request.filter));
  }
  RowMatcher matcher(program.get());
  ASSIGN_OR_RETURN(const ScanStart start, StartOf(request));
  ASSIGN_OR_RETURN(RowCursor cursor, RowCursor::Make(view, point, start.first.ns, start.first.key));
  if (cursor.valid() && start.behind.has_value() && IsAt(cursor, *start.behind)) RETURN_IF_ERROR(cursor.Next());
  uint64_t given = 0;
  for (; cursor.valid();) {
    if (request.ns.has_value() && cursor.ns() != *request.ns) break;
    if (request.to.has_value() && !IsBefore(cursor, *request.to)) break;
    bool matches = cursor.key().substr(0, request.prefix.size()) == request.prefix;
    if (!matches && request.ns.has_value() && cursor.key() > request.prefix) break;
    if (matches && program != nullptr) {
      ASSIGN_OR_RETURN(matches, matcher.Matches(cursor.location()));
    }
    if (matches) {
      ASSIGN_OR_RETURN(const Record record, ReadRecord(schema, cursor.location(), request.keys_only));
      if (!visit(record)) return absl::OkStatus();
      if (request.limit != 0 && ++given == request.limit) return absl::OkStatus();
    }
    RETURN_IF_ERROR(cursor.Next());
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> CountRows(const ReadView& view, const ReadPoint& point, const std::optional<std::string>& ns) {
  if (ns.has_value()) RETURN_IF_ERROR(ValidateNamespace(*ns));
  uint64_t count = 0;
  for (const std::shared_ptr<Memtable>& memtable : view.memtables) {
    const Memtable::Row* row = ns.has_value() ? memtable->LowerBound(*ns, "") : memtable->LowerBound("", "");
    for (; row != nullptr && (!ns.has_value() || row->ns == *ns); row = Memtable::Next(row)) {
      count += row->VisibleAt(point.visible) && row->expires_at_ms > point.now_ms;
    }
  }
  for (const SegmentPart& part : view.segments) {
    RowId first = 0;
    RowId last = part.handle->rows();
    if (ns.has_value()) {
      ASSIGN_OR_RETURN(std::tie(first, last), part.segment().NamespaceRows(*ns));
    }
    ASSIGN_OR_RETURN(const SlotFilter live, MakeSlotFilter(part, point, first, last));
    for (RowId row = first; row < last; ++row) count += live.AllowsRow(row);
  }
  return count;
}

}  // namespace varve
