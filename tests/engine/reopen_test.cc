// Results after reopening are those before, bit for bit; and opening costs time by the log, not by the data.
#include <bit>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/support/collection_fixture.h"

namespace varve::testing {
namespace {

class ReopenTest : public CollectionTest {
 protected:
  static constexpr uint32_t kWide = 33;

  void Fill(int rows, uint64_t seed) {
    Random random(seed);
    WriteBatch batch;
    for (int i = 0; i < rows; ++i) {
      std::vector<float> vector(kWide);
      for (float& component : vector) component = static_cast<float>(random.Uniform() - 0.5);
      batch.Put(MakeRecord("k" + std::to_string(seed) + "/" + std::to_string(i), vector));
      if (batch.size() == 500 || i + 1 == rows) {
        ASSERT_OK(collection_->Write(batch));
        batch.Clear();
      }
    }
  }

  std::vector<Hit> SearchMany() {
    Random random(99);
    std::vector<Hit> all;
    for (int q = 0; q < 30; ++q) {
      std::vector<float> query(kWide);
      for (float& component : query) component = static_cast<float>(random.Uniform() - 0.5);
      absl::StatusOr<SearchResult> result = Search(query, 10);
      EXPECT_OK(result);
      all.insert(all.end(), result->hits.begin(), result->hits.end());
    }
    return all;
  }

  static void ExpectSame(const std::vector<Hit>& before, const std::vector<Hit>& after) {
    ASSERT_EQ(before.size(), after.size());
    for (size_t i = 0; i < before.size(); ++i) {
      EXPECT_EQ(before[i].key, after[i].key);
      EXPECT_EQ(std::bit_cast<uint32_t>(before[i].distance), std::bit_cast<uint32_t>(after[i].distance));
    }
  }
};

TEST_F(ReopenTest, GraphAndMemtableAnswerTheSameBits) {
  for (const Metric metric : {Metric::kL2, Metric::kCosine, Metric::kInnerProduct}) {
    std::filesystem::remove_all(path());
    Create(Schema::SingleVector(kWide, metric));
    Fill(5000, 1);
    ASSERT_OK(collection_->Flush());
    ASSERT_EQ(collection_->Stats().segments.at(0).fields.at(0).index, IndexType::kHnsw);
    Fill(300, 2);
    const std::vector<Hit> before = SearchMany();
    Reopen();
    ExpectSame(before, SearchMany());
    const std::string copy = CopyAsIfKilled("killed");
    collection_.reset();
    ASSERT_OK_AND_ASSIGN(collection_, Collection::Open(copy, options_));
    ExpectSame(before, SearchMany());
    collection_.reset();
    std::filesystem::remove_all(copy);
  }
}

TEST_F(ReopenTest, OpeningAfterAFlushReplaysNothing) {
  Create(Schema::SingleVector(kWide, Metric::kL2));
  Fill(5000, 1);
  ASSERT_OK(collection_->Checkpoint());
  Reopen();
  EXPECT_EQ(collection_->Stats().recovery.records, 0u);
  EXPECT_EQ(*collection_->Count(), 5000u);
}

TEST_F(ReopenTest, OpenAndCloseWithoutAWriteChangeNothing) {
  Create();
  ASSERT_OK(collection_->Put(MakeRecord("k", {1, 1, 1, 1})));
  Reopen();
  collection_.reset();
  std::map<std::string, std::filesystem::file_time_type> before;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path())) {
    if (entry.path().filename() != "LOCK") before[entry.path()] = entry.last_write_time();
  }
  Reopen();
  collection_.reset();
  std::map<std::string, std::filesystem::file_time_type> after;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path())) {
    if (entry.path().filename() != "LOCK") after[entry.path()] = entry.last_write_time();
  }
  EXPECT_EQ(before, after);
}

TEST_F(ReopenTest, SequencesOfLostWritesAreNeverGivenAgain) {
  Create();
  ASSERT_OK(collection_->Put(MakeRecord("k", {1, 1, 1, 1})));
  const Sequence before = collection_->Get("", "k")->sequence;
  const std::string copy = CopyAsIfKilled("killed");
  collection_.reset();
  ASSERT_OK_AND_ASSIGN(collection_, Collection::Open(copy, options_));
  EXPECT_EQ(collection_->Get("", "k")->sequence, before);
  ASSERT_OK(collection_->Put(MakeRecord("l", {1, 1, 1, 1})));
  EXPECT_GE(collection_->Get("", "l")->sequence, before + (Sequence{1} << 32));
}

TEST_F(ReopenTest, RecoveringTwiceGivesTheSame) {
  Create();
  for (int i = 0; i < 50; ++i) {
    ASSERT_OK(collection_->Put(MakeRecord("k" + std::to_string(i), {1, 1, 1, 1})));
    if (i == 20) {
      ASSERT_OK(collection_->Flush());
    }
  }
  ASSERT_OK(collection_->Delete("", "k3"));
  const std::string copy = CopyAsIfKilled("killed");
  for (int round = 0; round < 3; ++round) {
    collection_.reset();
    ASSERT_OK_AND_ASSIGN(collection_, Collection::Open(copy, options_));
    EXPECT_EQ(*collection_->Count(), 49u);
    // Killed again, right after the recovery.
    std::filesystem::copy(copy, temp_ / "again", std::filesystem::copy_options::recursive);
    collection_.reset();
    std::filesystem::remove_all(copy);
    std::filesystem::rename(temp_ / "again", copy);
  }
}

}  // namespace
}  // namespace varve::testing
