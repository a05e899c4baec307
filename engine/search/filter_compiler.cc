#include "engine/search/filter_compiler.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/status.h"
#include "engine/write/batch_validator.h"
#include "segment/segment.h"

namespace varve {
namespace {

// Rows between two looks at the cancellation.
constexpr uint32_t kRowsPerLook = 1024;

absl::StatusOr<bool> MatchesDocument(const Segment& segment, DocumentReader* reader, RowId row,
                                     FilterProgram* program) {
  ASSIGN_OR_RETURN(const DocumentReader::Document document, reader->Read(row));
  absl::StatusOr<bool> matches = program->Matches(document.metadata);
  if (!matches.ok()) return Annotate(matches.status(), segment.path() + ": row " + std::to_string(row));
  return matches;
}

absl::StatusOr<uint64_t> CountInMemtable(const Memtable& memtable, const ReadPoint& point,
                                         const std::optional<std::string>& ns, FilterProgram* program) {
  uint64_t count = 0;
  const Memtable::Row* row = memtable.LowerBound(ns.value_or(""), "");
  for (; row != nullptr && (!ns.has_value() || row->ns == *ns); row = Memtable::Next(row)) {
    if (!row->VisibleAt(point.visible) || row->expires_at_ms <= point.now_ms) continue;
    ASSIGN_OR_RETURN(const bool matches, program->Matches(row->metadata));
    count += matches;
  }
  return count;
}

}  // namespace

absl::StatusOr<MatchingRows> FindMatchingRows(const SegmentPart& part, const SlotFilter& live, FilterProgram* program,
                                              const Cancellation* cancellation) {
  MatchingRows matching{.rows = RowSet(live.rows)};
  const std::unique_ptr<DocumentReader> reader = part.segment().NewDocumentReader();
  for (RowId row = live.first_row; row < std::min(live.last_row, live.rows); ++row) {
    if (cancellation != nullptr && row % kRowsPerLook == 0 && cancellation->cancelled()) {
      return Cancelled("a filter on " + part.segment().path());
    }
    if (!live.AllowsRow(row)) continue;
    ++matching.live;
    ASSIGN_OR_RETURN(const bool matches, MatchesDocument(part.segment(), reader.get(), row, program));
    if (!matches) continue;
    matching.rows.Add(row);
    ++matching.count;
  }
  return matching;
}

absl::StatusOr<uint64_t> CountMatchingRows(const ViewRegistry::Pin& pin, const Filter& filter,
                                           const std::optional<std::string>& ns) {
  if (ns.has_value()) RETURN_IF_ERROR(ValidateNamespace(*ns));
  ASSIGN_OR_RETURN(const std::unique_ptr<FilterProgram> program, FilterProgram::Make(filter));
  uint64_t count = 0;
  for (const std::shared_ptr<Memtable>& memtable : pin.view().memtables) {
    ASSIGN_OR_RETURN(const uint64_t there, CountInMemtable(*memtable, pin.point, ns, program.get()));
    count += there;
  }
  for (const SegmentPart& part : pin.view().segments) {
    RowId first = 0;
    RowId last = part.handle->rows();
    if (ns.has_value()) {
      ASSIGN_OR_RETURN(std::tie(first, last), part.segment().NamespaceRows(*ns));
    }
    ASSIGN_OR_RETURN(const SlotFilter live, MakeSlotFilter(part, pin.point, first, last));
    ASSIGN_OR_RETURN(const MatchingRows matching,
                     FindMatchingRows(part, live, program.get(), pin.context()->cancellation));
    count += matching.count;
  }
  return count;
}

absl::StatusOr<bool> RowMatcher::Matches(const RowLocation& location) {
  if (location.memtable != nullptr) return program_->Matches(location.memtable_row->metadata);
  std::unique_ptr<DocumentReader>& reader = readers_[location.part];
  if (reader == nullptr) reader = location.part->segment().NewDocumentReader();
  return MatchesDocument(location.part->segment(), reader.get(), location.row, program_);
}

}  // namespace varve
