// What a merge of HNSW indexes costs that takes over the largest input's graph, beside building anew over the same
// vectors, and the recall of both.
//
//   hnsw_merge BASE QUERIES [--limit=N] [--queries=N] [--threads=N] [--rounds=N] [--split=PERCENT] [--drop=PERCENT]
//
// BASE and QUERIES are .u8bin or .fbin files (matrix_file.h; make_clustered makes some), compared by squared Euclidean
// distance. Without --split and --drop the large input has 90, 70 and 50 percent of the rows, and loses 0, 10 and 30
// percent of them. With --rounds the rest comes in so many merges instead of one, each taking over the graph of the
// last and losing as many percent of it. Times are processor time of the one thread, or with several threads the
// clock's.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "base/random.h"
#include "bench/matrix_file.h"
#include "bench/program.h"
#include "index/index_registry.h"
#include "index/section_buffers.h"

namespace varve {
namespace {

using bench::CheckOk;
using bench::Matrix;
using bench::ReadFlag;

constexpr size_t kTop = 10;
constexpr uint32_t kEfs[] = {10, 20, 40, 80, 160};

struct Settings {
  uint32_t limit = 0xFFFFFFFF;
  uint32_t queries = 1000;
  uint32_t threads = 1;
  uint32_t rounds = 1;
  uint32_t split = 0;      // 0: several
  uint32_t drop = 0xFFFF;  // above 100: several
};

double Now(uint32_t threads) {
  if (threads > 1) return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// An index over some rows of the matrix; slot s is row rows[s].
struct Index {
  std::vector<uint32_t> rows;
  std::vector<const std::byte*> addresses;
  std::unique_ptr<SectionBuffers> sections = std::make_unique<SectionBuffers>();
  double seconds = 0;

  uint32_t count() const { return static_cast<uint32_t>(rows.size()); }
};

class Bench {
 public:
  Bench(const Matrix& base, const Matrix& queries, const Settings& settings)
      : base_(base),
        queries_(queries),
        settings_(settings),
        shape_{.dimension = base.dim, .metric = Metric::kL2, .element = ElementType::kF32},
        factory_(*FindIndexFactory(IndexType::kHnsw)),
        params_(*ResolveParams(factory_->traits(), {})) {}

  void Run(uint32_t split, uint32_t drop) {
    // Of the first rows of a random order the large input, of the rest the others.
    Random random(split * 101 + drop);
    std::vector<uint32_t> order(base_.rows);
    std::iota(order.begin(), order.end(), 0u);
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.Below(i)]);
    const auto large = static_cast<size_t>(static_cast<uint64_t>(base_.rows) * split / 100);
    std::vector<uint32_t> rows(order.begin(), order.begin() + static_cast<ptrdiff_t>(large));
    std::sort(rows.begin(), rows.end());
    Index merged = MakeIndex(rows);
    Build(&merged);

    double merge_seconds = 0;
    for (uint32_t round = 0; round < settings_.rounds; ++round) {
      std::erase_if(rows, [&](uint32_t) { return random.Below(100) < drop; });
      const size_t rest = order.size() - large;
      for (size_t i = large + rest * round / settings_.rounds; i < large + rest * (round + 1) / settings_.rounds; ++i) {
        rows.push_back(order[i]);
      }
      std::sort(rows.begin(), rows.end());
      Index next = MakeIndex(rows);
      Merge(merged, &next);
      merge_seconds += next.seconds;
      merged = std::move(next);
    }
    Index anew = MakeIndex(rows);
    Build(&anew);
    std::printf("%2u/%2u, %2u %% dropped: %6u rows, merge %7.2f s, rebuild %7.2f s, %.2f of it\n", split, 100 - split,
                drop, anew.count(), merge_seconds, anew.seconds, merge_seconds / anew.seconds);
    PrintRecall(merged, anew);
    std::fflush(stdout);
  }

 private:
  Index MakeIndex(const std::vector<uint32_t>& rows) const {
    Index index;
    index.rows = rows;
    CheckOk(index.sections->BeginSection(SectionKind::kVectors, {}));
    for (const uint32_t row : rows) {
      const auto* vector = reinterpret_cast<const std::byte*>(base_.row(row));
      CheckOk(index.sections->Append({vector, shape_.bytes()}));
    }
    const std::byte* vectors = index.sections->Find(SectionKind::kVectors).data();
    for (size_t slot = 0; slot < rows.size(); ++slot) index.addresses.push_back(vectors + slot * shape_.bytes());
    return index;
  }
  SlotSource Source(const Index& index) const {
    return {.shape = shape_, .vectors = index.addresses, .inverse_norms = {}};
  }
  BuildContext Context() const {
    BuildContext context;
    context.threads = static_cast<int>(settings_.threads);
    return context;
  }
  void Build(Index* index) const {
    const double start = Now(settings_.threads);
    CheckOk(factory_->Build(Source(*index), params_, Context(), index->sections.get()));
    index->seconds = Now(settings_.threads) - start;
  }
  void Merge(const Index& large, Index* merged) const {
    std::vector<SlotId> new_slots(large.rows.size(), kNoSlot);
    for (size_t old = 0; old < new_slots.size(); ++old) {
      const auto found = std::lower_bound(merged->rows.begin(), merged->rows.end(), large.rows[old]);
      if (found != merged->rows.end() && *found == large.rows[old]) {
        new_slots[old] = static_cast<SlotId>(found - merged->rows.begin());
      }
    }
    MergeInput input;
    input.type = IndexType::kHnsw;
    input.params = params_;
    input.sections = large.sections.get();
    input.slot_count = large.count();
    input.new_slots = new_slots;
    const double start = Now(settings_.threads);
    CheckOk(factory_->Merge(Source(*merged), {&input, 1}, params_, Context(), merged->sections.get()));
    merged->seconds = Now(settings_.threads) - start;
  }

  std::vector<Neighbor> Search(const Index& index, const FieldIndexSearcher& searcher, const float* query,
                               const SearchParams& params) {
    FieldQuery field_query;
    field_query.dense = reinterpret_cast<const std::byte*>(query);
    SlotFilter filter;
    filter.rows = index.count();
    TopK best(kTop);
    CheckOk(searcher.Search({&field_query, 1}, params, filter, &context_, {&best, 1}));
    return best.TakeSorted();
  }
  // Both have the same slots.
  void PrintRecall(const Index& merged, const Index& anew) {
    const auto merged_searcher = *factory_->Open(*merged.sections, shape_, merged.count(), params_);
    const auto new_searcher = *factory_->Open(*anew.sections, shape_, anew.count(), params_);
    std::vector<std::vector<Neighbor>> truth;
    SearchParams exact;
    exact.exact = true;
    for (uint32_t q = 0; q < queries_.rows; ++q) {
      truth.push_back(Search(anew, *new_searcher, queries_.row(q), exact));
    }
    for (const uint32_t ef : kEfs) {
      const auto measure = [&](const Index& index, const FieldIndexSearcher& searcher, uint64_t* distances) {
        const ParamMap given = {{"ef", ef}};
        SearchParams params;
        params.params = &given;
        size_t hits = 0;
        const uint64_t before = context_.work.distances;
        for (uint32_t q = 0; q < queries_.rows; ++q) {
          for (const Neighbor& found : Search(index, searcher, queries_.row(q), params)) {
            hits += std::count(truth[q].begin(), truth[q].end(), found) > 0;
          }
        }
        *distances = (context_.work.distances - before) / queries_.rows;
        return static_cast<double>(hits) / static_cast<double>(kTop * queries_.rows);
      };
      uint64_t merged_distances = 0, new_distances = 0;
      const double merged_recall = measure(merged, *merged_searcher, &merged_distances);
      const double new_recall = measure(anew, *new_searcher, &new_distances);
      std::printf("  ef %3u: recall %.4f with %5llu distances; rebuilt %.4f with %5llu; %+.4f\n", ef, merged_recall,
                  static_cast<unsigned long long>(merged_distances), new_recall,
                  static_cast<unsigned long long>(new_distances), merged_recall - new_recall);
    }
  }

  const Matrix& base_;
  const Matrix& queries_;
  const Settings settings_;
  const VectorShape shape_;
  const FieldIndexFactory* const factory_;
  const ParamMap params_;
  SearchContext context_;
};

int Main(int argc, char** argv) {
  std::vector<std::string> files;
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (ReadFlag(argument, "limit", &settings.limit) || ReadFlag(argument, "queries", &settings.queries) ||
        ReadFlag(argument, "threads", &settings.threads) || ReadFlag(argument, "rounds", &settings.rounds) ||
        ReadFlag(argument, "split", &settings.split) || ReadFlag(argument, "drop", &settings.drop)) {
      continue;
    }
    files.push_back(argument);
  }
  if (files.size() != 2 || files[0].starts_with("--") || settings.split >= 100 || settings.rounds == 0) {
    std::fprintf(stderr,
                 "usage: hnsw_merge BASE QUERIES [--limit=N] [--queries=N] [--threads=N] [--rounds=N] "
                 "[--split=PERCENT] [--drop=PERCENT]\n");
    return 2;
  }
  const Matrix base = bench::ReadMatrix(files[0], settings.limit);
  const Matrix queries = bench::ReadMatrix(files[1], settings.queries);
  Bench run(base, queries, settings);
  for (const uint32_t split : {90u, 70u, 50u}) {
    for (const uint32_t drop : {0u, 10u, 30u}) {
      if ((settings.split == 0 || split == 90) && (settings.drop > 100 || drop == 0)) {
        run.Run(settings.split == 0 ? split : settings.split, settings.drop > 100 ? drop : settings.drop);
      }
    }
  }
  return 0;
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) { return varve::Main(argc, argv); }
