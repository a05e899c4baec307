#include "base/row_set.h"

#include <set>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

TEST(RowSet, IsEmptyAtFirst) {
  const RowSet set(130);
  EXPECT_EQ(set.bound(), 130u);
  EXPECT_EQ(set.words().size(), 3u);
  EXPECT_EQ(set.Count(), 0u);
  EXPECT_EQ(RowSet().Count(), 0u);
  EXPECT_EQ(RowSet().CountRange(0, 0), 0u);
}

TEST(RowSet, HoldsWhatWasAddedAndNotRemoved) {
  RowSet set(200);
  for (const uint32_t row : {0u, 63u, 64u, 199u}) set.Add(row);
  set.Add(63);
  set.Remove(64);
  set.Remove(100);
  EXPECT_TRUE(set.Contains(0) && set.Contains(63) && set.Contains(199));
  EXPECT_FALSE(set.Contains(64) || set.Contains(1) || set.Contains(100));
  EXPECT_EQ(set.Count(), 3u);
}

TEST(RowSet, EveryRangeAddsAndCountsItsRows) {
  for (uint32_t first = 0; first <= 140; first += 7) {
    for (uint32_t last = 0; last <= 140; ++last) {
      RowSet set(140);
      set.AddRange(first, last);
      const uint32_t expected = last > first ? last - first : 0;
      ASSERT_EQ(set.Count(), expected) << first << " " << last;
      for (uint32_t row = 0; row < 140; ++row) ASSERT_EQ(set.Contains(row), row >= first && row < last);
      ASSERT_EQ(set.CountRange(first, last), expected);
    }
  }
}

TEST(RowSet, AgreesWithASetOfNumbers) {
  Random random(11);
  RowSet set(1000);
  std::set<uint32_t> oracle;
  for (int i = 0; i < 3000; ++i) {
    const auto row = static_cast<uint32_t>(random.Below(1000));
    if (random.Below(3) == 0) {
      set.Remove(row);
      oracle.erase(row);
    } else {
      set.Add(row);
      oracle.insert(row);
    }
  }
  std::vector<uint32_t> visited;
  set.ForEach([&](uint32_t row) { visited.push_back(row); });
  EXPECT_EQ(visited, std::vector<uint32_t>(oracle.begin(), oracle.end()));
  for (int i = 0; i < 500; ++i) {
    const auto first = static_cast<uint32_t>(random.Below(1001));
    const auto last = static_cast<uint32_t>(random.Below(1001));
    const auto expected = last <= first ? 0 : std::distance(oracle.lower_bound(first), oracle.lower_bound(last));
    EXPECT_EQ(set.CountRange(first, last), static_cast<uint32_t>(expected));
  }
}

TEST(RowSet, EqualSetsAreEqual) {
  RowSet a(70);
  RowSet b(70);
  a.AddRange(3, 66);
  for (uint32_t row = 3; row < 66; ++row) b.Add(row);
  EXPECT_EQ(a, b);
  b.Remove(65);
  EXPECT_NE(a, b);
}

}  // namespace
}  // namespace varve
