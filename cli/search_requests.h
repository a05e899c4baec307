// What `varve search` looks for: one request per row of a matrix file, per JSON line, or a single vector.
#ifndef VARVE_CLI_SEARCH_REQUESTS_H_
#define VARVE_CLI_SEARCH_REQUESTS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/matrix_file.h"
#include "varve/schema.h"
#include "varve/search.h"

namespace varve::cli {

struct Query {
  SearchRequest request;
  std::string id;  // the request's "id" as JSON; empty: it has none
};

// One JSON request. What it does not say is as in `defaults`.
// Errors: InvalidArgument; Unimplemented, by name, for what this version does not build. The caller adds the line.
absl::StatusOr<Query> ParseRequest(std::string_view line, const SearchRequest& defaults);

// The requests of a .jsonl file, at most `limit`. Errors name file and line.
absl::StatusOr<std::vector<Query>> ReadRequestLines(const std::string& path, const SearchRequest& defaults,
                                                    uint64_t limit);

// One request per row of the file, at most `limit`, with the field and all else of `defaults`.
// Errors: InvalidArgument naming the file, also if its dimension is not the field's.
absl::StatusOr<std::vector<Query>> ReadMatrixQueries(const std::string& path, MatrixFormat format, const Schema& schema,
                                                     const SearchRequest& defaults, uint64_t limit);

}  // namespace varve::cli

#endif  // VARVE_CLI_SEARCH_REQUESTS_H_
