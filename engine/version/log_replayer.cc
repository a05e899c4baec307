#include "engine/version/log_replayer.h"

#include <memory>
#include <string>

#include "base/status.h"
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
      ASSIGN_OR_RETURN(const NamespaceRanges ranges, FindNamespace(*view_, control.namespace_deleted().ns()));
      KillNamespace(*view_, control.namespace_deleted().ns(), ranges, record.sequence);
      return absl::OkStatus();
    }
    case pb::LogControl::kSegmentIngested:
      return Unimplemented("control entry segment_ingested is of a newer version");
    case pb::LogControl::kSchemaChanged:
      return Unimplemented("control entry schema_changed is of a newer version");
    case pb::LogControl::WHAT_NOT_SET:
      return Unimplemented("control entry of an unknown kind is of a newer version");
  }
  return Internal("unreachable");
}

void LogReplayer::MakeRoom(size_t bytes) {
  if (view_->memtables.front()->Fits(bytes, 1)) return;
  view_->memtables.insert(view_->memtables.begin(), state_.NewMemtable());
}

}  // namespace varve
