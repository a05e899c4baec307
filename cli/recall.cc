#include "cli/recall.h"

#include <algorithm>
#include <set>

#include "base/status.h"

namespace varve::cli {

absl::StatusOr<PlaceCount> CountFilledPlaces(absl::Span<const RecordName> hits, absl::Span<const RecordName> truth,
                                             size_t k, const DistanceOfRecord& distance) {
  hits = hits.subspan(0, k);
  truth = truth.subspan(0, k);
  PlaceCount count{0, truth.size()};
  if (truth.empty()) return count;
  const std::set<RecordName> nearest(truth.begin(), truth.end());
  std::optional<float> last_distance;
  bool asked = false;
  for (const RecordName& hit : hits) {
    if (nearest.contains(hit)) {
      ++count.filled;
      continue;
    }
    if (!asked) {
      ASSIGN_OR_RETURN(last_distance, distance(truth.back()));
      asked = true;
    }
    if (!last_distance) continue;
    ASSIGN_OR_RETURN(const std::optional<float> hit_distance, distance(hit));
    if (hit_distance == last_distance) ++count.filled;
  }
  count.filled = std::min(count.filled, count.places);
  return count;
}

}  // namespace varve::cli
