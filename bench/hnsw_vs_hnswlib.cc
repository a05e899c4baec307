// Our HNSW beside hnswlib's: same data, same m and ef_construction, one thread, one query at a time, in interleaved
// rounds, so that what disturbs the machine disturbs both.
//
//   hnsw_vs_hnswlib BASE QUERIES TRUTH [--rounds=N] [--limit=N] [--threads=N] [--m=N] [--ef_construction=N]
//
// BASE and QUERIES are .u8bin or .fbin files (u32 rows, u32 dimension, then the values), TRUTH an .ivecs file of the
// exact neighbours by squared Euclidean distance. Ours is searched through its sections, in ordinary memory, and
// returns sorted rows and distances; so does hnswlib.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "bench/matrix_file.h"
#include "bench/program.h"
#include "hnswlib/hnswlib.h"
#include "index/index_registry.h"
#include "index/section_buffers.h"
#include "simd/distance.h"

namespace varve {
namespace {

using bench::CheckOk;
using bench::Matrix;
using bench::ReadFlag;
using bench::ReadMatrix;

constexpr size_t kTop = 10;
constexpr uint32_t kEfs[] = {10, 12, 14, 16, 20, 24, 32, 40, 50, 64, 80, 100, 128, 160, 200, 256, 320};

[[noreturn]] void Fail(const std::string& message) {
  std::fprintf(stderr, "hnsw_vs_hnswlib: %s\n", message.c_str());
  std::exit(1);
}

std::vector<std::vector<uint32_t>> ReadTruth(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::vector<uint32_t>> truth;
  for (uint32_t k; file.read(reinterpret_cast<char*>(&k), sizeof(k));) {
    std::vector<uint32_t> row(k);
    if (!file.read(reinterpret_cast<char*>(row.data()), static_cast<std::streamsize>(k * sizeof(uint32_t)))) break;
    row.resize(std::min<size_t>(k, kTop));
    truth.push_back(std::move(row));
  }
  if (truth.empty()) Fail("cannot read " + path);
  return truth;
}

// Processor time of this thread, or with several threads of the clock, in seconds.
double Now(int threads) {
  if (threads > 1) return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Settings {
  uint32_t m = 16;
  uint32_t ef_construction = 200;
  int threads = 1;
  int rounds = 5;
  uint32_t limit = 0xFFFFFFFF;
};

class Ours {
 public:
  Ours(const Matrix& base, const Settings& settings)
      : shape_{.dimension = base.dim, .metric = Metric::kL2, .element = ElementType::kF32},
        factory_(*FindIndexFactory(IndexType::kHnsw)) {
    params_ = *ResolveParams(factory_->traits(), {{"m", settings.m}, {"ef_construction", settings.ef_construction}});
    const absl::Span<const std::byte> bytes(reinterpret_cast<const std::byte*>(base.values.data()),
                                            base.values.size() * sizeof(float));
    CheckOk(sections_.BeginSection(SectionKind::kVectors, {}));
    CheckOk(sections_.Append(bytes));
    std::vector<const std::byte*> addresses(base.rows);
    for (uint32_t row = 0; row < base.rows; ++row) addresses[row] = bytes.data() + row * shape_.bytes();
    const SlotSource source = {.shape = shape_, .vectors = addresses, .inverse_norms = {}};
    BuildContext context;
    context.threads = settings.threads;
    const double start = Now(settings.threads);
    CheckOk(factory_->Build(source, params_, context, &sections_));
    build_seconds_ = Now(settings.threads) - start;
    searcher_ = *factory_->Open(sections_, shape_, base.rows, params_);
    filter_.rows = base.rows;
  }

  double build_seconds() const { return build_seconds_; }
  std::string Dump() const { return factory_->Dump(sections_, shape_, filter_.rows, params_); }
  const SearchWork& work() const { return context_.work; }

  std::vector<uint32_t> Search(const float* query, uint32_t ef) {
    search_params_["ef"] = ef;
    FieldQuery field_query;
    field_query.dense = reinterpret_cast<const std::byte*>(query);
    SearchParams params;
    params.params = &search_params_;
    TopK best(kTop);
    CheckOk(searcher_->Search({&field_query, 1}, params, filter_, &context_, {&best, 1}));
    std::vector<uint32_t> rows;
    for (const Neighbor& neighbor : best.TakeSorted()) rows.push_back(neighbor.id);
    return rows;
  }

 private:
  VectorShape shape_;
  const FieldIndexFactory* factory_;
  ParamMap params_;
  ParamMap search_params_;
  SectionBuffers sections_;
  std::unique_ptr<FieldIndexSearcher> searcher_;
  SlotFilter filter_;
  SearchContext context_;
  double build_seconds_ = 0;
};

class Theirs {
 public:
  Theirs(const Matrix& base, const Settings& settings)
      : space_(base.dim), index_(&space_, base.rows, settings.m, settings.ef_construction) {
    const double start = Now(/*threads=*/1);
    for (uint32_t row = 0; row < base.rows; ++row) index_.addPoint(base.row(row), row);
    build_seconds_ = Now(/*threads=*/1) - start;
  }

  double build_seconds() const { return build_seconds_; }

  std::vector<uint32_t> Search(const float* query, uint32_t ef) {
    index_.setEf(ef);
    auto queue = index_.searchKnn(query, kTop);
    std::vector<uint32_t> rows(queue.size());
    for (size_t i = rows.size(); i-- > 0; queue.pop()) rows[i] = static_cast<uint32_t>(queue.top().second);
    return rows;
  }

 private:
  hnswlib::L2Space space_;
  hnswlib::HierarchicalNSW<float> index_;
  double build_seconds_ = 0;
};

struct Point {
  double recall = 0;
  double qps = 0;
};

template <typename Index>
double RunRound(Index* index, const Matrix& queries, uint32_t ef, const std::vector<std::vector<uint32_t>>& truth,
                Point* point) {
  std::vector<std::vector<uint32_t>> answers(queries.rows);
  const double start = Now(/*threads=*/1);
  for (uint32_t q = 0; q < queries.rows; ++q) answers[q] = index->Search(queries.row(q), ef);
  const double seconds = Now(/*threads=*/1) - start;
  size_t hits = 0, all = 0;
  for (uint32_t q = 0; q < queries.rows; ++q) {
    all += truth[q].size();
    for (const uint32_t row : answers[q]) hits += std::count(truth[q].begin(), truth[q].end(), row) > 0;
  }
  point->recall = static_cast<double>(hits) / static_cast<double>(all);
  return queries.rows / seconds;
}

// Queries per second at a recall, logarithms interpolated over -log(1 - recall); 0 outside the curve.
double QpsAt(const std::vector<Point>& curve, double recall) {
  const auto depth = [](double r) { return -std::log(std::max(1 - r, 1e-9)); };
  for (size_t i = 1; i < curve.size(); ++i) {
    const Point& low = curve[i - 1];
    const Point& high = curve[i];
    if (low.recall > recall || high.recall < recall || low.recall == high.recall) continue;
    const double t = (depth(recall) - depth(low.recall)) / (depth(high.recall) - depth(low.recall));
    return std::exp(std::log(low.qps) + t * (std::log(high.qps) - std::log(low.qps)));
  }
  return 0;
}

void Compare(const Matrix& base, const Matrix& queries, const std::vector<std::vector<uint32_t>>& truth,
             const Settings& settings) {
  std::printf("%u x %u, %u queries, m %u, ef_construction %u, instruction set %s\n", base.rows, base.dim, queries.rows,
              settings.m, settings.ef_construction, ActiveTargetName());
  Ours ours(base, settings);
  std::printf("built ours in %.1f s: %s\n", ours.build_seconds(), ours.Dump().c_str());
  std::fflush(stdout);
  Theirs theirs(base, settings);
  std::printf("built hnswlib in %.1f s; ours takes %.2f of that\n", theirs.build_seconds(),
              ours.build_seconds() / theirs.build_seconds());
  std::printf("%5s  %8s %9s %7s  %8s %9s  %s\n", "ef", "recall", "QPS", "dists", "recall", "QPS", "QPS ratio");
  std::vector<Point> our_curve, their_curve;
  for (const uint32_t ef : kEfs) {
    Point our_point, their_point;
    std::vector<double> our_qps, their_qps;
    const uint64_t before = ours.work().distances;
    for (int round = 0; round < settings.rounds; ++round) {
      our_qps.push_back(RunRound(&ours, queries, ef, truth, &our_point));
      their_qps.push_back(RunRound(&theirs, queries, ef, truth, &their_point));
    }
    our_point.qps = Median(our_qps);
    their_point.qps = Median(their_qps);
    our_curve.push_back(our_point);
    their_curve.push_back(their_point);
    std::printf("%5u  %8.4f %9.0f %7.0f  %8.4f %9.0f  %.2f\n", ef, our_point.recall, our_point.qps,
                static_cast<double>(ours.work().distances - before) / settings.rounds / queries.rows,
                their_point.recall, their_point.qps, our_point.qps / their_point.qps);
    std::fflush(stdout);
  }
  for (const double recall : {0.90, 0.95, 0.99, 0.999}) {
    const double our_qps = QpsAt(our_curve, recall);
    const double their_qps = QpsAt(their_curve, recall);
    if (our_qps == 0 || their_qps == 0) continue;
    std::printf("at recall %.3f: %.0f / %.0f QPS, ratio %.2f\n", recall, our_qps, their_qps, our_qps / their_qps);
  }
}

int Main(int argc, char** argv) {
  Settings settings;
  std::vector<std::string> paths;
  uint32_t rounds = 5, threads = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (ReadFlag(argument, "rounds", &rounds) || ReadFlag(argument, "limit", &settings.limit) ||
        ReadFlag(argument, "threads", &threads) || ReadFlag(argument, "m", &settings.m) ||
        ReadFlag(argument, "ef_construction", &settings.ef_construction)) {
      continue;
    }
    paths.push_back(argument);
  }
  if (paths.size() != 3) Fail("expected BASE QUERIES TRUTH");
  settings.rounds = static_cast<int>(std::max(rounds, 1u));
  settings.threads = static_cast<int>(std::max(threads, 1u));
  const Matrix base = ReadMatrix(paths[0], settings.limit);
  const Matrix queries = ReadMatrix(paths[1], 0xFFFFFFFF);
  const std::vector<std::vector<uint32_t>> truth = ReadTruth(paths[2]);
  if (truth.size() < queries.rows) Fail("fewer rows of truth than queries");
  Compare(base, queries, truth, settings);
  return 0;
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) { return varve::Main(argc, argv); }
