#include "base/exact_number.h"

#include <cstdint>
#include <limits>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr uint64_t kUintMax = std::numeric_limits<uint64_t>::max();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(ExactNumber, EqualValuesAreOneForm) {
  EXPECT_EQ(ExactNumber(2.0), ExactNumber(int64_t{2}));
  EXPECT_EQ(ExactNumber(uint64_t{2}), ExactNumber(int64_t{2}));
  EXPECT_EQ(ExactNumber(-0.0), ExactNumber(int64_t{0}));
  EXPECT_EQ(ExactNumber(9223372036854775808.0), ExactNumber(uint64_t{1} << 63));
  EXPECT_EQ(ExactNumber(-9223372036854775808.0), ExactNumber(kMin));
  EXPECT_NE(ExactNumber(18446744073709551616.0), ExactNumber(kUintMax));
}

TEST(ExactNumber, OrdersWhatConversionsWouldRoundTogether) {
  // Each is below the next; many of them are one double.
  const std::vector<ExactNumber> ascending = {
      ExactNumber(-kInfinity),
      ExactNumber(-1e300),
      ExactNumber(-9223372036854777856.0),
      ExactNumber(kMin),
      ExactNumber(kMin + 1),
      ExactNumber(int64_t{-9007199254740993}),
      ExactNumber(-9007199254740992.0),
      ExactNumber(int64_t{-1}),
      ExactNumber(-0.5),
      ExactNumber(int64_t{0}),
      ExactNumber(5e-324),
      ExactNumber(0.5),
      ExactNumber(int64_t{1}),
      ExactNumber(4503599627370495.5),
      ExactNumber(int64_t{4503599627370496}),
      ExactNumber(9007199254740992.0),
      ExactNumber(int64_t{9007199254740993}),
      ExactNumber(int64_t{9007199254740994}),
      ExactNumber(kMax - 1),
      ExactNumber(kMax),
      ExactNumber(9223372036854775808.0),
      ExactNumber((uint64_t{1} << 63) + 1),
      ExactNumber(kUintMax - 1),
      ExactNumber(kUintMax),
      ExactNumber(18446744073709551616.0),
      ExactNumber(1e300),
      ExactNumber(kInfinity),
  };
  for (size_t i = 0; i < ascending.size(); ++i) {
    for (size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_EQ(ascending[i] <=> ascending[j], i <=> j) << i << ", " << j;
      EXPECT_EQ(ascending[i] == ascending[j], i == j) << i << ", " << j;
    }
  }
}

TEST(ExactNumber, AgreesWithLongDoubles) {
  if (std::numeric_limits<long double>::digits < 64) GTEST_SKIP() << "long double does not hold all 64-bit integers";
  Random random(7);
  std::vector<std::pair<ExactNumber, long double>> numbers;
  for (int i = 0; i < 300; ++i) {
    const uint64_t bits = random.Next() >> random.Below(64);
    const auto integer = static_cast<int64_t>(bits);
    const double whole = static_cast<double>(bits) + static_cast<double>(random.Below(3));
    numbers.emplace_back(ExactNumber(bits), static_cast<long double>(bits));
    numbers.emplace_back(ExactNumber(-integer / 2), static_cast<long double>(-integer / 2));
    numbers.emplace_back(ExactNumber(whole), static_cast<long double>(whole));
    numbers.emplace_back(ExactNumber(-whole / 8), static_cast<long double>(-whole / 8));
  }
  for (const auto& [a, wide_a] : numbers) {
    for (const auto& [b, wide_b] : numbers) {
      ASSERT_EQ(a < b, wide_a < wide_b);
      ASSERT_EQ(a == b, wide_a == wide_b);
    }
  }
}

}  // namespace
}  // namespace varve
