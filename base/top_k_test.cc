#include "base/top_k.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(TopK, KeepsTheNearestBestFirst) {
  TopK top(3);
  for (const float distance : {5.0f, 1.0f, 4.0f, 2.0f, 3.0f}) top.Offer(distance, static_cast<uint32_t>(distance));
  EXPECT_TRUE(top.full());
  EXPECT_EQ(top.bound(), 3.0f);
  EXPECT_EQ(top.TakeSorted(), (std::vector<Neighbor>{{1, 1}, {2, 2}, {3, 3}}));
  EXPECT_EQ(top.size(), 0u);
  EXPECT_EQ(top.bound(), kInfinity);
}

TEST(TopK, EqualDistancesAreOrderedById) {
  TopK top(2);
  for (const uint32_t id : {9u, 4u, 7u, 1u}) top.Offer(1.0f, id);
  EXPECT_EQ(top.TakeSorted(), (std::vector<Neighbor>{{1, 1}, {1, 4}}));
}

TEST(TopK, NanIsFartherThanEverythingNumbered) {
  TopK top(2);
  top.Offer(std::numeric_limits<float>::quiet_NaN(), 0);
  top.Offer(1e30f, 5);
  EXPECT_EQ(top.TakeSorted(), (std::vector<Neighbor>{{1e30f, 5}, {kInfinity, 0}}));
}

TEST(TopK, HoldsFewerThanKUntilThereAreK) {
  TopK top(10);
  top.Offer(2, 2);
  EXPECT_FALSE(top.full());
  EXPECT_EQ(top.bound(), kInfinity);
  EXPECT_EQ(top.TakeSorted().size(), 1u);
}

TEST(TopK, OfNothingKeepsNothing) {
  TopK top;
  top.Offer(1, 1);
  EXPECT_EQ(top.size(), 0u);
  EXPECT_TRUE(top.TakeSorted().empty());
}

TEST(TopK, AgreesWithSortingInEveryOrder) {
  Random random(17);
  for (int round = 0; round < 200; ++round) {
    std::vector<Neighbor> all;
    const size_t count = random.Below(60);
    for (uint32_t id = 0; id < count; ++id) all.push_back({static_cast<float>(random.Below(8)), id});
    for (size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[random.Below(i)]);
    const size_t k = 1 + random.Below(20);
    TopK top(k);
    for (const Neighbor& neighbor : all) top.Offer(neighbor.distance, neighbor.id);
    std::sort(all.begin(), all.end());
    all.resize(std::min(k, all.size()));
    ASSERT_EQ(top.TakeSorted(), all);
  }
}

TEST(TopK, ResetChangesK) {
  TopK top(1);
  top.Offer(1, 1);
  top.Reset(2);
  EXPECT_EQ(top.k(), 2u);
  EXPECT_EQ(top.size(), 0u);
  top.Offer(3, 3);
  top.Offer(2, 2);
  EXPECT_EQ(top.TakeSorted(), (std::vector<Neighbor>{{2, 2}, {3, 3}}));
}

}  // namespace
}  // namespace varve
