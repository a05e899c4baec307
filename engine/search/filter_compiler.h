// From a filter to the rows of a part that it matches.
//
// Rows are narrowed step by step: to those that the reader sees, then to those whose documents match. What can tell
// rows apart without their documents narrows them in between.
#ifndef VARVE_ENGINE_SEARCH_FILTER_COMPILER_H_
#define VARVE_ENGINE_SEARCH_FILTER_COMPILER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "base/cancellation.h"
#include "base/row_set.h"
#include "engine/search/filter_program.h"
#include "engine/version/read_view.h"
#include "engine/version/row_access.h"
#include "varve/filter.h"

namespace varve {

struct MatchingRows {
  RowSet rows;
  uint32_t count = 0;  // of them
  uint32_t live = 0;   // rows that were asked about: that the reader sees
};

// The rows of a segment that `live` accepts and whose metadata matches. `cancellation` may be null.
// Errors: DataLoss naming the file; Cancelled.
absl::StatusOr<MatchingRows> FindMatchingRows(const SegmentPart& part, const SlotFilter& live, FilterProgram* program,
                                              const Cancellation* cancellation);

// How many records of the pinned view match. Errors: InvalidArgument; DataLoss; Cancelled.
absl::StatusOr<uint64_t> CountMatchingRows(const ViewRegistry::Pin& pin, const Filter& filter,
                                           const std::optional<std::string>& ns);

// Asks rows one by one, in any order; fast where the rows of each part come in ascending order. Thread-compatible; the
// program and the view outlive it.
class RowMatcher {
 public:
  explicit RowMatcher(FilterProgram* program) : program_(program) {}

  // Errors: DataLoss naming the file.
  absl::StatusOr<bool> Matches(const RowLocation& location);

 private:
  FilterProgram* const program_;
  absl::flat_hash_map<const SegmentPart*, std::unique_ptr<DocumentReader>> readers_;
};

}  // namespace varve

#endif  // VARVE_ENGINE_SEARCH_FILTER_COMPILER_H_
