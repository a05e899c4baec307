// varve search: runs queries, measures them, and says how many of the true nearest records they find.
#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/status.h"
#include "cli/bytes_argument.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/filter_argument.h"
#include "cli/json_value.h"
#include "cli/matrix_file.h"
#include "cli/open_collection.h"
#include "cli/output.h"
#include "cli/query_runner.h"
#include "cli/search_report.h"
#include "cli/search_requests.h"
#include "varve/collection.h"

namespace varve::cli {
namespace {

struct SearchArguments {
  CommonOptions common;
  std::string directory;
  std::string queries;
  std::string format;  // empty: by the file's name
  std::string vector;
  std::string text;
  std::optional<std::string> filter;
  BytesArgument ns;
  SearchRequest defaults;
  std::string ground_truth;
  std::string key_prefix;
  uint64_t limit = std::numeric_limits<uint64_t>::max();
  bool results = false;
  bool no_recall = false;
};

absl::StatusOr<std::vector<Query>> ReadQueries(const SearchArguments& arguments, const Schema& schema) {
  if (!arguments.vector.empty()) {
    ASSIGN_OR_RETURN(const JsonValue value, ParseJson(arguments.vector));
    Query query{arguments.defaults, ""};
    ASSIGN_OR_RETURN(query.request.vector, ToFloats(value, "--vector"));
    return std::vector<Query>{std::move(query)};
  }
  const std::string& path = arguments.queries;
  const std::string format = arguments.format.empty() ? path.substr(path.rfind('.') + 1) : arguments.format;
  if (format == "csr") return Unimplemented(path + ": sparse fields are not built in this version");
  if (format == "jsonl") return ReadRequestLines(path, arguments.defaults, arguments.limit);
  const std::optional<MatrixFormat> matrix_format = ParseMatrixFormat(format);
  if (!matrix_format) return InvalidArgument(path + ": its name does not say its format: give --format");
  return ReadMatrixQueries(path, *matrix_format, schema, arguments.defaults, arguments.limit);
}

// Nothing if it is not wanted or there are no queries. Exact searches are not repeated to be compared with themselves.
absl::StatusOr<std::optional<double>> MeasureRecall(const SearchArguments& arguments, Collection* collection,
                                                    const std::vector<Query>& queries, const QueryRun& run) {
  if (arguments.no_recall || queries.empty()) return std::optional<double>();
  if (!arguments.ground_truth.empty()) {
    ASSIGN_OR_RETURN(const std::unique_ptr<MatrixFile> truth,
                     MatrixFile::Open(arguments.ground_truth, MatrixFormat::kIvecs));
    ASSIGN_OR_RETURN(const double recall,
                     RecallAgainstFile(collection, queries, run.results, *truth, arguments.key_prefix));
    return std::optional<double>(recall);
  }
  const bool all_exact =
      std::all_of(queries.begin(), queries.end(), [](const Query& query) { return query.request.exact; });
  if (all_exact) return std::optional<double>(1.0);
  const int threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  ASSIGN_OR_RETURN(const double recall, RecallAgainstExactSearch(collection, queries, run.results, threads));
  return std::optional<double>(recall);
}

absl::Status RunSearch(SearchArguments arguments) {
  if (!arguments.text.empty()) return Unimplemented("--text is not built in this version: it needs text fields");
  if (arguments.filter) {
    ASSIGN_OR_RETURN(arguments.defaults.filter, ParseFilterArgument(*arguments.filter));
  }
  ASSIGN_OR_RETURN(arguments.defaults.ns, arguments.ns.Decode("--namespace-base64"));
  ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection, OpenForReading(arguments.directory, arguments.common));
  ASSIGN_OR_RETURN(const std::vector<Query> queries, ReadQueries(arguments, collection->schema()));
  const int threads = std::max(1, arguments.common.threads);
  ASSIGN_OR_RETURN(QueryRun run, RunQueries(collection.get(), queries, threads));
  SearchReport report;
  ASSIGN_OR_RETURN(report.recall, MeasureRecall(arguments, collection.get(), queries, run));
  report.k = arguments.defaults.k;
  report.with_results = arguments.results || (!arguments.common.json && !arguments.vector.empty());
  report.with_profile = arguments.defaults.with_profile;
  report.queries = &queries;
  report.run = &run;
  if (arguments.common.json) {
    PrintLine(ToJson(report));
  } else {
    PrintTables(report);
  }
  return absl::OkStatus();
}

void AddInput(CLI::App* app, SearchArguments* arguments) {
  CLI::Option* queries =
      app->add_option("--queries", arguments->queries, "A query per row of a matrix file, or per line of a .jsonl file")
          ->type_name("FILE");
  CLI::Option* vector = app->add_option("--vector", arguments->vector, "One query: a JSON array")
                            ->type_name("'[...]'")
                            ->excludes(queries);
  CLI::Option* text = app->add_option("--text", arguments->text, "One query of text (not built in this version)")
                          ->excludes(queries)
                          ->excludes(vector);
  app->callback([queries, vector, text] {
    if (queries->count() + vector->count() + text->count() == 0) throw CLI::RequiredError("--queries or --vector");
  });
  app->add_option("--format", arguments->format, "Format of the file (default: by its name)")
      ->check(CLI::IsMember({"fvecs", "bvecs", "ivecs", "fbin", "u8bin", "i8bin", "npy", "csr", "jsonl"}));
  AddCount(app, "--limit", &arguments->limit, "At most so many queries of the file");
}

}  // namespace

Command AddSearchCommand(CLI::App* root) {
  auto arguments = std::make_shared<SearchArguments>();
  SearchRequest& defaults = arguments->defaults;
  CLI::App* app = root->add_subcommand("search", "Search, and measure recall and speed");
  app->footer(
      "Without --ground-truth recall is measured against exact searches of the same collection.\n"
      "Example: varve search things --queries query.fbin --k 10 --param ef=64 --ground-truth gt100.ivecs");
  AddDirectory(app, &arguments->directory);
  AddInput(app, arguments.get());
  AddCount(app, "--k", &defaults.k, "How many records to find (default 10)");
  app->add_option("--field", defaults.field, "The dense field to search (default: the first)")->type_name("F");
  app->add_option("--filter", arguments->filter, "Only records whose metadata matches, such as \"year >= 2020\"")
      ->type_name("EXPR");
  AddNamespace(app, &arguments->ns, "Only records of this namespace");
  AddParams(app, &defaults.params);
  app->add_flag("--exact", defaults.exact, "Compare with every vector");
  app->add_option("--ground-truth", arguments->ground_truth, "True neighbours, by row of the imported file (.ivecs)")
      ->type_name("FILE");
  app->add_option("--key-prefix", arguments->key_prefix, "Row n of the ground truth is the record with key Pn")
      ->type_name("P");
  app->add_flag("--no-recall", arguments->no_recall, "Do not measure recall");
  app->add_flag("--profile", defaults.with_profile, "Show how each part was searched");
  app->add_flag("--results", arguments->results, "Show what was found");
  AddCommonOptions(app, &arguments->common);
  return {app, [arguments] { return RunSearch(*arguments); }};
}

}  // namespace varve::cli
