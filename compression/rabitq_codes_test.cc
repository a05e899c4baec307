#include "compression/rabitq_codes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "simd/distance.h"
#include "varve/schema.h"

namespace varve {
namespace {

constexpr size_t kBlocks = 32;
constexpr size_t kRows = kBlocks * kSignBlockRows;

class RabitqCodes : public ::testing::TestWithParam<std::tuple<Metric, size_t>> {
 protected:
  RabitqCodes() : metric_(std::get<0>(GetParam())), dimension_(std::get<1>(GetParam())) {}

  // Vectors around a common center.
  std::vector<float> RandomVector() {
    std::vector<float> vector(dimension_);
    for (size_t i = 0; i < dimension_; ++i) {
      double normal = -6;
      for (int j = 0; j < 12; ++j) normal += random_.Uniform();
      vector[i] = static_cast<float>(normal + static_cast<double>(i % 3));
    }
    return vector;
  }
  float InverseNorm(const std::vector<float>& vector) const {
    return 1 / VectorNorm(vector.data(), ElementType::kF32, dimension_);
  }

  void Encode() {
    std::vector<float> center(dimension_);
    for (const std::vector<float>& vector : vectors_) {
      const float factor = metric_ == Metric::kCosine ? InverseNorm(vector) : 1;
      for (size_t i = 0; i < dimension_; ++i) center[i] += vector[i] * factor / static_cast<float>(vectors_.size());
    }
    coder_.emplace(metric_, dimension_, center, 17);
    block_bytes_ = RabitqCoder::BlockBytes(dimension_);
    blocks_.resize(block_bytes_ * vectors_.size() / kSignBlockRows / sizeof(float));
    for (size_t block = 0; block < vectors_.size() / kSignBlockRows; ++block) {
      std::array<RabitqCoder::Input, kSignBlockRows> rows;
      for (size_t row = 0; row < kSignBlockRows; ++row) {
        const std::vector<float>& vector = vectors_[block * kSignBlockRows + row];
        if (!vector.empty()) rows[row] = {vector.data(), InverseNorm(vector)};
      }
      coder_->Encode(rows, BlockAt(block));
    }
  }
  std::byte* BlockAt(size_t block) { return reinterpret_cast<std::byte*>(blocks_.data()) + block * block_bytes_; }

  float Distance(const std::vector<float>& query, const std::vector<float>& vector) const {
    const float raw = GetDistanceFunction(metric_, ElementType::kF32)(query.data(), vector.data(), dimension_);
    return metric_ == Metric::kCosine ? 1 + raw * InverseNorm(query) * InverseNorm(vector) : raw;
  }

  const Metric metric_;
  const size_t dimension_;
  Random random_{21};
  std::vector<std::vector<float>> vectors_;
  std::optional<RabitqCoder> coder_;
  size_t block_bytes_ = 0;
  std::vector<float> blocks_;
};

TEST_P(RabitqCodes, MissFewRowsAndKeepFewTooMany) {
  for (size_t i = 0; i < kRows; ++i) vectors_.push_back(RandomVector());
  Encode();
  size_t near = 0, missed = 0, far = 0, kept = 0;
  for (int q = 0; q < 20; ++q) {
    const std::vector<float> query = RandomVector();
    const RabitqQuery codes(*coder_, query.data(), InverseNorm(query));
    std::vector<float> distances;
    for (const std::vector<float>& vector : vectors_) distances.push_back(Distance(query, vector));
    std::vector<float> sorted = distances;
    std::sort(sorted.begin(), sorted.end());
    const float limit = sorted[kRows / 20];
    for (size_t block = 0; block < kBlocks; ++block) {
      const uint32_t within = codes.RowsWithin(BlockAt(block), limit);
      for (size_t row = 0; row < kSignBlockRows; ++row) {
        const bool is_near = distances[block * kSignBlockRows + row] <= limit;
        const bool is_kept = (within >> row & 1) != 0;
        (is_near ? near : far) += 1;
        missed += is_near && !is_kept;
        kept += !is_near && is_kept;
      }
    }
  }
  EXPECT_LT(static_cast<double>(missed), 0.02 * static_cast<double>(near));
  // Of vectors without any structure, the hardest there are.
  EXPECT_LT(static_cast<double>(kept), 0.7 * static_cast<double>(far));
}

TEST_P(RabitqCodes, ARowIsWithinItsOwnDistanceOfItself) {
  for (size_t i = 0; i < kSignBlockRows; ++i) vectors_.push_back(RandomVector());
  for (float& value : vectors_[5]) value *= 1000;
  vectors_[6] = vectors_[4];
  Encode();
  for (size_t row = 0; row < kSignBlockRows; ++row) {
    const RabitqQuery codes(*coder_, vectors_[row].data(), InverseNorm(vectors_[row]));
    // The query is along the row, so that the estimate's error has nothing to come from.
    EXPECT_NE(codes.RowsWithin(BlockAt(0), Distance(vectors_[row], vectors_[row])) >> row & 1, 0u) << row;
  }
}

TEST_P(RabitqCodes, RowsWithoutAVectorAreNeverWithin) {
  for (size_t i = 0; i < kSignBlockRows; ++i) vectors_.push_back(RandomVector());
  const std::vector<float> query = vectors_[0];
  vectors_[7].clear();
  vectors_[31].clear();
  coder_.emplace(metric_, dimension_, std::vector<float>(dimension_), 17);
  block_bytes_ = RabitqCoder::BlockBytes(dimension_);
  blocks_.resize(block_bytes_ / sizeof(float));
  std::array<RabitqCoder::Input, kSignBlockRows> rows;
  for (size_t row = 0; row < kSignBlockRows; ++row) {
    if (!vectors_[row].empty()) rows[row] = {vectors_[row].data(), InverseNorm(vectors_[row])};
  }
  coder_->Encode(rows, BlockAt(0));
  const RabitqQuery codes(*coder_, query.data(), InverseNorm(query));
  EXPECT_EQ(codes.RowsWithin(BlockAt(0), std::numeric_limits<float>::max()), ~(uint32_t{1} << 7 | uint32_t{1} << 31));
}

TEST_P(RabitqCodes, NothingIsMissedOfWhatOverflows) {
  for (size_t i = 0; i < kSignBlockRows; ++i) vectors_.push_back(RandomVector());
  for (float& value : vectors_[9]) value = 3e38f;
  std::vector<float> query = vectors_[0];
  coder_.emplace(metric_, dimension_, std::vector<float>(dimension_), 17);
  block_bytes_ = RabitqCoder::BlockBytes(dimension_);
  blocks_.resize(block_bytes_ / sizeof(float));
  std::array<RabitqCoder::Input, kSignBlockRows> rows;
  for (size_t row = 0; row < kSignBlockRows; ++row) rows[row] = {vectors_[row].data(), InverseNorm(vectors_[row])};
  coder_->Encode(rows, BlockAt(0));
  const float most = std::numeric_limits<float>::max();
  const RabitqQuery codes(*coder_, query.data(), InverseNorm(query));
  EXPECT_NE(codes.RowsWithin(BlockAt(0), most) >> 9 & 1, 0u);
  if (metric_ == Metric::kCosine) return;  // a query without direction is refused
  for (float& value : query) value = 3e38f;
  const RabitqQuery large(*coder_, query.data(), 1);
  EXPECT_EQ(large.RowsWithin(BlockAt(0), most), 0xFFFFFFFFu);
}

// Each term is finite, their sum is not.
TEST_P(RabitqCodes, LargeVectorsThatAreNearAreNotMissed) {
  for (size_t i = 0; i < kSignBlockRows; ++i) vectors_.push_back(RandomVector());
  const float size = 1.4e19f / std::sqrt(static_cast<float>(dimension_));
  for (size_t i = 0; i < dimension_; ++i) vectors_[3][i] = i % 2 == 0 ? size : -size;
  Encode();
  const RabitqQuery codes(*coder_, vectors_[3].data(), InverseNorm(vectors_[3]));
  EXPECT_NE(codes.RowsWithin(BlockAt(0), std::numeric_limits<float>::max()) >> 3 & 1, 0u);
}

// Ties are decided by keys, which needs all of them.
TEST_P(RabitqCodes, RowsThatAreTheCenterAreAllWithinTheirDistance) {
  vectors_.assign(kSignBlockRows, RandomVector());
  Encode();
  const RabitqQuery codes(*coder_, vectors_[0].data(), InverseNorm(vectors_[0]));
  EXPECT_EQ(codes.RowsWithin(BlockAt(0), Distance(vectors_[0], vectors_[0])), 0xFFFFFFFFu);
}

INSTANTIATE_TEST_SUITE_P(All, RabitqCodes,
                         ::testing::Combine(::testing::Values(Metric::kL2, Metric::kInnerProduct, Metric::kCosine),
                                            ::testing::Values(size_t{64}, size_t{100}, size_t{768}, size_t{1536})),
                         [](const auto& shape) {
                           const Metric metric = std::get<0>(shape.param);
                           return std::string(MetricName(metric)) + "_" + std::to_string(std::get<1>(shape.param));
                         });

}  // namespace
}  // namespace varve
