// Which segments to fold together. Pure functions of what the segments are.
//
// Two tiers (docs/design/0006): fragments, as flushes leave them, are folded into middle segments, and those into full
// ones, so that on the way to a full segment each row's graph is built twice after its flush. Beyond that the
// tiers go on by the same factor. Sizes are live rows: a segment that has lost its rows is a fragment again.
#ifndef VARVE_ENGINE_BACKGROUND_MERGE_POLICY_H_
#define VARVE_ENGINE_BACKGROUND_MERGE_POLICY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "varve/types.h"

namespace varve {

// A segment as the policy sees it.
struct MergeCandidate {
  FileId id = 0;
  uint64_t rows = 0;
  uint64_t live_rows = 0;  // neither dead nor expired
  uint64_t row_bytes = 0;  // of keys and documents, which a merge holds in memory until they are written
  // A flush had no memory for a graph that it should have. Set of what no merge has made, so that it is tried once.
  bool lacks_graph = false;
};

struct MergeLimits {
  // The rows that one merge may write: what the memory for a build suffices for.
  uint64_t max_rows = UINT64_MAX;
  // The same of their keys and documents.
  uint64_t max_row_bytes = UINT64_MAX;
  // With more segments the smallest are folded, whatever their sizes.
  size_t max_segments = 32;
};

struct MergePlan {
  std::vector<FileId> inputs;
  uint64_t rows = 0;  // live ones of the inputs
  uint64_t row_bytes = 0;
  uint32_t level = 0;  // of the result: 0 for a fragment, which is folded again soon
  std::string why;
};

// A segment with a larger percentage of dead and expired rows is rewritten by itself.
inline constexpr uint64_t kMaxDeadPercent = 30;
// Fragments that have so many rows together become a middle segment. Until then a search looks at each.
inline constexpr uint64_t kMiddleRows = 65'536;
// Below half of that a segment is a fragment. So many fragments of about one size are folded into a larger one before.
inline constexpr size_t kFragmentsPerMerge = 8;
// So many segments of one tier above become one of the next.
inline constexpr size_t kSegmentsPerTier = 8;

// The most urgent merge that is due, or none.
std::optional<MergePlan> PickMerge(absl::Span<const MergeCandidate> segments, const MergeLimits& limits);
// What someone who asks for it wants folded at once: all fragments into one segment, beside what is due anyway.
std::optional<MergePlan> PickRequestedMerge(absl::Span<const MergeCandidate> segments, const MergeLimits& limits);
// All segments into one, or into as few as the limits allow; none if that is so and no dead rows are left.
std::optional<MergePlan> PickFullMerge(absl::Span<const MergeCandidate> segments, const MergeLimits& limits);

}  // namespace varve

#endif  // VARVE_ENGINE_BACKGROUND_MERGE_POLICY_H_
