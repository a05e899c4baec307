// varve ground-truth: the exact neighbours of each query, of a collection's records or of a data file's rows.
#include <algorithm>
#include <charconv>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "base/publish.h"
#include "base/status.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/exact_neighbors.h"
#include "cli/field_vectors.h"
#include "cli/matrix_file.h"
#include "cli/open_collection.h"
#include "cli/output.h"
#include "cli/query_runner.h"
#include "cli/search_requests.h"
#include "varve/clock.h"
#include "varve/collection.h"

namespace varve::cli {
namespace {

using Neighbors = std::vector<std::vector<uint32_t>>;  // per query

struct GroundTruthArguments {
  CommonOptions common;
  std::string source;  // a collection's directory, or a matrix file
  std::string queries;
  std::string output;
  std::string field;
  std::string key_prefix;
  uint64_t k = 100;
  std::optional<Metric> metric;
};

absl::StatusOr<MatrixFormat> FormatOf(const std::string& path) {
  const std::optional<MatrixFormat> format = MatrixFormatOf(path);
  if (format) return *format;
  return InvalidArgument(path + ": its name does not say its format: expected .fvecs, .fbin, .u8bin, .npy ...");
}

int ThreadsOf(const CommonOptions& common) {
  return common.threads != 0 ? common.threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// The row that a key names: the prefix, then its number.
absl::StatusOr<uint32_t> RowOfKey(const std::string& key, const std::string& prefix) {
  uint32_t row = 0;
  if (key.starts_with(prefix)) {
    const char* end = key.data() + key.size();
    const auto [stop, error] = std::from_chars(key.data() + prefix.size(), end, row);
    if (error == std::errc() && stop == end && row <= static_cast<uint32_t>(std::numeric_limits<int32_t>::max())) {
      return row;
    }
  }
  return InvalidArgument("the record with key " + Quoted(key) + " is no row: expected " + Quoted(prefix) +
                         " and a number");
}

absl::StatusOr<Neighbors> NeighborsInCollection(const GroundTruthArguments& arguments) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection, OpenForReading(arguments.source, arguments.common));
  ASSIGN_OR_RETURN(const FieldSpec* field, FindDenseField(collection->schema(), arguments.field));
  if (arguments.metric && *arguments.metric != field->metric) {
    return InvalidArgument("--metric is " + std::string(MetricName(*arguments.metric)) + ": field " +
                           Quoted(field->name) + " has " + std::string(MetricName(field->metric)));
  }
  ASSIGN_OR_RETURN(const MatrixFormat format, FormatOf(arguments.queries));
  SearchRequest defaults;
  defaults.field = arguments.field;
  defaults.k = arguments.k;
  defaults.exact = true;
  ASSIGN_OR_RETURN(const std::vector<Query> queries, ReadMatrixQueries(arguments.queries, format, collection->schema(),
                                                                       defaults, std::numeric_limits<uint64_t>::max()));
  ASSIGN_OR_RETURN(const QueryRun run, RunQueries(collection.get(), queries, ThreadsOf(arguments.common)));
  Neighbors neighbors;
  for (const SearchResult& result : run.results) {
    std::vector<uint32_t>& rows = neighbors.emplace_back();
    for (const Hit& hit : result.hits) {
      ASSIGN_OR_RETURN(const uint32_t row, RowOfKey(hit.key, arguments.key_prefix));
      rows.push_back(row);
    }
  }
  return neighbors;
}

absl::StatusOr<Neighbors> NeighborsInFile(const GroundTruthArguments& arguments) {
  ASSIGN_OR_RETURN(const MatrixFormat base_format, FormatOf(arguments.source));
  ASSIGN_OR_RETURN(const std::unique_ptr<MatrixFile> base, MatrixFile::Open(arguments.source, base_format));
  ASSIGN_OR_RETURN(const MatrixFormat query_format, FormatOf(arguments.queries));
  ASSIGN_OR_RETURN(const std::unique_ptr<MatrixFile> queries, MatrixFile::Open(arguments.queries, query_format));
  return FindExactNeighbors(*base, *queries, arguments.metric.value_or(Metric::kL2), arguments.k,
                            ThreadsOf(arguments.common));
}

// The .ivecs form.
std::string Encode(const Neighbors& neighbors) {
  ByteWriter writer;
  for (const std::vector<uint32_t>& rows : neighbors) {
    writer.Fixed(static_cast<uint32_t>(rows.size()));
    for (const uint32_t row : rows) writer.Fixed(row);
  }
  return writer.Take();
}

absl::Status RunGroundTruth(const GroundTruthArguments& arguments) {
  if (arguments.k == 0 || arguments.k > kMaxDimension) {
    return InvalidArgument("k is " + std::to_string(arguments.k) + ": expected 1 to " + std::to_string(kMaxDimension));
  }
  Clock* clock = Clock::Default();
  FileSystem* fs = FileSystem::Default();
  const int64_t start_us = clock->MonotonicMicros();
  ASSIGN_OR_RETURN(const FileInfo info, fs->Stat(arguments.source));
  ASSIGN_OR_RETURN(const Neighbors neighbors,
                   info.is_directory ? NeighborsInCollection(arguments) : NeighborsInFile(arguments));
  // A row of each query is as long as the first: fewer than k if there are fewer records.
  const size_t k = neighbors.empty() ? 0 : neighbors.front().size();
  if (!neighbors.empty() && k == 0) return InvalidArgument(arguments.source + ": has no rows to find");
  RETURN_IF_ERROR(PublishFile(fs, arguments.output, Encode(neighbors), /*sync_directory=*/false));
  const double seconds = static_cast<double>(clock->MonotonicMicros() - start_us) / 1e6;
  if (arguments.common.json) {
    JsonWriter writer;
    writer.BeginObject().Key("queries").Uint(neighbors.size()).Key("k").Uint(k);
    PrintLine(writer.Key("seconds").Double(seconds).EndObject().text());
  } else {
    PrintLine("wrote the " + WithCommas(k) + " nearest rows of each of " + WithCommas(neighbors.size()) + " queries, " +
              Fixed(seconds, 2) + " s");
  }
  return absl::OkStatus();
}

}  // namespace

Command AddGroundTruthCommand(CLI::App* root) {
  auto arguments = std::make_shared<GroundTruthArguments>();
  CLI::App* app = root->add_subcommand("ground-truth", "Write the exact neighbours of queries to a file");
  app->footer("Example: varve ground-truth base.fbin --queries query.fbin --k 100 --metric l2 --output gt100.ivecs");
  app->add_option("SOURCE", arguments->source, "A collection's directory, or a matrix file")->required();
  app->add_option("--queries", arguments->queries, "A query per row of a matrix file")->required()->type_name("FILE");
  AddCount(app, "--k", &arguments->k, "Neighbours of each query (default 100)");
  GroundTruthArguments* target = arguments.get();
  app->add_option("--metric", CLI::callback_t([target](const CLI::results_t& values) {
                    target->metric = ParseMetric(values.back());
                    return target->metric.has_value();
                  }),
                  "l2 (default for a file), ip, cosine, l1 or hamming; a collection has its own")
      ->type_name("M");
  app->add_option("--output", arguments->output, "The .ivecs file to write")->required()->type_name("FILE");
  app->add_option("--field", arguments->field, "The dense field of a collection (default: the first)")->type_name("F");
  app->add_option("--key-prefix", arguments->key_prefix, "A collection's key Pn is row n")->type_name("P");
  AddCommonOptions(app, &arguments->common);
  return {app, [arguments] { return RunGroundTruth(*arguments); }};
}

}  // namespace varve::cli
