// Writes the oldest frozen memtable into a segment and publishes it, with a deletion bitmap for every segment whose
// rows have died. One at a time, in the order in which the memtables were frozen.
#ifndef VARVE_ENGINE_BACKGROUND_FLUSH_JOB_H_
#define VARVE_ENGINE_BACKGROUND_FLUSH_JOB_H_

#include <memory>

#include "absl/status/statusor.h"
#include "base/cancellation.h"
#include "engine/version/collection_state.h"
#include "engine/version/publisher.h"
#include "varve/stats.h"

namespace varve {

// `memtable` is frozen and in the current view. On failure nothing has changed and the flush may be tried again.
absl::Status FlushMemtable(CollectionState* state, Publisher* publisher, const std::shared_ptr<Memtable>& memtable,
                           const Cancellation* cancellation, MaintenanceResult* result);

}  // namespace varve

#endif  // VARVE_ENGINE_BACKGROUND_FLUSH_JOB_H_
