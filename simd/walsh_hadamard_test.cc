#include "simd/walsh_hadamard.h"

#include <bit>
#include <string>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "simd/target.h"

namespace varve {
namespace {

class WalshHadamardOnTarget : public ::testing::TestWithParam<std::string> {
 protected:
  ScopedTargetForTesting target_{GetParam()};
  Random random_{8};
};

TEST_P(WalshHadamardOnTarget, IsTheSumWithTheSignsOfItsDefinition) {
  for (size_t count = 1; count <= 256; count *= 2) {
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(random_.Below(2000)) - 1000;  // sums are exact
    std::vector<float> transformed = values;
    WalshHadamard(transformed.data(), count);
    for (size_t i = 0; i < count; ++i) {
      float expected = 0;
      for (size_t j = 0; j < count; ++j) expected += std::popcount(i & j) % 2 == 0 ? values[j] : -values[j];
      ASSERT_EQ(transformed[i], expected) << i << " of " << count;
    }
    WalshHadamard(transformed.data(), count);
    for (size_t i = 0; i < count; ++i) ASSERT_EQ(transformed[i], values[i] * static_cast<float>(count));
  }
}

INSTANTIATE_TEST_SUITE_P(All, WalshHadamardOnTarget, ::testing::ValuesIn(SupportedTargetNames()),
                         [](const auto& target) { return target.param; });

}  // namespace
}  // namespace varve
