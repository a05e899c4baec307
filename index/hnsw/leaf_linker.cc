#include "index/hnsw/leaf_linker.h"

#include <algorithm>
#include <atomic>
#include <bit>

#include "base/random.h"
#include "base/thread_pool.h"
#include "index/hnsw/leaf_partition.h"
#include "simd/pairwise_l2.h"
#include "simd/smallest.h"

namespace varve::hnsw {
namespace {

// Of 512 nodes and of 2,048 at the same total cost, recall is lower. Smaller where vectors are long, so that the memory
// of a thread stays within bounds.
constexpr uint32_t kLargestLeaf = 1024;
constexpr uint32_t kSmallestLeaf = 16;
constexpr uint64_t kMostScratchBytes = 16 << 20;
// All partitions together give a node about as many candidates as insertion looks at, a part of them twice.
constexpr uint32_t kEfConstructionPerNearest = 5;

constexpr uint64_t kNodesForLeast = 4096;
// Of a leaf's other nodes so many are drawn for each node, and at most so many of them linked where they are diverse:
// edges that lead out of clusters, all of whose nearest are their own.
constexpr size_t kSampled = 16;
constexpr size_t kFarLinks = 4;

uint64_t BytesPerLeafNode(size_t dimension, uint64_t leaf) {
  return 2 * dimension * sizeof(float) + leaf * sizeof(float);
}

}  // namespace

LeafSettings LeafSettings::Make(uint32_t partitions, uint32_t m, uint32_t ef_construction, size_t dimension) {
  uint32_t largest = kLargestLeaf;
  while (largest > kSmallestLeaf && largest * BytesPerLeafNode(dimension, largest) > kMostScratchBytes) largest /= 2;
  return {.partitions = partitions,
          .largest = largest,
          .nearest = std::max(ef_construction / kEfConstructionPerNearest, m),
          .links = std::max(m * 3 / 4, 2u)};  // more cost time, and bring nothing
}

uint32_t LeafSettings::PartitionsFor(uint64_t nodes) const {
  if (partitions > 0) return partitions;
  // Five for 4,096, nine for a million.
  constexpr int kLeast = 5;
  const int doublings = std::bit_width(nodes / kNodesForLeast) - 1;
  return static_cast<uint32_t>(kLeast + std::max(doublings, 0) / 2);
}

uint64_t LeafSettings::ScratchBytes(size_t dimension, uint64_t nodes) const {
  const uint64_t leaf = std::min<uint64_t>(largest, nodes);
  return leaf * BytesPerLeafNode(dimension, leaf) + LeaderBytes(dimension, nodes);
}

void LinkByPartitions(const BuildVectors& vectors, const LeafSettings& settings, uint64_t seed, int threads,
                      const Cancellation* cancellation, const std::function<void(uint64_t)>& progress,
                      LinkTable* table) {
  const auto cancelled = [&] { return cancellation != nullptr && cancellation->cancelled(); };
  std::vector<LeafLinker> linkers(static_cast<size_t>(threads), LeafLinker(vectors, settings));
  std::atomic<uint64_t> linked{0};
  const uint32_t partitions = settings.PartitionsFor(table->nodes());
  for (uint32_t partition = 0; partition < partitions && !cancelled(); ++partition) {
    const LeafPartition leaves =
        PartitionNodes(vectors, table->nodes(), settings.largest, Mix64(seed + partition), threads, cancellation);
    ParallelFor(threads, leaves.leaf_count(), 1, [&](int worker, size_t from, size_t to) {
      for (size_t l = from; l < to && !cancelled(); ++l) {
        linkers[static_cast<size_t>(worker)].Link(leaves.leaf(l), table);
        const uint64_t size = leaves.leaf(l).size();
        const uint64_t done = linked.fetch_add(size, std::memory_order_relaxed) + size;
        if (worker == 0 && progress) progress(done / partitions);
      }
    });
    if (leaves.leaf_count() == 1) return;  // the others would be the same
  }
}

void LeafLinker::Link(absl::Span<const uint32_t> leaf, LinkTable* table) {
  if (leaf.size() < 2) return;
  ComputeDistances(leaf);
  for (size_t i = 0; i < leaf.size(); ++i) {
    FindNearest(i, leaf.size());
    const auto distance = [this](uint32_t a, uint32_t b) { return matrix_[a * stride_ + b]; };
    SelectDiverse(near_, settings_.links, distance, &chosen_);
    Sample(i, leaf.size());
    AddDiverse(near_, chosen_.size() + kFarLinks, distance, &chosen_);
    AddToRow(leaf, leaf[i], table);
  }
}

void LeafLinker::ComputeDistances(absl::Span<const uint32_t> leaf) {
  const size_t dim = vectors_.dimension();
  local_.Load(vectors_, leaf, nullptr);
  stride_ = PairwiseStride(leaf.size());
  columns_.resize(stride_ * dim);
  PackColumns(local_.rows(), leaf.size(), dim, columns_.data());
  norms_.assign(local_.norms(), local_.norms() + leaf.size());
  norms_.resize(stride_, 0.0f);  // the columns behind the last are not looked at
  matrix_.resize(leaf.size() * stride_);
  PairwiseL2(local_.rows(), local_.norms(), leaf.size(), columns_.data(), norms_.data(), leaf.size(), dim,
             matrix_.data());
}

void LeafLinker::FindNearest(size_t i, size_t count) {
  placed_.resize(count);
  const size_t found = SmallestValues(&matrix_[i * stride_], count, settings_.nearest + 1, placed_.data());
  near_.clear();
  for (size_t j = 0; j < found && near_.size() < settings_.nearest; ++j) {
    if (PlaceOf(placed_[j]) != i) near_.push_back({ValueOf(placed_[j]), PlaceOf(placed_[j])});
  }
}

void LeafLinker::Sample(size_t i, size_t count) {
  near_.clear();
  Random random(i);
  for (size_t s = 0; s < kSampled; ++s) {
    const auto place = static_cast<uint32_t>(random.Below(count));
    const Candidate candidate = {matrix_[i * stride_ + place], place};
    if (place != i && std::find(chosen_.begin(), chosen_.end(), candidate) == chosen_.end()) {
      near_.push_back(candidate);
    }
  }
  std::sort(near_.begin(), near_.end());
  near_.erase(std::unique(near_.begin(), near_.end()), near_.end());
}

void LeafLinker::AddToRow(absl::Span<const uint32_t> leaf, uint32_t node, LinkTable* table) {
  fresh_.clear();
  const uint32_t* row = table->Row(node);
  const size_t size = table->size(node);
  for (const Candidate& candidate : chosen_) {
    const uint32_t other = leaf[candidate.node];
    if (std::find(row, row + size, other) == row + size) fresh_.push_back(other);
  }
  if (fresh_.empty()) return;
  distances_.resize(fresh_.size());
  vectors_.Distances(node, fresh_.data(), fresh_.size(), distances_.data());
  if (size + fresh_.size() <= table->capacity()) {
    for (size_t i = 0; i < fresh_.size(); ++i) table->Append(node, {distances_[i], fresh_[i]});
    return;
  }
  row_.clear();
  for (size_t i = 0; i < size; ++i) row_.push_back(table->link(node, i));
  for (size_t i = 0; i < fresh_.size(); ++i) row_.push_back({distances_[i], fresh_[i]});
  std::sort(row_.begin(), row_.end());
  SelectDiverse(
      row_, table->limit(), [this](uint32_t a, uint32_t b) { return vectors_.Distance(a, b); }, &chosen_);
  table->Assign(node, chosen_);
}

}  // namespace varve::hnsw
