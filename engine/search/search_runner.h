// One search over all parts of a pinned view: best of each, merged by distance and key, turned into hits.
#ifndef VARVE_ENGINE_SEARCH_SEARCH_RUNNER_H_
#define VARVE_ENGINE_SEARCH_SEARCH_RUNNER_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/version/read_view.h"
#include "varve/clock.h"
#include "varve/schema.h"
#include "varve/search.h"

namespace varve {

// `clock` times the parts for `profiles`, which may be null. Adds to `distances` the vectors that were compared, also
// if it fails. Errors: as PrepareSearch; DataLoss.
absl::StatusOr<SearchResult> RunSearch(const Schema& schema, const SearchRequest& request, const ViewRegistry::Pin& pin,
                                       Clock* clock, std::vector<PartProfile>* profiles, uint64_t* distances);

}  // namespace varve

#endif  // VARVE_ENGINE_SEARCH_SEARCH_RUNNER_H_
