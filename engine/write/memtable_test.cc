#include "engine/write/memtable.h"

#include <atomic>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

std::string VectorBytesOf(float value, uint32_t dimension) {
  const std::vector<float> values(dimension, value);
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

class MemtableTest : public ::testing::Test {
 protected:
  Memtable::Row* Insert(const std::string& ns, const std::string& key, Sequence born, float value = 1) {
    const std::string vector = VectorBytesOf(value, 4);
    NewRow row;
    row.ns = ns;
    row.key = key;
    row.vectors = {vector};
    row.metadata = R"({"a":1})";
    return memtable_.Insert(row, born);
  }

  Schema schema_ = Schema::SingleVector(4, Metric::kCosine);
  Memtable memtable_{schema_, {.bytes = 1 << 20}, 7};
};

TEST_F(MemtableTest, FindsTheRowThatAReaderSees) {
  Memtable::Row* old_row = Insert("n", "k", 1);
  Memtable::Row* new_row = Insert("n", "k", 5);
  memtable_.Kill(old_row, 5);

  EXPECT_EQ(memtable_.FindVisible("n", "k", 0), nullptr);
  EXPECT_EQ(memtable_.FindVisible("n", "k", 4), old_row);
  EXPECT_EQ(memtable_.FindVisible("n", "k", 5), new_row);
  EXPECT_EQ(memtable_.FindNewest("n", "k"), new_row);
  memtable_.Kill(new_row, 9);
  EXPECT_EQ(memtable_.FindVisible("n", "k", 8), new_row);
  EXPECT_EQ(memtable_.FindVisible("n", "k", 9), nullptr);
  EXPECT_EQ(memtable_.FindVisible("n", "other", 9), nullptr);
  EXPECT_EQ(memtable_.FindVisible("m", "k", 9), nullptr);
}

TEST_F(MemtableTest, WalksKeysInUnsignedByteOrder) {
  const std::string high(1, '\xFF');
  const std::string nul(1, '\0');
  Insert("b", "a", 1);
  Insert("a", high, 2);
  Insert("a", nul, 3);
  Insert("a", "a", 4);
  Insert("", "z", 5);

  std::vector<std::pair<std::string, std::string>> seen;
  for (const Memtable::Row* row = memtable_.LowerBound("", ""); row != nullptr; row = Memtable::Next(row)) {
    seen.emplace_back(row->ns, row->key);
  }
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"", "z"}, {"a", nul}, {"a", "a"}, {"a", high}, {"b", "a"}};
  EXPECT_EQ(seen, expected);
}

TEST_F(MemtableTest, KeepsVectorsAndTheirInverseNorms) {
  const Memtable::Row* row = Insert("", "k", 1, 3);
  float stored[4];
  std::memcpy(stored, memtable_.vector(row->number, 0), sizeof(stored));
  EXPECT_EQ(stored[0], 3);
  EXPECT_EQ(stored[3], 3);
  EXPECT_FLOAT_EQ(memtable_.inverse_norm(row->number, 0), 1.0f / 6.0f);
  EXPECT_EQ(row->present, 1u);
  EXPECT_EQ(row->metadata, R"({"a":1})");
}

TEST_F(MemtableTest, AgreesWithAMapOverManyRandomKeys) {
  Random random(11);
  std::map<std::string, Sequence> model;
  for (Sequence sequence = 1; sequence <= 3000; ++sequence) {
    const std::string key = "k" + std::to_string(random.Below(500));
    if (Memtable::Row* old_row = memtable_.FindNewest("", key); old_row != nullptr && old_row->killer == 0) {
      memtable_.Kill(old_row, sequence);
    }
    if (random.Below(4) == 0) {
      model.erase(key);
    } else {
      Insert("", key, sequence);
      model[key] = sequence;
    }
  }
  for (int i = 0; i < 500; ++i) {
    const std::string key = "k" + std::to_string(i);
    const Memtable::Row* row = memtable_.FindVisible("", key, kMaxSequence);
    const auto expected = model.find(key);
    ASSERT_EQ(row != nullptr, expected != model.end()) << key;
    if (row != nullptr) {
      EXPECT_EQ(row->born, expected->second);
    }
  }
}

TEST_F(MemtableTest, TellsWhenItIsFull) {
  EXPECT_TRUE(memtable_.Fits(1 << 21, 1)) << "an empty memtable takes any row";
  Sequence sequence = 0;
  while (memtable_.Fits(200, 1)) {
    ++sequence;
    Insert("", "key" + std::to_string(sequence), sequence);
  }
  EXPECT_GT(sequence, 100u);
  EXPECT_GE(memtable_.bytes() + 200, size_t{1} << 20);
}

TEST_F(MemtableTest, ReadersNeverSeeHalfARow) {
  std::atomic<Sequence> visible{0};
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  std::atomic<int> wrong{0};
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      while (!done.load()) {
        const Sequence at = visible.load();
        if (at == 0) continue;
        // Key "k" is replaced by each write: exactly one row is visible at each sequence.
        const Memtable::Row* row = memtable_.FindVisible("", "k", at);
        if (row == nullptr || row->born != at || row->metadata != R"({"a":1})") ++wrong;
      }
    });
  }
  Memtable::Row* last = nullptr;
  for (Sequence sequence = 1; sequence <= 2000; ++sequence) {
    Memtable::Row* row = Insert("", "k", sequence);
    if (last != nullptr) memtable_.Kill(last, sequence);
    last = row;
    visible.store(sequence);
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

// Rows that come in front of the one that is looked for, just where the search has ended.
TEST_F(MemtableTest, ReadersFindAKeyWhileOthersComeBeforeIt) {
  const std::string vector = VectorBytesOf(1, 4);
  NewRow row;
  row.vectors = {vector};
  std::atomic<int> missed{0};
  for (int round = 0; round < 30; ++round) {
    Memtable memtable(schema_, {.bytes = 4 << 20}, 7);
    row.key = "k";
    memtable.Insert(row, 1);
    std::atomic<bool> done{false};
    std::vector<std::thread> readers;
    for (int r = 0; r < 2; ++r) {
      readers.emplace_back([&] {
        while (!done.load()) missed += memtable.FindVisible("", "k", 1) == nullptr;
      });
    }
    for (int i = 1000; i < 4000; ++i) {
      const std::string key = "a" + std::to_string(i);
      row.key = key;
      memtable.Insert(row, static_cast<Sequence>(i));
    }
    done = true;
    for (std::thread& reader : readers) reader.join();
  }
  EXPECT_EQ(missed, 0);
}

}  // namespace
}  // namespace varve
