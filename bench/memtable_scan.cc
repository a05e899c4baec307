// Searches of a memtable by the codes of its vectors beside comparisons with every row.
//
//   memtable_scan BASE.fbin QUERIES.fbin [--limit=N] [--queries=N] [--metric=0|1|2] [--k=N]
//
// Loads at most --limit (250000) rows of BASE into a collection in memory, without a flush, and searches it with each
// query both ways in turn. metric: 0 l2, 1 inner product, 2 cosine. Prints one JSON object: the mean microseconds and
// the mean number of vectors compared by each way, and the recall of the first.
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/memory_file_system.h"
#include "bench/matrix_file.h"
#include "bench/program.h"
#include "varve/collection.h"

namespace varve {
namespace {

using bench::CheckOk;
using bench::ReadFlag;

struct Way {
  double microseconds = 0;
  double distances = 0;

  std::vector<Hit> Search(Collection* collection, SearchRequest request) {
    request.with_profile = true;
    absl::StatusOr<SearchResult> result = collection->Search(request);
    CheckOk(result.status());
    for (const PartProfile& part : result->parts) {
      microseconds += part.microseconds;
      distances += static_cast<double>(part.distances);
    }
    return std::move(result->hits);
  }
};

int Main(int argc, char** argv) {
  uint32_t limit = 250'000, wanted = 200, metric = 0, k = 10;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (!ReadFlag(argument, "limit", &limit) && !ReadFlag(argument, "queries", &wanted) &&
        !ReadFlag(argument, "metric", &metric) && !ReadFlag(argument, "k", &k)) {
      files.push_back(argument);
    }
  }
  if (files.size() != 2 || metric > 2) {
    std::fprintf(stderr,
                 "usage: memtable_scan BASE.fbin QUERIES.fbin [--limit=N] [--queries=N] [--metric=0|1|2] [--k=N]\n");
    return 2;
  }
  const bench::Matrix base = bench::ReadMatrix(files[0], limit);
  const bench::Matrix queries = bench::ReadMatrix(files[1], wanted);
  constexpr Metric kMetrics[] = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine};
  const std::unique_ptr<FileSystem> memory = NewMemoryFileSystem();
  Options options;
  options.file_system = memory.get();
  options.memory_bytes = 0;
  options.memtable_bytes = size_t{8} << 30;
  options.memtable_rows = limit + 1;
  options.wal_max_bytes = UINT64_MAX;
  auto collection = Collection::Create("/c", Schema::SingleVector(base.dim, kMetrics[metric]), options);
  CheckOk(collection.status());
  WriteBatch batch;
  for (uint32_t r = 0; r < base.rows; ++r) {
    RecordInput record;
    record.key = std::to_string(r);
    record.vectors = {{"", VectorValue(std::vector<float>(base.row(r), base.row(r) + base.dim))}};
    batch.Put(std::move(record));
    if (batch.size() < 500 && r + 1 < base.rows) continue;
    CheckOk((*collection)->Write(batch));
    batch.Clear();
  }

  Way codes, exact;
  double hits = 0, all = 0;
  for (uint32_t q = 0; q < queries.rows; ++q) {
    SearchRequest request;
    request.vector = VectorValue(std::vector<float>(queries.row(q), queries.row(q) + queries.dim));
    request.k = k;
    const std::vector<Hit> found = codes.Search(collection->get(), request);
    request.exact = true;
    for (const Hit& hit : exact.Search(collection->get(), request)) {
      ++all;
      for (const Hit& other : found) hits += other.key == hit.key;
    }
  }
  const double count = queries.rows;
  std::printf(
      "{\"rows\":%u,\"dimension\":%u,\"queries\":%u,\"codes\":{\"microseconds\":%.0f,\"distances\":%.0f},"
      "\"exact\":{\"microseconds\":%.0f,\"distances\":%.0f},\"recall\":%.5f}\n",
      base.rows, base.dim, queries.rows, codes.microseconds / count, codes.distances / count,
      exact.microseconds / count, exact.distances / count, hits / all);
  CheckOk((*collection)->Close());
  return 0;
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) { return varve::Main(argc, argv); }
