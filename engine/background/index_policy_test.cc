#include "engine/background/index_policy.h"

#include "gtest/gtest.h"

namespace varve {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

IndexChoice Choose(uint32_t dimension, uint64_t vectors, size_t memory_bytes, int threads) {
  const Schema schema = Schema::SingleVector(dimension, Metric::kL2);
  return *ChooseIndex(schema.fields[0], {.vectors = vectors, .memory_bytes = memory_bytes, .threads = threads});
}

IndexType TypeOf(const IndexChoice& choice) { return choice.factory->traits().type; }

TEST(IndexPolicy, BuildsGraphsFromWhereAScanCostsMore) {
  EXPECT_EQ(TypeOf(Choose(128, 4095, SIZE_MAX, 1)), IndexType::kFlat);
  EXPECT_EQ(TypeOf(Choose(128, 4096, SIZE_MAX, 1)), IndexType::kHnsw);
  EXPECT_EQ(TypeOf(Choose(784, 1023, SIZE_MAX, 1)), IndexType::kFlat);
  EXPECT_EQ(TypeOf(Choose(784, 1024, SIZE_MAX, 1)), IndexType::kHnsw);
  EXPECT_EQ(TypeOf(Choose(4, 4096, SIZE_MAX, 1)), IndexType::kHnsw);
}

TEST(IndexPolicy, TakesFewerThreadsWhereMemoryIsShort) {
  const IndexChoice all = Choose(128, 50'000, SIZE_MAX, 16);
  EXPECT_EQ(all.threads, 16);
  const IndexChoice few = Choose(128, 50'000, all.build_bytes / 2, 16);
  EXPECT_EQ(TypeOf(few), IndexType::kHnsw);
  EXPECT_LT(few.threads, 16);
  EXPECT_LE(few.build_bytes, all.build_bytes / 2);
  EXPECT_EQ(TypeOf(Choose(128, 50'000, kMiB, 16)), IndexType::kFlat);
}

TEST(IndexPolicy, MergesGoOnWithLittleMemory) {
  for (const uint32_t dimension : {8u, 128u, 768u, 1536u, 4096u}) {
    uint64_t last = 0;
    for (const size_t memory : {kMiB, 4 * kMiB, 8 * kMiB, 64 * kMiB, 512 * kMiB}) {
      const uint64_t rows = MaxRowsFor(Schema::SingleVector(dimension, Metric::kL2), memory);
      EXPECT_GE(rows, 1024) << dimension << ", " << memory;
      if (rows >= 65'536) {
        EXPECT_GE(rows, last);
      }
      last = rows;
    }
    EXPECT_GT(last, 500'000);
  }
}

}  // namespace
}  // namespace varve
