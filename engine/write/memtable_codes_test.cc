#include "engine/write/memtable_codes.h"

#include <atomic>
#include <bit>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "engine/write/memtable.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

constexpr uint32_t kDimension = 64;

Schema TwoFields() {
  Schema schema = Schema::SingleVector(kDimension, Metric::kL2);
  FieldSpec second = schema.fields[0];
  second.id = 2;
  second.name = "second";
  second.metric = Metric::kCosine;
  schema.fields.push_back(second);
  return schema;
}

std::string RandomBytes(Random* random) {
  std::vector<float> values(kDimension);
  for (float& value : values) value = static_cast<float>(random->Uniform());
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

void Insert(Memtable* memtable, Random* random, uint32_t number, bool with_second) {
  const std::string first = RandomBytes(random), second = RandomBytes(random);
  const std::string key = std::to_string(number);
  NewRow row;
  row.key = key;
  row.vectors = {first, with_second ? std::string_view(second) : std::string_view()};
  memtable->Insert(row, number + 1);
}

TEST(MemtableCodes, CoverLongFloatVectorsAlone) {
  Schema schema = Schema::SingleVector(kDimension, Metric::kL2);
  EXPECT_TRUE(MemtableCodes::Covers(schema.fields[0]));
  schema.fields[0].metric = Metric::kL1;
  EXPECT_FALSE(MemtableCodes::Covers(schema.fields[0]));
  schema.fields[0].metric = Metric::kInnerProduct;
  schema.fields[0].dimension = kDimension - 1;
  EXPECT_FALSE(MemtableCodes::Covers(schema.fields[0]));
  EXPECT_EQ(MemtableCodes::RowBytes(schema), 0u);
  schema.fields[0].dimension = 128;
  EXPECT_EQ(MemtableCodes::RowBytes(schema), 28u);
  schema.fields[0].element = ElementType::kF16;
  EXPECT_FALSE(MemtableCodes::Covers(schema.fields[0]));
}

TEST(MemtableCodes, AreKeptOfWholeBlocksOnceThereAreEnoughRows) {
  const Schema schema = TwoFields();
  Random random(4);
  Memtable plain(schema, {.bytes = 16 << 20}, 7);
  EXPECT_EQ(plain.codes(), nullptr);

  Memtable memtable(schema, {.bytes = 16 << 20, .coded = true}, 7);
  ASSERT_NE(memtable.codes(), nullptr);
  const MemtableCodes& codes = *memtable.codes();
  const size_t empty_bytes = memtable.allocated_bytes();
  for (uint32_t number = 0; number < 3000; ++number) {
    Insert(&memtable, &random, number, /*with_second=*/number % 3 == 0);
    const uint32_t rows = number + 1;
    ASSERT_LE(codes.rows(), rows < MemtableCodes::kFirstRows ? 0 : rows / kSignBlockRows * kSignBlockRows);
    ASSERT_GE(codes.rows() + MemtableCodes::kFirstRows, rows / kSignBlockRows * kSignBlockRows);
  }
  ASSERT_EQ(codes.rows(), 3000 / kSignBlockRows * kSignBlockRows) << "caught up";
  EXPECT_GE(memtable.allocated_bytes() - empty_bytes, codes.bytes());
  EXPECT_GE(codes.bytes(), 3000 / kSignBlockRows * 2 * RabitqCoder::BlockBytes(kDimension));

  // Each field's codes are of its own vectors: a row is within the distance of a query to it, with few exceptions.
  uint32_t missed = 0, second_rows = 0;
  const std::string bytes = RandomBytes(&random);
  const auto* query = reinterpret_cast<const float*>(bytes.data());
  for (size_t field = 0; field < 2; ++field) {
    const RabitqQuery coded(*codes.coder(field), query, 1.0f);
    for (uint32_t block = 0; block < codes.rows() / kSignBlockRows; ++block) {
      const uint32_t within = coded.RowsWithin(codes.block(block, field), std::numeric_limits<float>::max());
      for (uint32_t i = 0; i < kSignBlockRows; ++i) {
        const bool has_field = field == 0 || (block * kSignBlockRows + i) % 3 == 0;
        second_rows += field == 1 && has_field;
        missed += ((within >> i & 1) != 0) != has_field;
      }
    }
  }
  EXPECT_EQ(missed, 0u);
  EXPECT_GT(second_rows, 900u);
}

TEST(MemtableCodes, MayBeReadWhileRowsAreAdded) {
  const Schema schema = Schema::SingleVector(kDimension, Metric::kL2);
  Memtable memtable(schema, {.bytes = 64 << 20, .coded = true}, 7);
  std::atomic<bool> done{false};
  uint64_t seen = 0;
  std::thread reader([&] {
    Random random(5);
    const std::string bytes = RandomBytes(&random);
    while (!done) {
      const uint32_t coded = memtable.codes()->rows();
      if (coded == 0) continue;
      const RabitqQuery query(*memtable.codes()->coder(0), reinterpret_cast<const float*>(bytes.data()), 1);
      uint64_t within = 0;
      for (uint32_t block = 0; block < coded / kSignBlockRows; ++block) {
        within += static_cast<uint64_t>(
            std::popcount(query.RowsWithin(memtable.codes()->block(block, 0), std::numeric_limits<float>::max())));
      }
      EXPECT_EQ(within, coded);
      ++seen;
    }
  });
  Random random(6);
  for (uint32_t number = 0; number < 6000; ++number) Insert(&memtable, &random, number, false);
  while (memtable.codes()->rows() == 0) std::this_thread::yield();
  done = true;
  reader.join();
  (void)seen;  // may be none on a busy machine
}

TEST(Memtable, EstimatesTheRowsOfANamespace) {
  const Schema schema = Schema::SingleVector(4, Metric::kL2);
  Memtable memtable(schema, {.bytes = 64 << 20}, 7);
  const std::string vector(16, '\0');
  const auto insert = [&](const std::string& ns, uint32_t rows) {
    for (uint32_t i = 0; i < rows; ++i) {
      const std::string key = std::to_string(i);
      NewRow row;
      row.ns = ns;
      row.key = key;
      row.vectors = {vector};
      memtable.Insert(row, memtable.rows() + 1);
    }
  };
  insert("b", 30'000);
  insert("a", 100);
  insert("c", 10'000);
  EXPECT_NEAR(memtable.EstimateRows("b"), 30'000, 10'000);
  EXPECT_NEAR(memtable.EstimateRows("c"), 10'000, 5'000);
  EXPECT_LT(memtable.EstimateRows("a"), 1'000u);
  EXPECT_EQ(memtable.EstimateRows("nothing"), 0u);
  EXPECT_EQ(memtable.EstimateRows("z"), 0u);
}

}  // namespace
}  // namespace varve
