#include <bit>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "gtest/gtest.h"
#include "simd/distance.h"

namespace varve {
namespace {

bool IsF16NaN(uint16_t bits) { return (bits & 0x7FFF) > 0x7C00; }
bool IsBf16NaN(uint16_t bits) { return (bits & 0x7FFF) > 0x7F80; }

TEST(HalfConversion, EveryF16SurvivesTheWayThroughF32) {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const uint16_t half = static_cast<uint16_t>(bits);
    const float value = F32FromF16(half);
    ASSERT_EQ(std::isnan(value), IsF16NaN(half));
    if (!IsF16NaN(half)) {
      ASSERT_EQ(F16FromF32(value), half);
    }
  }
}

TEST(HalfConversion, EveryBf16SurvivesTheWayThroughF32) {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const uint16_t half = static_cast<uint16_t>(bits);
    const float value = F32FromBf16(half);
    ASSERT_EQ(std::isnan(value), IsBf16NaN(half));
    if (!IsBf16NaN(half)) {
      ASSERT_EQ(Bf16FromF32(value), half);
    }
  }
}

// The nearest of the neighbours of `half`, found by comparing exact differences; ties to the even pattern.
template <typename Widen>
void ExpectNearest(float value, uint16_t half, Widen widen) {
  const double error = std::abs(double{widen(half)} - value);
  for (const int step : {-1, 1}) {
    const uint16_t other = static_cast<uint16_t>(half + step);
    if (((half ^ other) & 0x8000) != 0 || !std::isfinite(widen(other))) continue;
    const double other_error = std::abs(double{widen(other)} - value);
    ASSERT_LE(error, other_error) << value;
    if (error == other_error) {
      ASSERT_EQ(half & 1, 0) << value;
    }
  }
}

TEST(HalfConversion, RoundsToNearestEven) {
  Random random(3);
  for (int i = 0; i < 200'000; ++i) {
    const int exponent = static_cast<int>(random.Below(44)) - 28;
    const float value = std::ldexp(static_cast<float>(random.Uniform() * 2 - 1), exponent);
    if (std::abs(value) < 65'504.0f) ExpectNearest(value, F16FromF32(value), F32FromF16);
    ExpectNearest(value, Bf16FromF32(value), F32FromBf16);
  }
  EXPECT_EQ(F16FromF32(2049.0f), F16FromF32(2048.0f));  // between 2048 and 2050
  EXPECT_EQ(F16FromF32(2051.0f), F16FromF32(2052.0f));
}

TEST(HalfConversion, OverflowIsInfinityAndUnderflowIsZero) {
  EXPECT_EQ(F16FromF32(65'519.0f), 0x7BFF);
  EXPECT_EQ(F16FromF32(65'520.0f), 0x7C00);
  EXPECT_EQ(F16FromF32(-1e10f), 0xFC00);
  EXPECT_EQ(F16FromF32(0x1.0p-25f), 0);  // half of the smallest, ties to even
  EXPECT_EQ(F16FromF32(-0.0f), 0x8000);
  EXPECT_EQ(Bf16FromF32(std::numeric_limits<float>::max()), 0x7F80);
  EXPECT_EQ(Bf16FromF32(std::numeric_limits<float>::infinity()), 0x7F80);
}

}  // namespace
}  // namespace varve
