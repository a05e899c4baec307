// Random operations, flushes, merges, reopenings and kills against a model: after each step the collection holds
// exactly what the model holds, and exact search agrees with a scan of the model.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/admin/verify.h"
#include "tests/support/collection_fixture.h"

namespace varve::testing {
namespace {

using Key = std::pair<std::string, std::string>;
struct Value {
  std::vector<float> vector;
  std::string metadata;
};
using Model = std::map<Key, Value>;

class RandomModel : public CollectionTest, public ::testing::WithParamInterface<uint64_t> {
 protected:
  void Apply(WriteBatch* batch, Model* model) {
    const Key key{random_.Below(3) == 0 ? "ns" : "", "k" + std::to_string(random_.Below(60))};
    const std::vector<float> vector = RandomVector(&random_, kDimension);
    const std::string metadata = random_.Below(2) == 0 ? "" : "{\"n\":" + std::to_string(random_.Below(100)) + "}";
    switch (random_.Below(5)) {
      case 0: {
        batch->Delete(key.first, key.second);
        model->erase(key);
        break;
      }
      case 1: {
        if (!model->contains(key)) return;
        RecordUpdate update;
        update.ns = key.first;
        update.key = key.second;
        update.metadata = metadata;
        batch->Update(update);
        (*model)[key].metadata = metadata;
        break;
      }
      default: {
        RecordInput record = MakeRecord(key.second, vector, metadata);
        record.ns = key.first;
        batch->Put(record);
        (*model)[key] = {vector, metadata};
      }
    }
  }

  void WriteSome() {
    Model next = model_;
    WriteBatch batch;
    for (uint64_t i = 0, n = 1 + random_.Below(6); i < n; ++i) Apply(&batch, &next);
    ASSERT_OK(collection_->Write(batch));
    model_ = std::move(next);
  }

  void CheckAll() {
    Model found;
    ASSERT_OK(collection_->Scan({}, [&](const Record& record) {
      found[{record.ns, record.key}] = {record.vectors.at(0).second, record.metadata};
      return true;
    }));
    ASSERT_EQ(found.size(), model_.size());
    for (const auto& [key, value] : model_) {
      ASSERT_TRUE(found.contains(key)) << key.second;
      ASSERT_EQ(found[key].vector, value.vector) << key.second;
      ASSERT_EQ(found[key].metadata, value.metadata) << key.second;
    }
    EXPECT_EQ(collection_->Stats().live_rows, model_.size());
    CheckSearch();
  }

  void CheckSearch() {
    const std::vector<float> query = RandomVector(&random_, kDimension);
    std::vector<std::pair<float, Key>> expected;
    for (const auto& [key, value] : model_) {
      float distance = 0;
      for (size_t i = 0; i < query.size(); ++i) {
        distance += (query[i] - value.vector[i]) * (query[i] - value.vector[i]);
      }
      expected.push_back({distance, key});
    }
    std::sort(expected.begin(), expected.end());
    expected.resize(std::min<size_t>(expected.size(), 7));
    ASSERT_OK_AND_ASSIGN(const SearchResult result, Search(query, 7, /*exact=*/true));
    ASSERT_EQ(result.hits.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(result.hits[i].distance, expected[i].first);
      EXPECT_EQ(Key(result.hits[i].ns, result.hits[i].key), expected[i].second);
    }
  }

  void CheckVerify(const std::string& directory) {
    ASSERT_OK_AND_ASSIGN(const VerifyReport report, VerifyPath(directory, {nullptr, /*deep=*/true}));
    for (const VerifyDamage& damage : report.damage) {
      ADD_FAILURE() << damage.file << " at " << damage.offset << " " << damage.section << ": " << damage.what;
    }
    EXPECT_TRUE(report.ok);
  }

  void KillAndReopen(int number) {
    const std::string copy = CopyAsIfKilled("killed" + std::to_string(number));
    collection_.reset();
    std::filesystem::remove_all(path());
    std::filesystem::rename(copy, path());
    Reopen();
    CheckVerify(path());
  }

  Random random_{GetParam()};
  Model model_;
};

INSTANTIATE_TEST_SUITE_P(Seeds, RandomModel, ::testing::Range<uint64_t>(1, 13));

TEST_P(RandomModel, HoldsExactlyWhatWasWritten) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  const SyncMode modes[] = {SyncMode::PerOp(), SyncMode::EveryN(5), SyncMode::Interval(50), SyncMode::OnFlush()};
  options_.sync = modes[GetParam() % 4];
  options_.memtable_bytes = 1 << 16;
  options_.wal_pad_to = GetParam() % 3 == 0 ? 4096 : 8;
  options_.io = GetParam() % 5 == 0 ? IoMode::kRead : IoMode::kMapped;
  Schema schema = Schema::SingleVector(kDimension, Metric::kL2);
  // Small graphs, so that they are searched too.
  if (GetParam() % 2 == 0) schema.fields[0].index.type = IndexType::kHnsw;
  Create(schema);
  for (int step = 0; step < 120; ++step) {
    clock_.Advance(20'000);
    for (uint64_t i = 0, n = random_.Below(4); i < n; ++i) WriteSome();
    switch (random_.Below(12)) {
      case 0:
      case 1:
        ASSERT_OK(collection_->Flush());
        break;
      case 2:
        ASSERT_OK(collection_->Merge(random_.Below(2) == 0));
        break;
      case 3:
        ASSERT_OK(collection_->Checkpoint());
        break;
      case 4:
        Reopen();
        break;
      case 5:
        KillAndReopen(step);
        break;
      case 6: {
        WriteBatch batch;
        batch.DeleteNamespace("ns");
        ASSERT_OK(collection_->Write(batch));
        std::erase_if(model_, [](const auto& entry) { return entry.first.first == "ns"; });
        break;
      }
      default:
        break;
    }
    ASSERT_NO_FATAL_FAILURE(CheckAll()) << "step " << step;
  }
  collection_.reset();
  CheckVerify(path());
}

}  // namespace
}  // namespace varve::testing
