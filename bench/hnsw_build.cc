// What it costs to build an HNSW index, and how good it is: by partitions, and by inserting one vector after the other.
//
//   hnsw_build BASE QUERIES [--limit=N] [--queries=N] [--threads=N] [--partitions=N,N...] [--cosine]
//
// BASE and QUERIES are .u8bin or .fbin files (matrix_file.h; make_clustered makes some). Per number of partitions (the
// param of that name: 0 is as many as the number of vectors asks for, -1 insertion): vectors per second of processor
// time of all threads, then recall@10, distances computed and queries per second by ef, beside those of exact scans
// (which tell from how many vectors on a graph is worth building).
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "bench/matrix_file.h"
#include "bench/program.h"
#include "index/dense_distance.h"
#include "index/index_registry.h"
#include "index/section_buffers.h"

namespace varve {
namespace {

using bench::CheckOk;
using bench::Matrix;
using bench::Seconds;

constexpr size_t kTop = 10;
constexpr uint32_t kEfs[] = {10, 20, 40, 80, 160, 320};

class Bench {
 public:
  Bench(const Matrix& base, const Matrix& queries, int threads, bool cosine)
      : base_(base),
        queries_(queries),
        threads_(threads),
        shape_{.dimension = base.dim, .metric = cosine ? Metric::kCosine : Metric::kL2, .element = ElementType::kF32},
        factory_(*FindIndexFactory(IndexType::kHnsw)) {
    for (uint32_t row = 0; row < base.rows; ++row) {
      addresses_.push_back(reinterpret_cast<const std::byte*>(base.row(row)));
      if (cosine) inverse_norms_.push_back(InverseNorm(addresses_.back(), shape_.element, base.dim));
    }
    CheckOk(sections_.BeginSection(SectionKind::kVectors, {}));
    for (const std::byte* address : addresses_) CheckOk(sections_.Append({address, shape_.bytes()}));
    if (!cosine) return;
    CheckOk(sections_.BeginSection(SectionKind::kInverseNorms, {}));
    CheckOk(sections_.Append(
        {reinterpret_cast<const std::byte*>(inverse_norms_.data()), inverse_norms_.size() * sizeof(float)}));
  }

  void Run(int partitions) {
    const ParamMap params = *ResolveParams(factory_->traits(), {{"partitions", partitions}});
    BuildContext context;
    context.threads = threads_;
    const double wall = Seconds(CLOCK_MONOTONIC);
    const double cpu = Seconds(CLOCK_PROCESS_CPUTIME_ID);
    CheckOk(factory_->Build({.shape = shape_, .vectors = addresses_, .inverse_norms = inverse_norms_}, params, context,
                            &sections_));
    const double cpu_seconds = Seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    std::printf("%2d partitions: %7.2f s, %7.2f s of processor, %6.0f vectors per second of it\n", partitions,
                Seconds(CLOCK_MONOTONIC) - wall, cpu_seconds, base_.rows / cpu_seconds);
    const auto searcher = *factory_->Open(sections_, shape_, base_.rows, params);
    if (truth_.empty()) {
      SearchParams exact;
      exact.exact = true;
      const double start = Seconds(CLOCK_PROCESS_CPUTIME_ID);
      for (uint32_t q = 0; q < queries_.rows; ++q) truth_.push_back(Search(*searcher, q, exact));
      std::printf("  exact:   %7.0f queries per second\n", queries_.rows / (Seconds(CLOCK_PROCESS_CPUTIME_ID) - start));
    }
    for (const uint32_t ef : kEfs) {
      const ParamMap given = {{"ef", ef}};
      SearchParams search;
      search.params = &given;
      size_t hits = 0;
      const uint64_t before = context_.work.distances;
      const double start = Seconds(CLOCK_PROCESS_CPUTIME_ID);
      for (uint32_t q = 0; q < queries_.rows; ++q) {
        for (const Neighbor& found : Search(*searcher, q, search)) {
          hits += std::count(truth_[q].begin(), truth_[q].end(), found) > 0;
        }
      }
      const double seconds = Seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
      std::printf("  ef %3u: recall %.4f, %6.0f distances, %7.0f queries per second\n", ef,
                  static_cast<double>(hits) / static_cast<double>(kTop * queries_.rows),
                  static_cast<double>(context_.work.distances - before) / queries_.rows, queries_.rows / seconds);
    }
    std::fflush(stdout);
  }

 private:
  std::vector<Neighbor> Search(const FieldIndexSearcher& searcher, uint32_t query, const SearchParams& params) {
    FieldQuery field_query;
    field_query.dense = reinterpret_cast<const std::byte*>(queries_.row(query));
    field_query.inverse_norm = InverseNorm(field_query.dense, shape_.element, shape_.dimension);
    SlotFilter filter;
    filter.rows = base_.rows;
    TopK best(kTop);
    CheckOk(searcher.Search({&field_query, 1}, params, filter, &context_, {&best, 1}));
    return best.TakeSorted();
  }

  const Matrix& base_;
  const Matrix& queries_;
  const int threads_;
  const VectorShape shape_;
  const FieldIndexFactory* const factory_;
  std::vector<const std::byte*> addresses_;
  std::vector<float> inverse_norms_;
  SectionBuffers sections_;
  std::vector<std::vector<Neighbor>> truth_;
  SearchContext context_;
};

int Main(int argc, char** argv) {
  std::vector<std::string> files;
  uint32_t limit = 0xFFFFFFFF, queries = 1000;
  int threads = 1;
  bool cosine = false;
  std::string partitions = "0,-1";
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto number = [&](const char* prefix, auto* value) {
      if (!argument.starts_with(prefix)) return false;
      *value = static_cast<std::remove_reference_t<decltype(*value)>>(
          std::strtoul(argument.c_str() + std::string(prefix).size(), nullptr, 10));
      return true;
    };
    if (number("--limit=", &limit) || number("--queries=", &queries) || number("--threads=", &threads)) continue;
    if (argument.starts_with("--partitions=")) {
      partitions = argument.substr(13);
    } else if (argument == "--cosine") {
      cosine = true;
    } else {
      files.push_back(argument);
    }
  }
  if (files.size() != 2 || files[0].starts_with("--") || files[1].starts_with("--")) {
    std::fprintf(stderr,
                 "usage: hnsw_build BASE QUERIES [--limit=N] [--queries=N] [--threads=N] [--partitions=N,N...] "
                 "[--cosine]\n");
    return 2;
  }
  const Matrix base = bench::ReadMatrix(files[0], limit);
  const Matrix query_rows = bench::ReadMatrix(files[1], queries);
  Bench bench(base, query_rows, threads, cosine);
  for (const char* at = partitions.c_str(); *at != '\0';) {
    char* end = nullptr;
    bench.Run(static_cast<int>(std::strtol(at, &end, 10)));
    at = *end == ',' ? end + 1 : "";
    if (end == at) break;
  }
  return 0;
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) { return varve::Main(argc, argv); }
