// Puts a collection under churn and judges it: loads the rows, replaces, deletes and inserts again all of them, twice
// by default, in random order, while threads search and merges run, and prints one line of JSON. The exit status is 1
// if an answer was wrong or a bound is broken: recall more than 0.01 below that of the freshly merged index, space
// amplification of 1.5 or more, too many files, dead rows that are not reclaimed.
//
//   churn [BASE QUERIES] [options]        .u8bin or .fbin; without them clustered points are made
//
//   --rows=N           at most so many rows of BASE (60,000)
//   --dim=N            of the points made (64)
//   --change=X         how often each row is changed (2)
//   --ef=N             of the searches (64)
//   --threads=N        that search (2)
//   --writers=N        threads that write (1)
//   --rate=N           operations per second of all writers; 0: as fast as they are taken (1,000)
//   --queries=N        that recall is measured with (500)
//   --sample=SECONDS   between two measures (2)
//   --namespaces=N     over which the rows are spread; every other search asks for one of them alone (1)
//   --ttl[=MIN:MAX]    a third of the records live for so many seconds, 3 to 60
//   --index=auto|hnsw|flat
//   --memory-mb=N      the memory budget
//   --build-threads=N  of index builds
//   --directory=DIR    where the collections are made (a temporary directory, which is removed)
//   --seed=N
#include "bench/workload/churn.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "bench/clustered.h"
#include "bench/matrix_file.h"

namespace varve::churn {
namespace {

struct Arguments {
  std::vector<std::string> files;
  uint32_t rows = 60'000;
  uint32_t dimension = 64;
  ChurnSettings settings;
};

[[noreturn]] void FailUsage(std::string_view argument) {
  std::fprintf(stderr, "churn: %s is not understood; the head of bench/churn.cc lists the options\n",
               std::string(argument).c_str());
  std::exit(2);
}

// A number that must not be negative.
double NumberOf(const std::string& argument, const std::string& value) {
  char* end = nullptr;
  const double number = std::strtod(value.c_str(), &end);
  if (value.empty() || *end != '\0' || !(number >= 0) || number > 1e9) FailUsage(argument);
  return number;
}

void SetTtl(const std::string& argument, const std::string& value, ChurnSettings* settings) {
  settings->ttl_share = 1.0 / 3;
  if (value.empty()) return;
  const size_t colon = value.find(':');
  if (colon == std::string::npos) FailUsage(argument);
  settings->ttl_min_seconds = static_cast<int64_t>(NumberOf(argument, value.substr(0, colon)));
  settings->ttl_max_seconds = static_cast<int64_t>(NumberOf(argument, value.substr(colon + 1)));
  if (settings->ttl_min_seconds < 1 || settings->ttl_max_seconds < settings->ttl_min_seconds) FailUsage(argument);
}

void SetIndex(const std::string& argument, const std::string& value, ChurnSettings* settings) {
  const std::optional<IndexType> type = value == "auto" ? IndexType::kAuto : ParseIndexType(value);
  if (!type.has_value()) FailUsage(argument);
  settings->index.type = *type;
}

void SetOption(const std::string& argument, Arguments* arguments) {
  const size_t equals = argument.find('=');
  const std::string name = argument.substr(2, equals == std::string::npos ? equals : equals - 2);
  const std::string value = equals == std::string::npos ? "" : argument.substr(equals + 1);
  ChurnSettings& settings = arguments->settings;
  const auto number = [&] { return NumberOf(argument, value); };
  const auto count = [&] { return static_cast<uint32_t>(number()); };
  if (name == "rows") {
    arguments->rows = count();
  } else if (name == "dim") {
    arguments->dimension = count();
  } else if (name == "change") {
    settings.change = number();
  } else if (name == "ef") {
    settings.ef = count();
  } else if (name == "threads") {
    settings.search_threads = static_cast<int>(count());
  } else if (name == "writers") {
    settings.write_threads = static_cast<int>(count());
  } else if (name == "rate") {
    settings.writes_per_second = number();
  } else if (name == "queries") {
    settings.recall_queries = count();
  } else if (name == "sample") {
    settings.sample_seconds = number();
  } else if (name == "namespaces") {
    settings.namespaces = count();
  } else if (name == "ttl") {
    SetTtl(argument, value, &settings);
  } else if (name == "index") {
    SetIndex(argument, value, &settings);
  } else if (name == "memory-mb") {
    settings.engine.memory_bytes = static_cast<size_t>(count()) << 20;
  } else if (name == "build-threads") {
    settings.engine.threads = static_cast<int>(count());
  } else if (name == "directory") {
    settings.directory = value;
  } else if (name == "seed") {
    settings.seed = count();
  } else {
    FailUsage(argument);
  }
}

Arguments Parse(int argc, char** argv) {
  Arguments arguments;
  arguments.settings.writes_per_second = 1000;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with("--")) {
      SetOption(argument, &arguments);
    } else {
      arguments.files.push_back(argument);
    }
  }
  const ChurnSettings& settings = arguments.settings;
  if (!arguments.files.empty() && arguments.files.size() != 2) FailUsage("one file, or more than two");
  if (arguments.rows == 0 || arguments.dimension == 0) FailUsage("no rows, or no dimensions");
  if (settings.write_threads == 0 || settings.namespaces == 0 || settings.ef == 0) FailUsage("0");
  return arguments;
}

bench::Matrix MakePoints(const bench::Clusters& clusters, uint32_t rows, Random* random) {
  bench::Matrix matrix;
  matrix.rows = rows;
  matrix.dim = clusters.dimension;
  std::vector<float> point(matrix.dim);
  for (uint32_t row = 0; row < rows; ++row) {
    clusters.Draw(random, &point);
    matrix.values.insert(matrix.values.end(), point.begin(), point.end());
  }
  return matrix;
}

int Main(Arguments arguments) {
  bench::Matrix base;
  bench::Matrix queries;
  if (arguments.files.empty()) {
    Random random(arguments.settings.seed);
    const auto clusters = bench::Clusters::ForRows(arguments.rows, arguments.dimension, &random);
    base = MakePoints(clusters, arguments.rows, &random);
    queries = MakePoints(clusters, 1000, &random);
  } else {
    base = bench::ReadMatrix(arguments.files[0], arguments.rows);
    queries = bench::ReadMatrix(arguments.files[1], UINT32_MAX);
    if (arguments.files[0].ends_with(".u8bin")) arguments.settings.element = ElementType::kU8;
  }
  std::string temporary;
  if (arguments.settings.directory.empty()) {
    temporary = (std::filesystem::temp_directory_path() / "varve-churn-XXXXXX").string();
    if (::mkdtemp(temporary.data()) == nullptr) {
      std::fprintf(stderr, "churn: cannot make %s\n", temporary.c_str());
      return 1;
    }
    arguments.settings.directory = temporary + "/collection";
  }
  const absl::StatusOr<ChurnReport> report = RunChurn(arguments.settings, base, queries);
  if (!temporary.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(temporary, ignored);
  }
  if (!report.ok()) {
    std::fprintf(stderr, "churn: %s\n", report.status().ToString().c_str());
    return 1;
  }
  std::printf("%s\n", report->ToJson().c_str());
  return report->broken.empty() ? 0 : 1;
}

}  // namespace
}  // namespace varve::churn

int main(int argc, char** argv) { return varve::churn::Main(varve::churn::Parse(argc, argv)); }
