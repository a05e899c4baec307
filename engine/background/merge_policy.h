// Which segments to fold together. Pure functions of the manifest's entries.
#ifndef VARVE_ENGINE_BACKGROUND_MERGE_POLICY_H_
#define VARVE_ENGINE_BACKGROUND_MERGE_POLICY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "manifest.pb.h"
#include "varve/types.h"

namespace varve {

// A segment with a larger percentage of dead rows is rewritten by itself.
inline constexpr uint64_t kMaxDeadPercent = 30;
// So many segments of one size tier are folded into one of the next; a tier is a factor of four in live rows.
inline constexpr size_t kSegmentsPerTier = 4;

// The inputs of one merge that is due, or nothing. With `full`: all segments, unless there is one without dead rows.
std::vector<FileId> PickMerge(absl::Span<const pb::SegmentEntry* const> segments, bool full);

}  // namespace varve

#endif  // VARVE_ENGINE_BACKGROUND_MERGE_POLICY_H_
