#include "cli/exact_neighbors.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "base/bytes.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "base/top_k.h"
#include "cli/exact_distance.h"
#include "cli/progress.h"
#include "simd/distance.h"

namespace varve::cli {
namespace {

constexpr uint64_t kBlockBytes = 8 << 20;  // of the base, in memory at a time
constexpr size_t kQueriesPerTask = 16;
constexpr size_t kRowsPerTile = 256;  // a tile of distances stays in the cache
// Kernels sum in float: their rounding may move a row by a few places, never past so many.
constexpr size_t kSpareCandidates = 32;

// Rows in the kernel's element type, packed.
struct Rows {
  std::vector<std::byte> bytes;
  std::vector<float> inverse_norms;  // for cosine
};

class NeighborFinder {
 public:
  static absl::StatusOr<NeighborFinder> Make(const MatrixFile& base, const MatrixFile& queries, Metric metric, size_t k,
                                             int threads);

  absl::StatusOr<std::vector<std::vector<uint32_t>>> Find();

 private:
  NeighborFinder(const MatrixFile& base, const MatrixFile& queries, Metric metric, size_t k, int threads)
      : base_(base), queries_(queries), metric_(metric), k_(std::min<uint64_t>(k, base.rows())), threads_(threads) {}

  size_t row_bytes() const { return VectorBytes(element_, static_cast<uint32_t>(dimension_)); }
  absl::Status Load(const MatrixFile& file, uint64_t first, uint64_t count, Rows* rows) const;
  void SearchBlock(const Rows& queries, const Rows& block, uint64_t first_row, std::vector<TopK>* best) const;
  void SearchTile(const Rows& queries, size_t first_query, size_t query_count, const Rows& block, size_t first,
                  size_t count, uint64_t first_row, std::vector<TopK>* best) const;
  absl::StatusOr<std::vector<uint32_t>> Rank(size_t query, const std::vector<Neighbor>& candidates) const;

  const MatrixFile& base_;
  const MatrixFile& queries_;
  Metric metric_;
  size_t k_;
  int threads_;
  ElementType element_ = ElementType::kF32;
  size_t dimension_ = 0;  // as the kernel counts it
  MatrixDistanceFunction distance_ = nullptr;
};

absl::StatusOr<NeighborFinder> NeighborFinder::Make(const MatrixFile& base, const MatrixFile& queries, Metric metric,
                                                    size_t k, int threads) {
  if (base.rows() > static_cast<uint64_t>(std::numeric_limits<int32_t>::max())) {
    return InvalidArgument(base.path() + ": has " + std::to_string(base.rows()) + " rows: .ivecs cannot number them");
  }
  if (base.rows() != 0 && queries.rows() != 0 && base.dimension() != queries.dimension()) {
    return InvalidArgument(queries.path() + ": its rows have dimension " + std::to_string(queries.dimension()) +
                           ": those of " + base.path() + " have " + std::to_string(base.dimension()));
  }
  NeighborFinder finder(base, queries, metric, k, threads);
  const bool same = base.component() == queries.component();
  finder.dimension_ = base.dimension();
  if (metric == Metric::kHamming) {
    if (!same || base.component() != Component::kU8) {
      return InvalidArgument(base.path() + ": hamming distances need files of u8, with eight bits to a byte");
    }
    finder.element_ = ElementType::kBits;
    finder.dimension_ *= 8;
  } else if (same && base.component() == Component::kU8) {
    finder.element_ = ElementType::kU8;
  } else if (same && base.component() == Component::kI8) {
    finder.element_ = ElementType::kI8;
  }
  finder.distance_ = GetMatrixDistanceFunction(metric, finder.element_);
  if (finder.distance_ == nullptr) {
    finder.element_ = ElementType::kF32;
    finder.distance_ = GetMatrixDistanceFunction(metric, ElementType::kF32);
  }
  if (finder.distance_ == nullptr) return Unimplemented("this metric is not built for ground truth");
  return finder;
}

absl::Status NeighborFinder::Load(const MatrixFile& file, uint64_t first, uint64_t count, Rows* rows) const {
  RETURN_IF_ERROR(file.ReadRows(first, count, &rows->bytes));
  if (element_ == ElementType::kF32 && file.component() != Component::kF32) {
    const std::vector<float> floats = RowToFloats(rows->bytes, file.component());
    rows->bytes.resize(floats.size() * sizeof(float));
    if (!floats.empty()) std::memcpy(rows->bytes.data(), floats.data(), rows->bytes.size());
  }
  rows->inverse_norms.clear();
  for (uint64_t row = 0; metric_ == Metric::kCosine && row < count; ++row) {
    const float norm = VectorNorm(rows->bytes.data() + row * row_bytes(), element_, dimension_);
    rows->inverse_norms.push_back(norm > 0 ? 1 / norm : 0);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::vector<uint32_t>>> NeighborFinder::Find() {
  const size_t query_count = queries_.rows();
  Rows queries;
  RETURN_IF_ERROR(Load(queries_, 0, query_count, &queries));
  const size_t candidates = metric_ == Metric::kHamming ? k_ : k_ + kSpareCandidates;
  std::vector<TopK> best(query_count, TopK(candidates));
  const uint64_t rows_per_block = base_.rows() == 0 ? 1 : std::max<uint64_t>(1, kBlockBytes / row_bytes());
  {
    Progress progress("rows", base_.rows());
    Rows block;
    for (uint64_t first = 0; first < base_.rows(); first += rows_per_block) {
      const uint64_t count = std::min(rows_per_block, base_.rows() - first);
      RETURN_IF_ERROR(Load(base_, first, count, &block));
      SearchBlock(queries, block, first, &best);
      progress.Add(count);
    }
  }
  std::vector<std::vector<uint32_t>> neighbors(query_count);
  absl::Mutex mutex;
  absl::Status status;
  ParallelFor(threads_, query_count, /*grain=*/1, [&](int /*worker*/, size_t first, size_t last) {
    for (size_t query = first; query < last; ++query) {
      absl::StatusOr<std::vector<uint32_t>> ranked = Rank(query, best[query].TakeSorted());
      if (ranked.ok()) {
        neighbors[query] = *std::move(ranked);
      } else {
        absl::MutexLock lock(&mutex);
        status.Update(ranked.status());
      }
    }
  });
  RETURN_IF_ERROR(status);
  return neighbors;
}

void NeighborFinder::SearchBlock(const Rows& queries, const Rows& block, uint64_t first_row,
                                 std::vector<TopK>* best) const {
  const size_t rows = block.bytes.size() / row_bytes();
  ParallelFor(threads_, best->size(), kQueriesPerTask, [&](int /*worker*/, size_t first_query, size_t last_query) {
    for (size_t first = 0; first < rows; first += kRowsPerTile) {
      SearchTile(queries, first_query, last_query - first_query, block, first, std::min(kRowsPerTile, rows - first),
                 first_row, best);
    }
  });
}

void NeighborFinder::SearchTile(const Rows& queries, size_t first_query, size_t query_count, const Rows& block,
                                size_t first, size_t count, uint64_t first_row, std::vector<TopK>* best) const {
  std::vector<float> distances(query_count * count);
  distance_(queries.bytes.data() + first_query * row_bytes(), query_count, block.bytes.data() + first * row_bytes(),
            count, dimension_, distances.data());
  for (size_t query = 0; query < query_count; ++query) {
    TopK& top = (*best)[first_query + query];
    for (size_t row = 0; row < count; ++row) {
      float distance = distances[query * count + row];
      // The query's own norm would scale all of its distances alike.
      if (metric_ == Metric::kCosine) distance *= block.inverse_norms[first + row];
      top.Offer(distance, static_cast<uint32_t>(first_row + first + row));
    }
  }
}

absl::StatusOr<std::vector<uint32_t>> NeighborFinder::Rank(size_t query,
                                                           const std::vector<Neighbor>& candidates) const {
  std::vector<std::byte> row;
  RETURN_IF_ERROR(queries_.ReadRows(query, 1, &row));
  const std::vector<float> query_floats = RowToFloats(row, queries_.component());
  std::vector<std::pair<double, uint32_t>> ranked;
  for (const Neighbor& candidate : candidates) {
    double distance = candidate.distance;
    if (metric_ != Metric::kHamming) {  // whose kernel counts, and is exact
      RETURN_IF_ERROR(base_.ReadRows(candidate.id, 1, &row));
      distance = ExactDistance(metric_, query_floats, RowToFloats(row, base_.component()));
    }
    // Not a number is farther than everything, and would break the order.
    if (std::isnan(distance)) distance = std::numeric_limits<double>::infinity();
    ranked.emplace_back(distance, candidate.id);
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<uint32_t> rows;
  for (size_t place = 0; place < std::min(k_, ranked.size()); ++place) rows.push_back(ranked[place].second);
  return rows;
}

}  // namespace

absl::StatusOr<std::vector<std::vector<uint32_t>>> FindExactNeighbors(const MatrixFile& base, const MatrixFile& queries,
                                                                      Metric metric, size_t k, int threads) {
  ASSIGN_OR_RETURN(NeighborFinder finder, NeighborFinder::Make(base, queries, metric, k, threads));
  return finder.Find();
}

}  // namespace varve::cli
