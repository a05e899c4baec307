// Counts flushes, merges and index builds and tells the listeners of them: one object per job, made when it begins and
// told how it ended. Must be used without locks that a read or Stats takes (event_listener.h).
#ifndef VARVE_ENGINE_OBSERVE_JOB_OBSERVER_H_
#define VARVE_ENGINE_OBSERVE_JOB_OBSERVER_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "engine/version/collection_state.h"
#include "varve/event_listener.h"

namespace varve {

// `result`, here and below, is the sum that the job adds to, as it is before and after. Thread-compatible.
class FlushObserver {
 public:
  FlushObserver(const CollectionState& state, const Memtable& memtable, const MaintenanceResult& result);
  // Called once; gives the status back.
  absl::Status End(absl::Status status, const MaintenanceResult& result);

 private:
  const CollectionState& state_;
  FlushInfo info_;
  const MaintenanceResult before_;
  const int64_t start_us_;
};

// Thread-compatible.
class MergeObserver {
 public:
  MergeObserver(const CollectionState& state, const std::vector<FileId>& inputs, const MaintenanceResult& result);
  // Called once; gives the status back.
  absl::Status End(absl::Status status, const MaintenanceResult& result);

 private:
  const CollectionState& state_;
  MergeInfo info_;
  const MaintenanceResult before_;
  const int64_t start_us_;
};

// One build of one field's index. Thread-compatible, but for what progress() gives.
class IndexBuildObserver {
 public:
  IndexBuildObserver(const CollectionState& state, FileId segment, const FieldSpec& field, IndexType index,
                     uint64_t vectors);
  // For BuildContext::progress; empty if nobody listens. Must not be called once this object is gone.
  std::function<void(uint64_t done, uint64_t of)> progress();
  // Called once; gives the status back.
  absl::Status End(absl::Status status);

 private:
  const CollectionState& state_;
  IndexBuildInfo info_;
  const int64_t start_us_;
  uint64_t next_report_ = 0;
};

}  // namespace varve

#endif  // VARVE_ENGINE_OBSERVE_JOB_OBSERVER_H_
