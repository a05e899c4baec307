// Recall with ties, as the command line defines it: the share of places 1..k filled by hits that are among the first k
// entries of the ground truth, or whose exact distance equals that of its k-th entry. Pure functions.
#ifndef VARVE_CLI_RECALL_H_
#define VARVE_CLI_RECALL_H_

#include <compare>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace varve::cli {

struct RecordName {
  std::string ns;
  std::string key;
  friend auto operator<=>(const RecordName&, const RecordName&) = default;
};

// The exact distance from the query to a record, rounded to float as all distances are (what differs by less ties);
// nothing if there is no such record.
using DistanceOfRecord = std::function<absl::StatusOr<std::optional<float>>(const RecordName& name)>;

struct PlaceCount {
  size_t filled = 0;
  size_t places = 0;
};

// Of one query: `hits` best first and `truth` nearest first, of which only the first k of each count. If the truth has
// fewer than k entries, so many places can be filled. `distance` is asked only about hits that are not in the truth,
// and then once about its last entry.
absl::StatusOr<PlaceCount> CountFilledPlaces(absl::Span<const RecordName> hits, absl::Span<const RecordName> truth,
                                             size_t k, const DistanceOfRecord& distance);

}  // namespace varve::cli

#endif  // VARVE_CLI_RECALL_H_
