// Applies the records of a log to the parts of a view, as recovery reads them. One rule makes replay repeatable and
// lets bitmaps run ahead of the log: per key the larger sequence wins.
#ifndef VARVE_ENGINE_VERSION_LOG_REPLAYER_H_
#define VARVE_ENGINE_VERSION_LOG_REPLAYER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/version/collection_state.h"
#include "wal/log_reader.h"

namespace varve {

// Thread-compatible.
class LogReplayer {
 public:
  // Changes `view`, which nobody else sees yet: its newest memtable takes the rows, and a full one is frozen.
  LogReplayer(const CollectionState& state, ReadView* view) : state_(state), view_(view) {}

  // One complete batch.
  absl::Status Apply(absl::Span<const LogRecord> batch);
  // The segments that were added to the view.
  const std::vector<FileId>& ingested() const { return ingested_; }
  // Of a salvage: the segments that the log names and that cannot be used, a line for each.
  const std::vector<std::string>& lost() const { return lost_; }

 private:
  absl::Status ApplyRow(const LogRecord& record);
  absl::Status ApplyControl(const LogRecord& record);
  absl::Status ApplyIngested(const LogRecord& record, const pb::SegmentEntry& entry);
  // On failure nothing has changed.
  absl::Status EnterIngested(const LogRecord& record, const pb::SegmentEntry& entry);
  void MakeRoom(size_t bytes);

  const CollectionState& state_;
  ReadView* view_;
  std::vector<FileId> ingested_;
  std::vector<std::string> lost_;
};

}  // namespace varve

#endif  // VARVE_ENGINE_VERSION_LOG_REPLAYER_H_
