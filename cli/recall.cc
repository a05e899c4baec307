#include "cli/recall.h"

#include <algorithm>
#include <set>

#include "base/status.h"

namespace varve::cli {

absl::StatusOr<double> Recall(absl::Span<const RecordName> hits, absl::Span<const RecordName> truth, size_t k,
                              const DistanceOfRecord& distance) {
  hits = hits.subspan(0, k);
  truth = truth.subspan(0, k);
  if (truth.empty()) return 1.0;
  const std::set<RecordName> nearest(truth.begin(), truth.end());
  size_t filled = 0;
  std::optional<float> last_distance;
  bool asked = false;
  for (const RecordName& hit : hits) {
    if (nearest.contains(hit)) {
      ++filled;
      continue;
    }
    if (!asked) {
      ASSIGN_OR_RETURN(last_distance, distance(truth.back()));
      asked = true;
    }
    if (!last_distance) continue;
    ASSIGN_OR_RETURN(const std::optional<float> hit_distance, distance(hit));
    if (hit_distance == last_distance) ++filled;
  }
  return static_cast<double>(std::min(filled, truth.size())) / static_cast<double>(truth.size());
}

}  // namespace varve::cli
