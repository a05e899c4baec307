// How nodes are divided into leaves, and linked in them. What graphs made so are good for is in hnsw_test.cc.
#include "index/hnsw/leaf_partition.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "index/hnsw/leaf_linker.h"
#include "index/index_fixture.h"

namespace varve::hnsw {
namespace {

using varve::testing::RandomVector;

constexpr VectorShape kLeafShape = {.dimension = 12, .metric = Metric::kL2, .element = ElementType::kF32};

// Vectors as a builder sees them; node n is slot n.
class LeafVectors {
 public:
  explicit LeafVectors(std::vector<std::vector<std::byte>> vectors, VectorShape shape = kLeafShape)
      : bytes_(std::move(vectors)), slots_(bytes_.size()) {
    std::iota(slots_.begin(), slots_.end(), 0u);
    for (const auto& vector : bytes_) {
      addresses_.push_back(vector.data());
      if (shape.metric == Metric::kCosine) {
        inverse_norms_.push_back(InverseNorm(vector.data(), shape.element, shape.dimension));
      }
    }
    vectors_ = std::make_unique<BuildVectors>(SlotSource{shape, addresses_, inverse_norms_}, slots_);
  }

  static LeafVectors Random(uint32_t count, VectorShape shape = kLeafShape) {
    varve::Random random(1);
    std::vector<std::vector<std::byte>> vectors;
    for (uint32_t i = 0; i < count; ++i) vectors.push_back(RandomVector(&random, shape));
    return LeafVectors(std::move(vectors), shape);
  }

  const BuildVectors& operator*() const { return *vectors_; }

 private:
  std::vector<std::vector<std::byte>> bytes_;
  std::vector<SlotId> slots_;
  std::vector<const std::byte*> addresses_;
  std::vector<float> inverse_norms_;
  std::unique_ptr<BuildVectors> vectors_;
};

void ExpectEachNodeOnce(const LeafPartition& leaves, uint32_t count, uint32_t largest) {
  std::vector<uint32_t> nodes = leaves.nodes;
  std::sort(nodes.begin(), nodes.end());
  std::vector<uint32_t> all(count);
  std::iota(all.begin(), all.end(), 0u);
  EXPECT_EQ(nodes, all);
  ASSERT_EQ(leaves.bounds.front(), 0);
  ASSERT_EQ(leaves.bounds.back(), count);
  for (size_t l = 0; l < leaves.leaf_count(); ++l) {
    EXPECT_LE(leaves.leaf(l).size(), largest);
    EXPECT_GT(leaves.leaf(l).size() + (count == 0), 0);
  }
}

TEST(PartitionNodes, EveryNodeIsInOneLeafOfLimitedSize) {
  const LeafVectors vectors = LeafVectors::Random(3000);
  for (const uint32_t count : {0u, 1u, 50u, 51u, 3000u}) {
    for (const uint32_t largest : {16u, 50u, 5000u}) {
      ExpectEachNodeOnce(PartitionNodes(*vectors, count, largest, 3, 1, nullptr), count, largest);
    }
  }
}

TEST(PartitionNodes, LeavesHoldNearNodes) {
  const LeafVectors vectors = LeafVectors::Random(4000);
  const LeafPartition leaves = PartitionNodes(*vectors, 4000, 100, 3, 1, nullptr);
  double within = 0, between = 0;
  size_t pairs = 0;
  for (size_t l = 0; l < leaves.leaf_count(); ++l) {
    for (size_t i = 0; i + 1 < leaves.leaf(l).size(); ++i, ++pairs) {
      within += static_cast<double>((*vectors).Distance(leaves.leaf(l)[i], leaves.leaf(l)[i + 1]));
      between += static_cast<double>((*vectors).Distance(leaves.leaf(l)[i], (leaves.leaf(l)[i] + 1777) % 4000));
    }
  }
  ASSERT_GT(pairs, 3000);
  EXPECT_LT(within, 0.75 * between);
}

TEST(PartitionNodes, DependsOnTheSeedAndNotOnThreads) {
  const LeafVectors vectors = LeafVectors::Random(3000);
  const LeafPartition one = PartitionNodes(*vectors, 3000, 64, 3, 1, nullptr);
  const LeafPartition three = PartitionNodes(*vectors, 3000, 64, 3, 3, nullptr);
  EXPECT_EQ(one.nodes, three.nodes);
  EXPECT_EQ(one.bounds, three.bounds);
  EXPECT_NE(one.nodes, PartitionNodes(*vectors, 3000, 64, 4, 1, nullptr).nodes);
}

TEST(PartitionNodes, EqualVectorsAreDividedToo) {
  const std::vector<std::byte> same(kLeafShape.bytes());
  const LeafVectors vectors(std::vector<std::vector<std::byte>>(1000, same));
  ExpectEachNodeOnce(PartitionNodes(*vectors, 1000, 64, 3, 2, nullptr), 1000, 64);
}

TEST(PartitionNodes, EndsWhenCancelled) {
  const LeafVectors vectors = LeafVectors::Random(2000);
  Cancellation cancellation;
  cancellation.Cancel();
  EXPECT_EQ(PartitionNodes(*vectors, 2000, 64, 3, 2, &cancellation).nodes.size(), 2000);
}

TEST(LeafLinker, LinksNodesToTheirNearestAtTrueDistances) {
  for (const Metric metric : {Metric::kL2, Metric::kCosine}) {
    for (const ElementType element :
         {ElementType::kF32, ElementType::kF16, ElementType::kBF16, ElementType::kI8, ElementType::kU8}) {
      const VectorShape shape = {.dimension = 12, .metric = metric, .element = element};
      const LeafVectors vectors = LeafVectors::Random(300, shape);
      LinkTable table(300, 32);
      std::vector<uint32_t> leaf;
      for (uint32_t node = 0; node < 300; node += 2) leaf.push_back(node);
      LeafLinker((*vectors), {.partitions = 1, .largest = 150, .nearest = 40, .links = 8}).Link(leaf, &table);
      for (uint32_t node = 0; node < 300; ++node) {
        if (node % 2 == 1) {
          EXPECT_EQ(table.size(node), 0);
          continue;
        }
        uint32_t nearest = node == 0 ? 2 : 0;
        for (const uint32_t other : leaf) {
          if (other != node && (*vectors).Distance(node, other) < (*vectors).Distance(node, nearest)) nearest = other;
        }
        ASSERT_GE(table.size(node), 1);
        EXPECT_LE(table.size(node), 8 + 4);
        EXPECT_NEAR(table.link(node, 0).distance, (*vectors).Distance(node, nearest),
                    1e-5f * std::abs((*vectors).Distance(node, nearest)));
        for (size_t i = 0; i < table.size(node); ++i) {
          EXPECT_NE(table.link(node, i).node, node);
          EXPECT_EQ(table.link(node, i).node % 2, 0);
          EXPECT_EQ(table.link(node, i).distance, (*vectors).Distance(node, table.link(node, i).node));
        }
      }
    }
  }
}

TEST(LeafLinker, KeepsWhatIsFoundTwiceOnce) {
  const LeafVectors vectors = LeafVectors::Random(100);
  LinkTable table(100, 32);
  std::vector<uint32_t> leaf(100);
  std::iota(leaf.begin(), leaf.end(), 0u);
  LeafLinker linker(*vectors, {.partitions = 1, .largest = 100, .nearest = 40, .links = 8});
  linker.Link(leaf, &table);
  const size_t once = table.size(7);
  linker.Link(leaf, &table);
  EXPECT_EQ(table.size(7), once);
}

TEST(LeafLinker, LeavesWithoutAPairAreLeftAlone) {
  const LeafVectors vectors = LeafVectors::Random(2);
  LinkTable table(2, 32);
  LeafLinker linker(*vectors, {.partitions = 1, .largest = 100, .nearest = 40, .links = 8});
  linker.Link({}, &table);
  linker.Link({1u}, &table);
  EXPECT_EQ(table.size(0) + table.size(1), 0);
}

TEST(LeafSettings, DivideMoreOftenWhereThereAreMore) {
  const LeafSettings automatic = LeafSettings::Make(0, 16, 200, 128);
  EXPECT_EQ(automatic.PartitionsFor(10), 5);
  EXPECT_EQ(automatic.PartitionsFor(4096), 5);
  EXPECT_EQ(automatic.PartitionsFor(65'536), 7);
  EXPECT_EQ(automatic.PartitionsFor(1 << 20), 9);
  EXPECT_EQ(LeafSettings::Make(5, 16, 200, 128).PartitionsFor(1 << 20), 5);
}

TEST(LeafSettings, StayWithinMemoryForLongVectors) {
  for (const size_t dimension : {size_t{1}, size_t{128}, size_t{784}, size_t{65'536}}) {
    const LeafSettings settings = LeafSettings::Make(8, 16, 200, dimension);
    EXPECT_GE(settings.largest, 16);
    EXPECT_LE(settings.ScratchBytes(dimension, 1'000'000) - LeaderBytes(dimension, 1'000'000), 16 << 20);
    EXPECT_LE(settings.ScratchBytes(dimension, 10), settings.ScratchBytes(dimension, 1'000'000));
  }
}

}  // namespace
}  // namespace varve::hnsw
