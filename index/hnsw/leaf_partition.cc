#include "index/hnsw/leaf_partition.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>
#include <utility>

#include "base/random.h"
#include "base/thread_pool.h"
#include "index/hnsw/local_vectors.h"
#include "simd/pairwise_l2.h"

namespace varve::hnsw {
namespace {

// Groups that a group is divided into at once. More cost more comparisons and draw rounder borders. Fewer where vectors
// are long, so that the leaders' vectors stay within bounds.
constexpr uint32_t kMostLeaders = 256;
constexpr uint32_t kFewestLeaders = 16;
constexpr size_t kMostLeaderBytes = 2 << 20;

size_t BytesPerLeader(size_t dimension) { return 2 * dimension * sizeof(float); }  // rows, and packed columns

uint32_t MostLeaders(size_t dimension) {
  return static_cast<uint32_t>(
      std::clamp<size_t>(kMostLeaderBytes / BytesPerLeader(dimension), kFewestLeaders, kMostLeaders));
}

// A leaf is on average a bit less than half as large as it may be.
constexpr uint32_t kLargestPerLeader = 2;
// A group smaller than the largest leaf divided by this is dissolved: its nodes would see few others.
constexpr uint32_t kLargestPerSmallest = 16;
constexpr size_t kNodesPerTile = 64;  // compared with all leaders at once
constexpr uint32_t kNoLeader = 0xFFFFFFFF;

using Range = std::pair<uint32_t, uint32_t>;  // of places in LeafPartition::nodes

// The work on one group. Thread-compatible; keeps its memory for the next.
class Splitter {
 public:
  Splitter(const BuildVectors& vectors, uint32_t largest, uint64_t seed, const Cancellation* cancellation)
      : vectors_(vectors), largest_(largest), seed_(seed), cancellation_(cancellation) {}

  // Divides nodes[range]; appends the parts in order. With several threads the comparisons are shared among them.
  void Split(std::vector<uint32_t>* nodes, Range range, int threads, std::vector<Range>* parts) {
    const uint32_t count = range.second - range.first;
    const auto begin = nodes->begin() + range.first;
    leaders_ = std::clamp<uint32_t>(count / largest_ * kLargestPerLeader, 2, MostLeaders(vectors_.dimension()));
    Random random(Mix64(seed_ ^ Mix64(range.first)) ^ count);
    for (uint32_t i = 0; i < leaders_; ++i) std::swap(begin[i], begin[i + random.Below(count - i)]);
    leader_nodes_.assign(begin, begin + leaders_);

    chosen_.assign(count, kNoLeader);
    Assign({&*begin, count}, threads);
    if (DissolveSmall(count)) Assign({&*begin, count}, threads);

    std::vector<uint32_t> ends(leaders_ + 1, 0);
    for (const uint32_t leader : chosen_) ++ends[leader + 1];
    const uint32_t most = *std::max_element(ends.begin(), ends.end());
    std::partial_sum(ends.begin(), ends.end(), ends.begin());
    if (most == count) {
      // They are all alike, or too few apart: any division is as good.
      for (uint32_t from = 0; from < count; from += largest_) {
        parts->push_back({range.first + from, range.first + std::min(from + largest_, count)});
      }
      return;
    }
    for (uint32_t leader = 0; leader < leaders_; ++leader) {
      if (ends[leader] < ends[leader + 1])
        parts->push_back({range.first + ends[leader], range.first + ends[leader + 1]});
    }
    sorted_.resize(count);
    for (uint32_t i = 0; i < count; ++i) sorted_[ends[chosen_[i]]++] = begin[i];
    std::copy(sorted_.begin(), sorted_.end(), begin);
  }

 private:
  // Gives each node without a leader the nearest.
  void Assign(absl::Span<const uint32_t> nodes, int threads) {
    const size_t dim = vectors_.dimension();
    leader_vectors_.Load(vectors_, leader_nodes_, nullptr);
    const size_t stride = PairwiseStride(leader_nodes_.size());
    columns_.resize(stride * dim);
    PackColumns(leader_vectors_.rows(), leader_nodes_.size(), dim, columns_.data());
    std::vector<float> norms(leader_vectors_.norms(), leader_vectors_.norms() + leader_nodes_.size());
    norms.resize(stride, std::numeric_limits<float>::infinity());
    scratch_.resize(std::max(scratch_.size(), static_cast<size_t>(threads)));
    ParallelFor(threads, nodes.size(), kNodesPerTile, [&](int worker, size_t from, size_t to) {
      if (cancellation_ != nullptr && cancellation_->cancelled()) {
        std::fill(chosen_.begin() + static_cast<ptrdiff_t>(from), chosen_.begin() + static_cast<ptrdiff_t>(to), 0);
        return;
      }
      uint32_t tile[kNodesPerTile];
      uint32_t places[kNodesPerTile];
      size_t size = 0;
      for (size_t i = from; i < to; ++i) {
        if (chosen_[i] != kNoLeader) continue;
        tile[size] = nodes[i];
        places[size++] = static_cast<uint32_t>(i);
      }
      if (size == 0) return;
      Scratch& scratch = scratch_[static_cast<size_t>(worker)];
      scratch.vectors.Load(vectors_, {tile, size}, leader_vectors_.origin());
      scratch.distances.resize(size * stride);
      PairwiseL2(scratch.vectors.rows(), scratch.vectors.norms(), size, columns_.data(), norms.data(),
                 leader_nodes_.size(), dim, scratch.distances.data());
      for (size_t i = 0; i < size; ++i) {
        const float* row = &scratch.distances[i * stride];
        chosen_[places[i]] = static_cast<uint32_t>(std::min_element(row, row + leader_nodes_.size()) - row);
      }
    });
  }

  // Takes the leaders of small groups away; true if nodes have lost theirs. The largest group always stays.
  bool DissolveSmall(uint32_t count) {
    std::vector<uint32_t> sizes(leaders_, 0);
    for (const uint32_t leader : chosen_) ++sizes[leader];
    const uint32_t most = *std::max_element(sizes.begin(), sizes.end());
    const uint32_t least = std::min(largest_ / kLargestPerSmallest, most);
    std::vector<uint32_t> renumbered(leaders_, kNoLeader);
    uint32_t kept = 0;
    for (uint32_t leader = 0; leader < leaders_; ++leader) {
      if (sizes[leader] < least) continue;
      leader_nodes_[kept] = leader_nodes_[leader];
      renumbered[leader] = kept++;
    }
    if (kept == leaders_) return false;
    leader_nodes_.resize(kept);
    leaders_ = kept;
    for (uint32_t i = 0; i < count; ++i) chosen_[i] = renumbered[chosen_[i]];
    return true;
  }

  struct Scratch {  // of one thread
    LocalVectors vectors;
    std::vector<float> distances;
  };

  const BuildVectors& vectors_;
  const uint32_t largest_;
  const uint64_t seed_;
  const Cancellation* const cancellation_;
  uint32_t leaders_ = 0;
  std::vector<uint32_t> leader_nodes_;
  LocalVectors leader_vectors_;
  std::vector<Scratch> scratch_;
  std::vector<float> columns_;
  std::vector<uint32_t> chosen_;  // leader of each node of the group
  std::vector<uint32_t> sorted_;
};

}  // namespace

uint64_t LeaderBytes(size_t dimension, uint64_t nodes) {
  const uint64_t compared = std::min<uint64_t>(kNodesPerTile, nodes);
  return (std::min<uint64_t>(MostLeaders(dimension), nodes) + compared) * BytesPerLeader(dimension);
}

LeafPartition PartitionNodes(const BuildVectors& vectors, uint32_t count, uint32_t largest, uint64_t seed, int threads,
                             const Cancellation* cancellation) {
  LeafPartition partition;
  partition.nodes.resize(count);
  std::iota(partition.nodes.begin(), partition.nodes.end(), 0u);
  std::vector<Range> groups = {{0, count}};
  std::vector<std::unique_ptr<Splitter>> splitters;
  for (int i = 0; i < std::max(threads, 1); ++i) {
    splitters.push_back(std::make_unique<Splitter>(vectors, largest, seed, cancellation));
  }
  const auto too_large = [&](const Range& group) { return group.second - group.first > largest; };
  while (std::any_of(groups.begin(), groups.end(), too_large)) {
    if (cancellation != nullptr && cancellation->cancelled()) break;
    std::vector<std::vector<Range>> parts(groups.size());
    // One group is shared by the threads; of several, each thread takes its own.
    const bool alone = groups.size() == 1;
    ParallelFor(alone ? 1 : threads, groups.size(), 1, [&](int worker, size_t from, size_t to) {
      for (size_t g = from; g < to; ++g) {
        if (too_large(groups[g])) {
          splitters[static_cast<size_t>(worker)]->Split(&partition.nodes, groups[g], alone ? std::max(threads, 1) : 1,
                                                        &parts[g]);
        } else {
          parts[g].push_back(groups[g]);
        }
      }
    });
    groups.clear();
    for (const std::vector<Range>& part : parts) groups.insert(groups.end(), part.begin(), part.end());
  }
  for (const Range& group : groups) partition.bounds.push_back(group.first);
  partition.bounds.push_back(count);
  return partition;
}

}  // namespace varve::hnsw
