// Folds segments into one: keeps the rows that live, drops the dead and the expired, makes the index out of those of
// the inputs where its type can, and publishes the result in the place of its inputs. Deaths that come while it runs
// are carried over.
#ifndef VARVE_ENGINE_BACKGROUND_MERGE_JOB_H_
#define VARVE_ENGINE_BACKGROUND_MERGE_JOB_H_

#include <vector>

#include "absl/status/status.h"
#include "base/cancellation.h"
#include "engine/background/merge_policy.h"
#include "engine/background/segment_builder.h"
#include "engine/version/collection_state.h"
#include "engine/version/publisher.h"
#include "varve/stats.h"

namespace varve {

// What the output of a merge is made for.
SegmentPurpose PurposeOf(const MergePlan& plan);

// Merges the segments of the plan (in the current view, each once). One merge at a time; the caller has leased memory
// for its build. On failure nothing has changed.
absl::Status MergeSegments(CollectionState* state, Publisher* publisher, const MergePlan& plan,
                           const Cancellation* cancellation, MaintenanceResult* result);

// Those of the segments (in the current view) that cannot be read from end to end: which input a merge failed for.
std::vector<FileId> FindDamaged(const CollectionState& state, const std::vector<FileId>& segments);

}  // namespace varve

#endif  // VARVE_ENGINE_BACKGROUND_MERGE_JOB_H_
