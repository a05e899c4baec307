#include "simd/smallest.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "simd/target.h"

namespace varve {
namespace {

class SmallestOnTarget : public ::testing::TestWithParam<std::string> {
 protected:
  // Compares with a full sort.
  void Check(const std::vector<float>& values, size_t wanted) {
    std::vector<uint64_t> expected;
    for (size_t i = 0; i < values.size(); ++i) expected.push_back(PlacedValue(values[i], static_cast<uint32_t>(i)));
    std::sort(expected.begin(), expected.end());
    expected.resize(std::min(wanted, expected.size()));
    std::vector<uint64_t> found(values.size());
    found.resize(SmallestValues(values.data(), values.size(), wanted, found.data()));
    ASSERT_EQ(found, expected) << wanted << " of " << values.size();
  }

  ScopedTargetForTesting target_{GetParam()};
  Random random_{6};
};

TEST_P(SmallestOnTarget, AreThoseOfAFullSort) {
  for (const size_t count : {size_t{0}, size_t{1}, size_t{15}, size_t{16}, size_t{17}, size_t{100}, size_t{1000},
                             size_t{1024}, size_t{5003}}) {
    for (const size_t wanted : {size_t{0}, size_t{1}, size_t{2}, size_t{16}, size_t{40}, size_t{255}, size_t{2000}}) {
      std::vector<float> values(count);
      for (float& value : values) value = static_cast<float>(random_.Uniform());
      Check(values, wanted);
      for (float& value : values) value = static_cast<float>(random_.Below(5));  // many are equal
      Check(values, wanted);
      std::sort(values.begin(), values.end());
      Check(values, wanted);
      std::reverse(values.begin(), values.end());
      Check(values, wanted);
    }
  }
}

TEST_P(SmallestOnTarget, MayBeInfiniteOrAllTheSame) {
  Check(std::vector<float>(700, std::numeric_limits<float>::infinity()), 20);
  Check(std::vector<float>(700, 0.0f), 20);
  std::vector<float> values(700, std::numeric_limits<float>::max());
  values[699] = 1;
  Check(values, 20);
}

TEST(PlacedValue, GivesBackWhatItWasMadeOf) {
  const uint64_t placed = PlacedValue(1.5f, 77);
  EXPECT_EQ(ValueOf(placed), 1.5f);
  EXPECT_EQ(PlaceOf(placed), 77);
  EXPECT_LT(placed, PlacedValue(1.5f, 78));
  EXPECT_LT(PlacedValue(1.5f, 78), PlacedValue(1.6f, 0));
}

INSTANTIATE_TEST_SUITE_P(Every, SmallestOnTarget, ::testing::ValuesIn(SupportedTargetNames()),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace varve
