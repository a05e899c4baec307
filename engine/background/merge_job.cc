#include "engine/background/merge_job.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/status.h"
#include "engine/background/segment_builder.h"
#include "engine/observe/job_observer.h"
#include "engine/version/part_opener.h"

namespace varve {
namespace {

// Where the rows of the output come from, and back.
struct RowMap {
  struct Origin {
    uint32_t input;
    RowId row;
  };
  std::vector<Origin> origins;               // by new row
  std::vector<FileId> inputs;                // segment of each input
  std::vector<std::vector<RowId>> new_rows;  // by input and old row; kNoRow: dropped
};

// The live rows of several segments in key order.
class MergedRows final : public RowSource {
 public:
  // The inputs as the newest view has them now, with the files opened anew: what is copied gets new checksums, so that
  // each block is checked against the old ones, also where the options check none, and where the block was checked when
  // it was read from the disk another time. Nothing of the view stays pinned.
  static absl::StatusOr<std::unique_ptr<MergedRows>> Make(const CollectionState& state,
                                                          const std::vector<FileId>& inputs) {
    auto merged = std::unique_ptr<MergedRows>(new MergedRows());
    ReadPoint point;
    {
      const ViewRegistry::Pin pin = state.views->PinCurrent(state.visible);
      point = pin.point;
      for (const SegmentPart& part : pin.view().segments) {
        if (std::find(inputs.begin(), inputs.end(), part.entry.id()) != inputs.end()) merged->parts_.push_back(part);
      }
    }
    if (merged->parts_.size() != inputs.size()) return Internal("a merge names a segment that is not in the view");
    for (SegmentPart& part : merged->parts_) {
      ASSIGN_OR_RETURN(part.handle, OpenForCopying(state, part.entry));
    }
    point.now_ms = state.clock.NowMillis();
    RETURN_IF_ERROR(merged->Order(point));
    return merged;
  }

  uint32_t rows() const override { return static_cast<uint32_t>(map_->origins.size()); }

  absl::StatusOr<SegmentRow> Row(RowId row) override {
    const RowMap::Origin origin = map_->origins[row];
    const Segment& segment = parts_[origin.input].segment();
    SegmentRow out;
    ASSIGN_OR_RETURN(const Segment::Key key, segment.KeyOf(origin.row));
    out.ns = key.ns;
    out.key = key.key;
    ASSIGN_OR_RETURN(out.sequence, segment.SequenceOf(origin.row));
    ASSIGN_OR_RETURN(const Segment::Times times, segment.TimesOf(origin.row));
    out.created_at_us = times.created_at_us;
    out.updated_at_us = times.updated_at_us;
    ASSIGN_OR_RETURN(const absl::Span<const int64_t> expiry, segment.Expiry());
    if (!expiry.empty()) out.expires_at_ms = expiry[origin.row];
    ASSIGN_OR_RETURN(const DocumentReader::Document document, documents_[origin.input]->Read(origin.row));
    out.metadata = document.metadata;
    out.payload = document.payload;
    return out;
  }

  absl::StatusOr<const std::byte*> Vector(RowId row, size_t field) override {
    const RowMap::Origin origin = map_->origins[row];
    const SegmentHandle& handle = *parts_[origin.input].handle;
    if (handle.field(field).slots == 0) return nullptr;
    ASSIGN_OR_RETURN(const auto bytes, handle.segment().VectorOf(handle.field(field).spec->id, origin.row));
    return bytes.empty() ? nullptr : bytes.data();
  }

  absl::StatusOr<std::vector<Input>> Inputs(size_t field) override {
    std::vector<Input> inputs;
    for (size_t i = 0; i < parts_.size(); ++i) {
      const SegmentHandle& handle = *parts_[i].handle;
      const SegmentHandle::Field& from = handle.field(field);
      if (from.slots == 0) continue;
      const FieldId id = from.spec->id;
      Input input;
      input.type = from.info.index;
      for (const pb::Parameter& param : handle.segment().FindField(id)->params()) {
        input.params[param.name()] = param.value();
      }
      input.sections = &handle.segment().FieldSections(id);
      input.slots = from.slots;
      ASSIGN_OR_RETURN(input.slot_rows, handle.segment().SlotRows(id));
      input.new_rows = map_->new_rows[i];
      inputs.push_back(std::move(input));
    }
    return inputs;
  }

  std::shared_ptr<const RowMap> map() const { return map_; }
  uint64_t input_rows() const { return input_rows_; }

 private:
  MergedRows() = default;

  // A k-way merge of the inputs' key tables; k is small, so that the least is found by looking at each.
  absl::Status Order(const ReadPoint& point) {
    struct Cursor {
      SlotFilter live;
      RowId next = 0;
      Segment::Key key;
    };
    std::vector<Cursor> cursors(parts_.size());
    const auto advance = [&](size_t i) -> absl::Status {
      Cursor& cursor = cursors[i];
      while (cursor.next < cursor.live.rows && !cursor.live.AllowsRow(cursor.next)) ++cursor.next;
      if (cursor.next == cursor.live.rows) return absl::OkStatus();
      ASSIGN_OR_RETURN(cursor.key, parts_[i].segment().KeyOf(cursor.next));
      return absl::OkStatus();
    };
    for (size_t i = 0; i < parts_.size(); ++i) {
      ASSIGN_OR_RETURN(cursors[i].live, MakeSlotFilter(parts_[i], point, 0, kNoRow));
      map_->inputs.push_back(parts_[i].entry.id());
      map_->new_rows.emplace_back(parts_[i].handle->rows(), kNoRow);
      input_rows_ += parts_[i].handle->rows();
      documents_.push_back(parts_[i].segment().NewDocumentReader());
      RETURN_IF_ERROR(advance(i));
    }
    for (;;) {
      size_t least = cursors.size();
      for (size_t i = 0; i < cursors.size(); ++i) {
        if (cursors[i].next == cursors[i].live.rows) continue;
        if (least == cursors.size() || std::pair(cursors[i].key.ns, cursors[i].key.key) <
                                           std::pair(cursors[least].key.ns, cursors[least].key.key)) {
          least = i;
        }
      }
      if (least == cursors.size()) return absl::OkStatus();
      if (map_->origins.size() == kMaxRowsPerSegment)
        return ResourceExhausted("merge would exceed the rows of a segment");
      map_->new_rows[least][cursors[least].next] = static_cast<RowId>(map_->origins.size());
      map_->origins.push_back({static_cast<uint32_t>(least), cursors[least].next});
      ++cursors[least].next;
      RETURN_IF_ERROR(advance(least));
    }
  }

  std::vector<SegmentPart> parts_;
  std::shared_ptr<RowMap> map_ = std::make_shared<RowMap>();
  uint64_t input_rows_ = 0;
  std::vector<std::unique_ptr<DocumentReader>> documents_;  // by input; each walks its rows in order
};

// The deaths among the rows of a merge's output, as the inputs' parts in `view` say.
void VisitDeaths(const RowMap& map, const ReadView& view, const std::function<void(RowId, Sequence)>& visit) {
  for (const SegmentPart& part : view.segments) {
    const auto input = std::find(map.inputs.begin(), map.inputs.end(), part.entry.id());
    if (input == map.inputs.end()) continue;
    const std::vector<RowId>& new_rows = map.new_rows[static_cast<size_t>(input - map.inputs.begin())];
    if (part.dead != nullptr) {
      // Folded into the input's bitmap while the merge ran: dead for every later reader.
      part.dead->ForEach([&](RowId row) {
        if (new_rows[row] != kNoRow) visit(new_rows[row], 1);
      });
    }
    part.deaths->ForEach([&](RowId row, Sequence killer) {
      if (new_rows[row] != kNoRow) visit(new_rows[row], killer);
    });
  }
}

absl::Status Merge(CollectionState* state, Publisher* publisher, const MergePlan& plan,
                   const Cancellation* cancellation, MaintenanceResult* result) {
  const std::vector<FileId>& inputs = plan.inputs;
  ASSIGN_OR_RETURN(std::unique_ptr<MergedRows> source, MergedRows::Make(*state, inputs));
  const uint64_t rows = source->rows();
  const uint64_t input_rows = source->input_rows();
  Publication publication;
  publication.removed = inputs;
  uint64_t bytes = 0;
  if (rows > 0) {
    const FileId id = state->file_ids.Reserve();
    absl::StatusOr<BuiltSegment> built = BuildSegment(*state, id, PurposeOf(plan), source.get(), inputs, cancellation);
    if (!built.ok()) {
      state->file_ids.Settle(id);
      return Annotate(built.status(), "merge");
    }
    bytes = built->entry.bytes();
    Publication::Added added;
    added.handle = built->handle;
    added.entry = built->entry;
    added.deaths = [map = source->map()](const ReadView& view, const std::function<void(RowId, Sequence)>& visit) {
      VisitDeaths(*map, view, visit);
    };
    result->segments_added.push_back(id);
    publication.added.push_back(std::move(added));
  }
  source.reset();  // the publication removes the inputs, if no reader has them open
  if (absl::Status status = publisher->Publish(std::move(publication)); !status.ok()) return Annotate(status, "merge");
  result->segments_removed.insert(result->segments_removed.end(), inputs.begin(), inputs.end());
  result->rows_written += rows;
  result->rows_dropped += input_rows - rows;
  result->bytes_written += bytes;
  return absl::OkStatus();
}

}  // namespace

SegmentPurpose PurposeOf(const MergePlan& plan) {
  SegmentPurpose purpose;
  purpose.level = plan.level;
  purpose.limited = true;
  return purpose;
}

absl::Status MergeSegments(CollectionState* state, Publisher* publisher, const MergePlan& plan,
                           const Cancellation* cancellation, MaintenanceResult* result) {
  MergeObserver observer(*state, plan.inputs, *result);
  return observer.End(Merge(state, publisher, plan, cancellation, result), *result);
}

std::vector<FileId> FindDamaged(const CollectionState& state, const std::vector<FileId>& segments) {
  std::vector<pb::SegmentEntry> entries;
  {
    const ViewRegistry::Pin pin = state.views->PinCurrent(state.visible);
    for (const SegmentPart& part : pin.view().segments) {
      if (std::find(segments.begin(), segments.end(), part.entry.id()) != segments.end()) entries.push_back(part.entry);
    }
  }
  std::vector<FileId> damaged;
  for (const pb::SegmentEntry& entry : entries) {
    const absl::StatusOr<std::shared_ptr<const SegmentHandle>> opened = OpenForCopying(state, entry);
    std::vector<Segment::Damage> damage;
    if (opened.ok()) (*opened)->segment().VerifyAll(&damage);
    if (!opened.ok() || !damage.empty()) damaged.push_back(entry.id());
  }
  return damaged;
}

}  // namespace varve
