// Applies the records of a log to the parts of a view, as recovery reads them. One rule makes replay repeatable and
// lets bitmaps run ahead of the log: per key the larger sequence wins.
#ifndef VARVE_ENGINE_VERSION_LOG_REPLAYER_H_
#define VARVE_ENGINE_VERSION_LOG_REPLAYER_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/version/collection_state.h"
#include "engine/version/segment_salvage.h"
#include "wal/log_reader.h"

namespace varve {

// Thread-compatible.
class LogReplayer {
 public:
  // Changes `view`, which nobody else sees yet: its newest memtable takes the rows, and a full one is frozen.
  // `salvage`: null, or what opens the segments of bulk loads in a salvage.
  LogReplayer(const CollectionState& state, ReadView* view, SegmentSalvage* salvage)
      : state_(state), view_(view), salvage_(salvage) {}

  // One complete batch.
  absl::Status Apply(absl::Span<const LogRecord> batch);
  // The segments that were added to the view.
  const std::vector<FileId>& ingested() const { return ingested_; }

 private:
  absl::Status ApplyRow(const LogRecord& record);
  absl::Status ApplyControl(const LogRecord& record);
  absl::Status ApplyIngested(const LogRecord& record, const pb::SegmentEntry& entry);
  // Empty: a salvage has taken over what can be read of it.
  absl::StatusOr<std::optional<SegmentPart>> OpenIngested(const pb::SegmentEntry& entry);
  void MakeRoom(size_t bytes);

  const CollectionState& state_;
  ReadView* view_;
  SegmentSalvage* const salvage_;
  std::vector<FileId> ingested_;
};

}  // namespace varve

#endif  // VARVE_ENGINE_VERSION_LOG_REPLAYER_H_
