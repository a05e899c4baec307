#include "engine/version/log_replayer.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/status.h"
#include "engine/version/part_opener.h"
#include "engine/version/row_access.h"
#include "engine/write/row_codec.h"
#include "engine/write/write_path.h"
#include "log.pb.h"

namespace varve {

absl::Status LogReplayer::Apply(absl::Span<const LogRecord> batch) {
  for (const LogRecord& record : batch) {
    const absl::Status status = record.type == LogEntryType::kControl ? ApplyControl(record) : ApplyRow(record);
    if (!status.ok()) return Annotate(status, "log record at offset " + std::to_string(record.offset));
    view_->memtables.front()->last_sequence = record.sequence;
  }
  return absl::OkStatus();
}

absl::Status LogReplayer::ApplyRow(const LogRecord& record) {
  ASSIGN_OR_RETURN(const std::unique_ptr<DecodedLogRow> decoded, DecodeLogRow(state_.schema, record.payload));
  Effect effect;
  effect.sequence = record.sequence;
  effect.row = decoded->row;
  effect.has_row = record.type != LogEntryType::kDelete;
  ASSIGN_OR_RETURN(effect.old, FindLiveRow(*view_, effect.row.ns, effect.row.key, kMaxSequence));
  if (effect.old.found()) {
    ASSIGN_OR_RETURN(const RowFacts facts, ReadRowFacts(effect.old));
    if (facts.sequence >= record.sequence) return absl::OkStatus();
  }
  if (effect.has_row) MakeRoom(view_->memtables.front()->RowBytes(effect.row));
  (void)ApplyEffect(*view_, effect, nullptr);
  return absl::OkStatus();
}

absl::Status LogReplayer::ApplyControl(const LogRecord& record) {
  pb::LogControl control;
  if (!control.ParseFromString(record.payload)) return DataLoss("control entry cannot be decoded");
  switch (control.what_case()) {
    case pb::LogControl::kCheckpoint:
    case pb::LogControl::kIdle:
      return absl::OkStatus();
    case pb::LogControl::kNamespaceDeleted: {
      ASSIGN_OR_RETURN(NamespaceRanges ranges, FindNamespace(*view_, control.namespace_deleted().ns()));
      // A bulk load that came later may stand in the manifest already. All other segments of it are older: their rows
      // lie below the place where replay begins.
      for (size_t i = 0; i < ranges.size(); ++i) {
        if (view_->segments[i].IsAfter(record.sequence)) ranges[i] = {};
      }
      KillNamespace(*view_, control.namespace_deleted().ns(), ranges, record.sequence);
      return absl::OkStatus();
    }
    case pb::LogControl::kSegmentIngested:
      return ApplyIngested(record, control.segment_ingested().segment());
    case pb::LogControl::kSchemaChanged:
      return Unimplemented("control entry schema_changed is of a newer version");
    case pb::LogControl::WHAT_NOT_SET:
      return Unimplemented("control entry of an unknown kind is of a newer version");
  }
  return Internal("unreachable");
}

absl::Status LogReplayer::ApplyIngested(const LogRecord& record, const pb::SegmentEntry& entry) {
  if (entry.id() == 0 || entry.ingest_sequence() != record.sequence) {
    return DataLoss("control entry segment_ingested: its segment does not have the entry's sequence");
  }
  // The segment stands aside while its keys are looked up in the rest.
  std::vector<SegmentPart>& parts = view_->segments;
  const auto named =
      std::find_if(parts.begin(), parts.end(), [&](const SegmentPart& part) { return part.entry.id() == entry.id(); });
  const auto place = named - parts.begin();
  SegmentPart part;
  if (named != parts.end()) {
    part = std::move(*named);
    parts.erase(named);
  } else {
    ASSIGN_OR_RETURN(part, OpenPart(state_, entry, nullptr));
    ingested_.push_back(entry.id());
  }
  const Segment& segment = part.segment();
  for (RowId row = 0; row < segment.rows(); ++row) {
    ASSIGN_OR_RETURN(const Segment::Key key, segment.KeyOf(row));
    ASSIGN_OR_RETURN(const RowLocation old, FindLiveRow(*view_, key.ns, key.key, kMaxSequence));
    if (!old.found()) continue;
    ASSIGN_OR_RETURN(const RowFacts facts, ReadRowFacts(old));
    if (facts.sequence > record.sequence) {
      if (!part.IsDead(row, kMaxSequence)) part.deaths->Kill(row, facts.sequence);
    } else if (old.memtable != nullptr) {
      old.memtable->Kill(old.memtable_row, record.sequence);
    } else {
      old.part->deaths->Kill(old.row, record.sequence);
    }
  }
  parts.insert(parts.begin() + place, std::move(part));
  return absl::OkStatus();
}

void LogReplayer::MakeRoom(size_t bytes) {
  if (view_->memtables.front()->Fits(bytes, 1)) return;
  view_->memtables.insert(view_->memtables.begin(), state_.NewMemtable());
}

}  // namespace varve
