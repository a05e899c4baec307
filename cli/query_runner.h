// Runs the queries of `varve search`, measures each, and says how good the answers are.
#ifndef VARVE_CLI_QUERY_RUNNER_H_
#define VARVE_CLI_QUERY_RUNNER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "cli/matrix_file.h"
#include "cli/search_requests.h"
#include "varve/collection.h"

namespace varve::cli {

struct QueryRun {
  std::vector<SearchResult> results;  // one per query
  std::vector<double> latencies_us;   // one per query
  double seconds = 0;                 // from the first search to the last
};

// Runs every query once, on `threads` threads that each take the next one.
// Errors: the first failed query's, with its number (from 0).
absl::StatusOr<QueryRun> RunQueries(Collection* collection, absl::Span<const Query> queries, int threads);

// The value below which `share` (0 to 1) of the values lie, by nearest rank; 0 if there are none.
double Percentile(std::vector<double> values, double share);

// Recall of `results`, over the places of all queries, against the first k rows of a ground-truth file, whose row r is
// the record with key `key_prefix` + r in the query's namespace. 1 if there is nothing to find.
// Requires: queries and results are not empty and have equal sizes.
// Errors: InvalidArgument if the file has fewer rows than there are queries, or fewer neighbours than a query's k.
absl::StatusOr<double> RecallAgainstFile(Collection* collection, absl::Span<const Query> queries,
                                         absl::Span<const SearchResult> results, const MatrixFile& truth,
                                         const std::string& key_prefix);

// Recall of `results`, over the places of all queries, against exact searches, which run on `threads` threads.
// Requires: as above.
absl::StatusOr<double> RecallAgainstExactSearch(Collection* collection, absl::Span<const Query> queries,
                                                absl::Span<const SearchResult> results, int threads);

}  // namespace varve::cli

#endif  // VARVE_CLI_QUERY_RUNNER_H_
