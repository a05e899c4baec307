// What `varve search` prints. Pure functions but for the printing.
#ifndef VARVE_CLI_SEARCH_REPORT_H_
#define VARVE_CLI_SEARCH_REPORT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/query_runner.h"
#include "cli/search_requests.h"

namespace varve::cli {

struct SearchReport {
  const std::vector<Query>* queries = nullptr;
  const QueryRun* run = nullptr;  // of these queries
  size_t k = 0;                   // the command line's
  std::optional<double> recall;
  bool with_results = false;
  bool with_profile = false;
};

// {"queries","k","recall","qps","latency_us","results","ids","profile"}: results as [[{"key","score","distance"}]], one
// list per query; ids, one per query, if a request had one; profile, per query the parts that were searched.
std::string ToJson(const SearchReport& report);

void PrintTables(const SearchReport& report);

}  // namespace varve::cli

#endif  // VARVE_CLI_SEARCH_REPORT_H_
