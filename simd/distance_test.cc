#include "simd/distance.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "simd/target.h"

namespace varve {
namespace {

constexpr Metric kMetrics[] = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine, Metric::kL1, Metric::kHamming};
constexpr ElementType kElements[] = {ElementType::kF32, ElementType::kF16, ElementType::kBF16,
                                     ElementType::kI8,  ElementType::kU8,  ElementType::kBits};

// Bytes that end where unreadable memory begins, so that a read beyond them is a crash; their start is unaligned for
// most sizes.
class GuardedBytes {
 public:
  explicit GuardedBytes(size_t size) : page_(static_cast<size_t>(sysconf(_SC_PAGESIZE))) {
    mapped_ = (size + page_ - 1) / page_ * page_ + page_;
    void* memory = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    VARVE_CHECK(memory != MAP_FAILED);
    base_ = static_cast<uint8_t*>(memory);
    VARVE_CHECK(mprotect(base_ + mapped_ - page_, page_, PROT_NONE) == 0);
    data_ = base_ + mapped_ - page_ - size;
  }
  ~GuardedBytes() { munmap(base_, mapped_); }
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;

  uint8_t* data() { return data_; }

 private:
  size_t page_;
  size_t mapped_ = 0;
  uint8_t* base_ = nullptr;
  uint8_t* data_ = nullptr;
};

void FillRandom(Random* random, ElementType element, size_t dim, uint8_t* out) {
  for (size_t i = 0; i < VectorBytes(element, static_cast<uint32_t>(dim)); ++i) {
    out[i] = static_cast<uint8_t>(random->Next());
  }
  for (size_t i = 0; i < dim; ++i) {
    const float value = static_cast<float>(random->Uniform() * 4 - 2);
    const uint16_t half = element == ElementType::kF16 ? F16FromF32(value) : Bf16FromF32(value);
    if (element == ElementType::kF32) std::memcpy(out + 4 * i, &value, 4);
    if (element == ElementType::kF16 || element == ElementType::kBF16) std::memcpy(out + 2 * i, &half, 2);
  }
}

double Component(const uint8_t* vector, ElementType element, size_t i) {
  float f32;
  uint16_t half;
  switch (element) {
    case ElementType::kF32:
      std::memcpy(&f32, vector + 4 * i, 4);
      return f32;
    case ElementType::kF16:
      std::memcpy(&half, vector + 2 * i, 2);
      return F32FromF16(half);
    case ElementType::kBF16:
      std::memcpy(&half, vector + 2 * i, 2);
      return F32FromBf16(half);
    case ElementType::kI8:
      return static_cast<int8_t>(vector[i]);
    case ElementType::kU8:
      return vector[i];
    case ElementType::kBits:
      return (vector[i / 8] >> (i % 8)) & 1;
  }
  return 0;
}

struct Reference {
  double distance = 0;
  double magnitude = 0;  // sum of the terms' absolute values: what rounding errors are relative to
};

Reference ScalarDistance(Metric metric, ElementType element, const uint8_t* a, const uint8_t* b, size_t dim) {
  Reference reference;
  for (size_t i = 0; i < dim; ++i) {
    const double x = Component(a, element, i);
    const double y = Component(b, element, i);
    double term = 0;
    if (metric == Metric::kL2) term = (x - y) * (x - y);
    if (metric == Metric::kInnerProduct || metric == Metric::kCosine) term = -x * y;
    if (metric == Metric::kL1) term = std::abs(x - y);
    if (metric == Metric::kHamming) term = x != y;
    reference.distance += term;
    reference.magnitude += std::abs(term);
  }
  return reference;
}

bool IsExact(ElementType element) {
  return element == ElementType::kI8 || element == ElementType::kU8 || element == ElementType::kBits;
}

std::vector<size_t> Dimensions() {
  std::vector<size_t> dims = {100, 127, 128, 200, 784, 960, 1536};
  for (size_t dim = 1; dim <= 67; ++dim) dims.push_back(dim);
  return dims;
}

class DistanceOnTarget : public ::testing::TestWithParam<std::string> {
 protected:
  // Calls check(metric, element, dim) for every combination that is built.
  template <typename Check>
  void ForEachCombination(Check check) {
    for (const Metric metric : kMetrics) {
      for (const ElementType element : kElements) {
        if (GetDistanceFunction(metric, element) == nullptr) continue;
        for (const size_t dim : Dimensions()) {
          SCOPED_TRACE(testing::Message() << "metric " << int{static_cast<uint8_t>(metric)} << ", element "
                                          << int{static_cast<uint8_t>(element)} << ", dim " << dim);
          check(metric, element, dim);
        }
      }
    }
  }

  ScopedTargetForTesting target_{GetParam()};
  Random random_{7};
};

TEST_P(DistanceOnTarget, IsTheActiveOne) { EXPECT_EQ(ActiveTargetName(), GetParam()); }

TEST_P(DistanceOnTarget, PairsAgreeWithAScalarLoopAndReadOnlyTheirVectors) {
  ForEachCombination([this](Metric metric, ElementType element, size_t dim) {
    const size_t bytes = VectorBytes(element, static_cast<uint32_t>(dim));
    GuardedBytes a(bytes), b(bytes);
    FillRandom(&random_, element, dim, a.data());
    FillRandom(&random_, element, dim, b.data());

    const float distance = GetDistanceFunction(metric, element)(a.data(), b.data(), dim);

    const Reference reference = ScalarDistance(metric, element, a.data(), b.data(), dim);
    if (IsExact(element)) {
      ASSERT_EQ(distance, static_cast<float>(reference.distance));
    } else {
      ASSERT_NEAR(distance, reference.distance, 1e-6 * reference.magnitude);
    }
  });
}

TEST_P(DistanceOnTarget, BatchesGiveTheBitsOfPairs) {
  ForEachCombination([this](Metric metric, ElementType element, size_t dim) {
    const size_t bytes = VectorBytes(element, static_cast<uint32_t>(dim));
    constexpr size_t kMaxCount = 11;
    GuardedBytes query(bytes), rows(kMaxCount * bytes);
    FillRandom(&random_, element, dim, query.data());
    for (size_t v = 0; v < kMaxCount; ++v) FillRandom(&random_, element, dim, rows.data() + v * bytes);

    for (const size_t count : {size_t{0}, size_t{1}, size_t{2}, size_t{3}, size_t{4}, size_t{5}, kMaxCount}) {
      std::vector<const void*> addresses;
      for (size_t v = 0; v < count; ++v) addresses.push_back(rows.data() + (kMaxCount - 1 - v) * bytes);
      std::vector<float> distances(count);
      GetBatchDistanceFunction(metric, element)(query.data(), addresses.data(), count, dim, distances.data());
      for (size_t v = 0; v < count; ++v) {
        ASSERT_EQ(distances[v], GetDistanceFunction(metric, element)(query.data(), addresses[v], dim));
      }
    }
  });
}

TEST_P(DistanceOnTarget, MatricesGiveTheBitsOfPairs) {
  ForEachCombination([this](Metric metric, ElementType element, size_t dim) {
    const size_t bytes = VectorBytes(element, static_cast<uint32_t>(dim));
    for (const auto& [query_count, count] : {std::pair<size_t, size_t>{1, 1}, {2, 3}, {5, 4}, {3, 1}, {4, 6}}) {
      GuardedBytes queries(query_count * bytes), rows(count * bytes);
      for (size_t q = 0; q < query_count; ++q) FillRandom(&random_, element, dim, queries.data() + q * bytes);
      for (size_t v = 0; v < count; ++v) FillRandom(&random_, element, dim, rows.data() + v * bytes);
      std::vector<float> distances(query_count * count);
      GetMatrixDistanceFunction(metric, element)(queries.data(), query_count, rows.data(), count, dim,
                                                 distances.data());
      for (size_t q = 0; q < query_count; ++q) {
        for (size_t v = 0; v < count; ++v) {
          ASSERT_EQ(distances[q * count + v],
                    GetDistanceFunction(metric, element)(queries.data() + q * bytes, rows.data() + v * bytes, dim));
        }
      }
    }
  });
}

TEST_P(DistanceOnTarget, IntegerSumsOfTheLongestVectorsDoNotOverflow) {
  constexpr size_t kDim = kMaxDimension;
  const std::vector<uint8_t> zeros(kDim, 0), ones(kDim, 255), low(kDim, 0x80);
  const auto distance = [&](Metric metric, ElementType element, const std::vector<uint8_t>& a,
                            const std::vector<uint8_t>& b) {
    return GetDistanceFunction(metric, element)(a.data(), b.data(), kDim);
  };

  EXPECT_EQ(distance(Metric::kL2, ElementType::kU8, zeros, ones), static_cast<float>(255.0 * 255 * kDim));
  EXPECT_EQ(distance(Metric::kInnerProduct, ElementType::kU8, ones, ones), static_cast<float>(-255.0 * 255 * kDim));
  EXPECT_EQ(distance(Metric::kInnerProduct, ElementType::kI8, low, low), static_cast<float>(-128.0 * 128 * kDim));
  EXPECT_EQ(distance(Metric::kL1, ElementType::kU8, zeros, ones), static_cast<float>(255.0 * kDim));
}

TEST_P(DistanceOnTarget, BitsBeyondTheDimensionDoNotCount) {
  const uint8_t a[] = {0x0F, 0xFC};
  const uint8_t b[] = {0x0E, 0x01};
  EXPECT_EQ(GetDistanceFunction(Metric::kHamming, ElementType::kBits)(a, b, 10), 2);
}

TEST_P(DistanceOnTarget, NormsAgreeWithAScalarLoop) {
  for (const ElementType element : kElements) {
    for (const size_t dim : Dimensions()) {
      GuardedBytes vector(VectorBytes(element, static_cast<uint32_t>(dim)));
      FillRandom(&random_, element, dim, vector.data());
      double sum = 0;
      for (size_t i = 0; i < dim; ++i) sum += std::pow(Component(vector.data(), element, i), 2);
      ASSERT_FLOAT_EQ(VectorNorm(vector.data(), element, dim), static_cast<float>(std::sqrt(sum)));
    }
  }
}

TEST_P(DistanceOnTarget, NormsOfTinyAndHugeFloatsAreNeitherLostNorInfinite) {
  const std::vector<float> tiny(100, 1e-30f), huge(100, 1e30f);
  EXPECT_FLOAT_EQ(VectorNorm(tiny.data(), ElementType::kF32, tiny.size()), 1e-29f);
  EXPECT_FLOAT_EQ(VectorNorm(huge.data(), ElementType::kF32, huge.size()), 1e31f);
}

TEST_P(DistanceOnTarget, NonFiniteInputDoesNotTrap) {
  const std::vector<float> bad = {std::nanf(""), INFINITY, -INFINITY, 0, 1, 2, 3};
  EXPECT_TRUE(std::isnan(GetDistanceFunction(Metric::kL2, ElementType::kF32)(bad.data(), bad.data(), bad.size())));
}

INSTANTIATE_TEST_SUITE_P(Every, DistanceOnTarget, ::testing::ValuesIn(SupportedTargetNames()),
                         [](const auto& parameter) {
                           std::string name = parameter.param;
                           std::erase(name, '_');
                           return name;
                         });

TEST(Distance, HammingGoesWithBitsAlone) {
  for (const Metric metric : kMetrics) {
    for (const ElementType element : kElements) {
      const bool built = (metric == Metric::kHamming) == (element == ElementType::kBits);
      EXPECT_EQ(GetDistanceFunction(metric, element) != nullptr, built);
      EXPECT_EQ(GetBatchDistanceFunction(metric, element) != nullptr, built);
      EXPECT_EQ(GetMatrixDistanceFunction(metric, element) != nullptr, built);
    }
  }
}

TEST(Target, TheActiveOneIsTheBestAndIsCompiledIn) {
  EXPECT_EQ(SupportedTargetNames().front(), ActiveTargetName());
  EXPECT_NE(std::string(CompiledTargetNames()).find(ActiveTargetName()), std::string::npos);
}

}  // namespace
}  // namespace varve
