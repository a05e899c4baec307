#include "simd/pairwise_l2.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "simd/target.h"

namespace varve {
namespace {

constexpr float kLargestFloat = std::numeric_limits<float>::max();

std::vector<float> RandomRows(Random* random, size_t count) {
  std::vector<float> rows(count);
  for (float& value : rows) value = static_cast<float>(random->Uniform() * 2 - 1);
  return rows;
}

std::vector<float> Norms(const std::vector<float>& rows, size_t dim) {
  std::vector<float> norms(rows.size() / dim);
  for (size_t i = 0; i < rows.size(); ++i) norms[i / dim] += rows[i] * rows[i];
  return norms;
}

// All distances, as computed by the functions under test.
std::vector<float> Compare(const std::vector<float>& a, const std::vector<float>& b, size_t dim, float padding) {
  const size_t columns = b.size() / dim;
  std::vector<float> packed(PairwiseStride(columns) * dim, std::nanf(""));
  PackColumns(b.data(), columns, dim, packed.data());
  std::vector<float> norms = Norms(b, dim);
  norms.resize(PairwiseStride(columns), padding);
  std::vector<float> distances(a.size() / dim * PairwiseStride(columns), -1.0f);
  PairwiseL2(a.data(), Norms(a, dim).data(), a.size() / dim, packed.data(), norms.data(), columns, dim,
             distances.data());
  return distances;
}

class PairwiseOnTarget : public ::testing::TestWithParam<std::string> {
 protected:
  ScopedTargetForTesting target_{GetParam()};
  Random random_{5};
};

TEST_P(PairwiseOnTarget, AgreesWithALoopWhateverTheShape) {
  for (const size_t dim : {size_t{1}, size_t{3}, size_t{16}, size_t{100}, size_t{129}}) {
    for (const size_t rows : {size_t{1}, size_t{2}, size_t{7}, size_t{8}, size_t{9}, size_t{33}}) {
      for (const size_t columns :
           {size_t{1}, size_t{11}, size_t{12}, size_t{47}, size_t{48}, size_t{49}, size_t{100}}) {
        const std::vector<float> a = RandomRows(&random_, rows * dim), b = RandomRows(&random_, columns * dim);
        const std::vector<float> distances = Compare(a, b, dim, 0);
        ASSERT_EQ(PairwiseStride(columns) % PairwiseColumns(), 0);
        for (size_t i = 0; i < rows; ++i) {
          for (size_t j = 0; j < columns; ++j) {
            double expected = 0;
            for (size_t k = 0; k < dim; ++k) {
              const double difference = static_cast<double>(a[i * dim + k]) - static_cast<double>(b[j * dim + k]);
              expected += difference * difference;
            }
            ASSERT_NEAR(distances[i * PairwiseStride(columns) + j], expected, 1e-5 * static_cast<double>(dim) + 1e-5)
                << rows << " x " << columns << " of " << dim << ", at " << i << ", " << j;
          }
        }
      }
    }
  }
}

TEST_P(PairwiseOnTarget, ColumnsBehindTheLastHaveTheDistanceOfTheirNorm) {
  const std::vector<float> distances = Compare({1, 2}, {1, 2}, 2, kLargestFloat);
  EXPECT_EQ(distances[0], 0);
  for (size_t j = 1; j < PairwiseStride(1); ++j) EXPECT_EQ(distances[j], kLargestFloat);
}

TEST_P(PairwiseOnTarget, DistancesAreFiniteAndNotNegative) {
  const float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> rows = {nan, 1, infinity, 1, -infinity, 1, 3e38f, 3e38f, -3e38f, 3e38f, 1, 1};
  const std::vector<float> distances = Compare(rows, rows, 2, 0);
  for (size_t i = 0; i < 5; ++i) {
    for (size_t j = 0; j < 6; ++j) EXPECT_EQ(distances[i * PairwiseStride(6) + j], kLargestFloat) << i << ", " << j;
  }
  EXPECT_EQ(distances[5 * PairwiseStride(6) + 5], 0);
  // The same vector twice, far from the origin: rounding must not give less than nothing.
  const std::vector<float> far = RandomRows(&random_, 40 * 64);
  for (const float distance : Compare(far, far, 64, 0)) EXPECT_GE(distance, 0);
}

INSTANTIATE_TEST_SUITE_P(Every, PairwiseOnTarget, ::testing::ValuesIn(SupportedTargetNames()),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace varve
