#include "compression/random_rotation.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

std::vector<float> Rotated(const RandomRotation& rotation, const std::vector<float>& vector) {
  std::vector<float> rotated(rotation.padded(), std::nanf(""));
  rotation.Apply(vector.data(), rotated.data());
  return rotated;
}

double Dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

TEST(RandomRotation, KeepsInnerProducts) {
  Random random(3);
  for (const size_t dimension :
       {size_t{1}, size_t{63}, size_t{64}, size_t{100}, size_t{128}, size_t{384}, size_t{960}}) {
    const RandomRotation rotation(dimension, 7);
    EXPECT_EQ(rotation.padded() % 64, 0u);
    EXPECT_GE(rotation.padded(), dimension);
    EXPECT_LT(rotation.padded(), dimension + 64);
    std::vector<float> a(dimension), b(dimension);
    for (float& value : a) value = static_cast<float>(random.Uniform());
    for (float& value : b) value = static_cast<float>(random.Uniform());
    EXPECT_NEAR(Dot(Rotated(rotation, a), Rotated(rotation, b)), Dot(a, b), 1e-5 * Dot(a, a)) << dimension;
    EXPECT_NEAR(Dot(Rotated(rotation, a), Rotated(rotation, a)), Dot(a, a), 1e-5 * Dot(a, a)) << dimension;
  }
}

// What a code of signs needs: no coordinate keeps more than chance gives it.
TEST(RandomRotation, SpreadsEveryCoordinateOverAll) {
  for (const size_t dimension : {size_t{64}, size_t{96}, size_t{768}}) {
    const RandomRotation rotation(dimension, 11);
    for (size_t i = 0; i < dimension; i += 13) {
      std::vector<float> axis(dimension);
      axis[i] = 1;
      float largest = 0;
      for (const float value : Rotated(rotation, axis)) largest = std::max(largest, std::fabs(value));
      EXPECT_LT(largest, 5.5 / std::sqrt(static_cast<double>(rotation.padded()))) << i << " of " << dimension;
    }
  }
}

TEST(RandomRotation, DependsOnItsSeedAlone) {
  std::vector<float> vector(100, 1.0f);
  EXPECT_EQ(Rotated(RandomRotation(100, 5), vector), Rotated(RandomRotation(100, 5), vector));
  EXPECT_NE(Rotated(RandomRotation(100, 5), vector), Rotated(RandomRotation(100, 6), vector));
}

}  // namespace
}  // namespace varve
