// Folds segments into one: keeps the rows that live, drops the dead and the expired, makes the index out of those of
// the inputs where its type can, and publishes the result in the place of its inputs. Deaths that come while it runs
// are carried over.
#ifndef VARVE_ENGINE_BACKGROUND_MERGE_JOB_H_
#define VARVE_ENGINE_BACKGROUND_MERGE_JOB_H_

#include "absl/status/status.h"
#include "base/cancellation.h"
#include "engine/background/merge_policy.h"
#include "engine/version/collection_state.h"
#include "engine/version/publisher.h"
#include "varve/stats.h"

namespace varve {

// Merges the segments of the plan (in the current view, each once). One merge at a time.
// On failure nothing has changed.
absl::Status MergeSegments(CollectionState* state, Publisher* publisher, const MergePlan& plan,
                           const Cancellation* cancellation, MaintenanceResult* result);

}  // namespace varve

#endif  // VARVE_ENGINE_BACKGROUND_MERGE_JOB_H_
