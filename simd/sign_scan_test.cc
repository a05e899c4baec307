#include "simd/sign_scan.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "simd/target.h"

namespace varve {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

class SignScanOnTarget : public ::testing::TestWithParam<std::string> {
 protected:
  void Fill(size_t groups, uint8_t most) {
    codes_.resize(groups * kSignTableBytes);
    tables_.resize(groups * kSignTableBytes);
    for (uint8_t& code : codes_) code = static_cast<uint8_t>(random_.Next());
    for (uint8_t& entry : tables_) entry = static_cast<uint8_t>(random_.Below(uint64_t{most} + 1));
    // Powers of two and small integers: bounds are exact.
    for (size_t row = 0; row < kSignBlockRows; ++row) {
      base_[row] = static_cast<float>(random_.Below(1000));
      scale_[row] = static_cast<float>(uint64_t{1} << random_.Below(3));
      deviation_[row] = static_cast<float>(random_.Below(50));
    }
    query_ = {tables_.data(), groups, 0.5f, -32, 700, 4};
  }
  SignBlock block() const { return {codes_.data(), base_, scale_, deviation_}; }

  float BoundOf(size_t row) const {
    uint32_t entries = 0;
    for (size_t g = 0; g < query_.groups; ++g) {
      const uint8_t code = codes_[g * kSignTableBytes + row % 16];
      entries += tables_[g * kSignTableBytes + (row < 16 ? code & 15 : code >> 4)];
    }
    return base_[row] + query_.base - scale_[row] * (query_.step * static_cast<float>(entries) + query_.offset) -
           deviation_[row] * query_.deviation;
  }

  ScopedTargetForTesting target_{GetParam()};
  Random random_{9};
  std::vector<uint8_t> codes_, tables_;
  float base_[kSignBlockRows], scale_[kSignBlockRows], deviation_[kSignBlockRows];
  SignQuery query_;
};

TEST_P(SignScanOnTarget, KeepsTheRowsWhoseBoundIsWithinTheLimit) {
  for (const size_t groups : {size_t{16}, size_t{32}, size_t{48}, size_t{256}, size_t{272}, size_t{1024}}) {
    for (int round = 0; round < 20; ++round) {
      Fill(groups, 255);
      for (size_t other = 0; other < kSignBlockRows; other += 5) {
        const float limit = BoundOf(other);
        const uint32_t within = SignRowsWithin(block(), query_, limit);
        for (size_t row = 0; row < kSignBlockRows; ++row) {
          ASSERT_EQ((within >> row & 1) != 0, BoundOf(row) <= limit) << "row " << row << ", " << groups << " groups";
        }
      }
    }
  }
}

TEST_P(SignScanOnTarget, SumsOfTheLargestEntriesDoNotOverflow) {
  Fill(1024, 255);
  std::fill(tables_.begin(), tables_.end(), uint8_t{255});
  query_ = {tables_.data(), 1024, 1, 0, 0, 0};
  std::fill(scale_, scale_ + kSignBlockRows, -1.0f);
  std::fill(base_, base_ + kSignBlockRows, 0.0f);
  EXPECT_EQ(SignRowsWithin(block(), query_, 1024 * 255 - 1), 0u);
  EXPECT_EQ(SignRowsWithin(block(), query_, 1024 * 255), 0xFFFFFFFFu);
}

TEST_P(SignScanOnTarget, WhatIsNotANumberIsKept) {
  Fill(16, 255);
  std::fill(base_, base_ + kSignBlockRows, kInfinity);
  base_[3] = -kInfinity;
  base_[17] = std::nanf("");
  EXPECT_EQ(SignRowsWithin(block(), query_, std::numeric_limits<float>::max()), uint32_t{1} << 3 | uint32_t{1} << 17);
  EXPECT_EQ(SignRowsWithin(block(), query_, kInfinity), 0xFFFFFFFFu);
  query_.base = -kInfinity;
  EXPECT_EQ(SignRowsWithin(block(), query_, -1e30f), 0xFFFFFFFFu);  // infinity less infinity
}

INSTANTIATE_TEST_SUITE_P(All, SignScanOnTarget, ::testing::ValuesIn(SupportedTargetNames()),
                         [](const auto& target) { return target.param; });

}  // namespace
}  // namespace varve
