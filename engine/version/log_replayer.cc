#include "engine/version/log_replayer.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/seeded_bug.h"
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
    // A salvage of logs that contradict each other may come to smaller ones again.
    Sequence& last = view_->memtables.front()->last_sequence;
    last = std::max(last, record.sequence);
  }
  return absl::OkStatus();
}

absl::Status LogReplayer::ApplyRow(const LogRecord& record) {
  ASSIGN_OR_RETURN(const std::unique_ptr<DecodedLogRow> decoded, DecodeLogRow(state_.schema, record.payload));
  Effect effect;
  effect.sequence = record.sequence;
  effect.row = decoded->row;
  effect.has_row = record.type != LogEntryType::kDelete;
  if (VARVE_SEEDED_BUG(kExpiryLost)) effect.row.expires_at_ms = kNeverExpires;
  ASSIGN_OR_RETURN(effect.old, FindLiveRow(*view_, effect.row.ns, effect.row.key, kMaxSequence));
  if (effect.old.found()) {
    ASSIGN_OR_RETURN(const RowFacts facts, ReadRowFacts(effect.old));
    if (facts.sequence >= record.sequence) return absl::OkStatus();
  }
  if (!effect.has_row && effect.old.memtable == nullptr && VARVE_SEEDED_BUG(kResurrectedDelete))
    return absl::OkStatus();
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
      if (VARVE_SEEDED_BUG(kNamespaceDeleteLost)) return absl::OkStatus();
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

absl::StatusOr<std::optional<SegmentPart>> LogReplayer::OpenIngested(const pb::SegmentEntry& entry) {
  if (salvage_ != nullptr) return salvage_->OpenIngested(entry);
  ASSIGN_OR_RETURN(SegmentPart part, OpenPart(state_, entry, nullptr));
  return std::optional<SegmentPart>(std::move(part));
}

absl::Status LogReplayer::ApplyIngested(const LogRecord& record, const pb::SegmentEntry& entry) {
  if (entry.id() == 0 || entry.ingest_sequence() != record.sequence) {
    return DataLoss("control entry segment_ingested: its segment does not have the entry's sequence");
  }
  std::vector<SegmentPart>& parts = view_->segments;
  const auto named =
      std::find_if(parts.begin(), parts.end(), [&](const SegmentPart& part) { return part.entry.id() == entry.id(); });
  const bool is_new = named == parts.end();
  SegmentPart part;
  if (is_new) {
    ASSIGN_OR_RETURN(std::optional<SegmentPart> opened, OpenIngested(entry));
    if (!opened.has_value()) return absl::OkStatus();
    part = *std::move(opened);
  } else {
    part = *named;
  }
  // What the rows replace is looked up before anything dies.
  struct Other {
    RowId row;
    RowLocation location;
    Sequence sequence;
  };
  std::vector<Other> others;
  const Segment& segment = part.segment();
  for (RowId row = 0; row < segment.rows(); ++row) {
    ASSIGN_OR_RETURN(const Segment::Key key, segment.KeyOf(row));
    ASSIGN_OR_RETURN(const RowLocation other, FindLiveRow(*view_, key.ns, key.key, kMaxSequence, entry.id()));
    if (!other.found()) continue;
    ASSIGN_OR_RETURN(const RowFacts facts, ReadRowFacts(other));
    others.push_back({row, other, facts.sequence});
  }
  for (const Other& other : others) {
    if (other.sequence > record.sequence) {
      if (!part.IsDead(other.row, kMaxSequence)) part.deaths->Kill(other.row, other.sequence);
    } else if (other.location.memtable != nullptr) {
      other.location.memtable->Kill(other.location.memtable_row, record.sequence);
    } else {
      other.location.part->deaths->Kill(other.location.row, record.sequence);
    }
  }
  if (is_new) {
    ingested_.push_back(entry.id());
    parts.push_back(std::move(part));
  }
  return absl::OkStatus();
}

void LogReplayer::MakeRoom(size_t bytes) {
  if (view_->memtables.front()->Fits(bytes, 1)) return;
  view_->memtables.insert(view_->memtables.begin(), state_.NewMemtable());
}

}  // namespace varve
