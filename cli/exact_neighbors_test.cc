#include "cli/exact_neighbors.h"

#include <algorithm>
#include <random>
#include <string>

#include "base/bytes.h"
#include "base/memory_file_system.h"
#include "cli/exact_distance.h"
#include "tests/support/status_matchers.h"

namespace varve::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::varve::testing::StatusIs;

class ExactNeighborsTest : public ::testing::Test {
 protected:
  template <typename T>
  std::unique_ptr<MatrixFile> Matrix(const std::string& name, uint32_t dimension, const std::vector<T>& values) {
    ByteWriter writer;
    writer.Fixed(static_cast<uint32_t>(values.size() / dimension));
    writer.Fixed(dimension);
    for (const T value : values) writer.Fixed(value);
    EXPECT_OK((*fs_->CreateFile(name))->Append(writer.str()).status);
    return *MatrixFile::Open(name, *MatrixFormatOf(name), fs_.get());
  }

  template <typename T>
  std::vector<T> Random(size_t count, int low, int high) {
    std::uniform_int_distribution<int> distribution(low, high);
    std::vector<T> values(count);
    for (T& value : values) value = static_cast<T>(distribution(generator_));
    return values;
  }

  const std::unique_ptr<FileSystem> fs_ = NewMemoryFileSystem();
  std::mt19937 generator_{7};
};

// The k nearest rows by the definition.
template <typename T>
std::vector<uint32_t> Nearest(const std::vector<T>& base, const std::vector<T>& query, Metric metric, size_t k) {
  const std::vector<float> q(query.begin(), query.end());
  std::vector<std::pair<double, uint32_t>> order;
  for (size_t row = 0; row * query.size() < base.size(); ++row) {
    const auto first = base.begin() + static_cast<std::ptrdiff_t>(row * query.size());
    const std::vector<float> vector(first, first + static_cast<std::ptrdiff_t>(query.size()));
    order.emplace_back(ExactDistance(metric, q, vector), static_cast<uint32_t>(row));
  }
  std::sort(order.begin(), order.end());
  std::vector<uint32_t> rows;
  for (size_t i = 0; i < std::min(k, order.size()); ++i) rows.push_back(order[i].second);
  return rows;
}

TEST_F(ExactNeighborsTest, AreThoseOfTheDefinition) {
  constexpr uint32_t kDimension = 13;
  const std::vector<float> base = Random<float>(700 * kDimension, -50, 50);
  const std::vector<float> queries = Random<float>(40 * kDimension, -50, 50);
  const auto base_file = Matrix("base.fbin", kDimension, base);
  const auto query_file = Matrix("query.fbin", kDimension, queries);
  for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine, Metric::kL1}) {
    ASSERT_OK_AND_ASSIGN(const auto neighbors, FindExactNeighbors(*base_file, *query_file, metric, 10, 2));

    ASSERT_EQ(neighbors.size(), 40);
    for (size_t i = 0; i < neighbors.size(); ++i) {
      const auto first = queries.begin() + static_cast<std::ptrdiff_t>(i * kDimension);
      EXPECT_EQ(neighbors[i], Nearest(base, std::vector<float>(first, first + kDimension), metric, 10))
          << "query " << i << ", metric " << static_cast<int>(metric);
    }
  }
}

TEST_F(ExactNeighborsTest, OrdersEqualDistancesByRow) {
  const auto base = Matrix<uint8_t>("base.u8bin", 1, {9, 3, 1, 3, 1, 2});
  const auto query = Matrix<uint8_t>("query.u8bin", 1, {2});

  ASSERT_OK_AND_ASSIGN(const auto neighbors, FindExactNeighbors(*base, *query, Metric::kL2, 4, 1));

  EXPECT_THAT(neighbors, ElementsAre(ElementsAre(5, 1, 2, 3)));
}

TEST_F(ExactNeighborsTest, AreAsManyAsThereAreRows) {
  const auto base = Matrix<int8_t>("base.i8bin", 2, {-1, 1, 5, 5});
  const auto query = Matrix<int8_t>("query.i8bin", 2, {0, 0});
  const auto nothing = Matrix<int8_t>("nothing.i8bin", 2, {});

  ASSERT_OK_AND_ASSIGN(const auto all, FindExactNeighbors(*base, *query, Metric::kL2, 100, 1));
  ASSERT_OK_AND_ASSIGN(const auto none, FindExactNeighbors(*nothing, *query, Metric::kL2, 100, 1));
  ASSERT_OK_AND_ASSIGN(const auto no_queries, FindExactNeighbors(*base, *nothing, Metric::kL2, 100, 1));

  EXPECT_THAT(all, ElementsAre(ElementsAre(0, 1)));
  EXPECT_THAT(none, ElementsAre(ElementsAre()));
  EXPECT_THAT(no_queries, ElementsAre());
}

TEST_F(ExactNeighborsTest, CountDifferingBitsOfBytes) {
  const auto base = Matrix<uint8_t>("base.u8bin", 1, {0x00, 0xFF, 0x01, 0x03});
  const auto query = Matrix<uint8_t>("query.u8bin", 1, {0x01});

  ASSERT_OK_AND_ASSIGN(const auto neighbors, FindExactNeighbors(*base, *query, Metric::kHamming, 4, 1));

  EXPECT_THAT(neighbors, ElementsAre(ElementsAre(2, 0, 3, 1)));
}

TEST_F(ExactNeighborsTest, CompareFilesOfDifferentTypes) {
  const auto base = Matrix<uint8_t>("base.u8bin", 1, {10, 20, 30});
  const auto query = Matrix<float>("query.fbin", 1, {24.5});

  ASSERT_OK_AND_ASSIGN(const auto neighbors, FindExactNeighbors(*base, *query, Metric::kL2, 2, 1));

  EXPECT_THAT(neighbors, ElementsAre(ElementsAre(1, 2)));
  EXPECT_THAT(FindExactNeighbors(*base, *query, Metric::kHamming, 2, 1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("files of u8")));
}

TEST_F(ExactNeighborsTest, NeedEqualDimensions) {
  const auto base = Matrix<uint8_t>("base.u8bin", 1, {10, 20});
  const auto query = Matrix<uint8_t>("query.u8bin", 2, {10, 20});

  EXPECT_THAT(FindExactNeighbors(*base, *query, Metric::kL2, 2, 1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("query.u8bin: its rows have dimension 2")));
}

}  // namespace
}  // namespace varve::cli
