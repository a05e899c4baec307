// A memory budget that is short: what snapshots hold is not flushed away, and deletes count too.
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/collection_fixture.h"
#include "varve/memory_budget.h"

namespace varve::testing {
namespace {

class Memory : public CollectionTest {
 protected:
  static constexpr uint32_t kWide = 256;

  Memory() { options_.memory_budget = &budget_; }
  void Put(Collection* collection, int first, int last) {
    for (int i = first; i < last; ++i) {
      ASSERT_OK(collection->Put(MakeRecord("k" + std::to_string(i), RandomVector(&random_, kWide))));
    }
  }

  Random random_{7};
  MemoryBudget budget_{8 << 20};
};

TEST_F(Memory, SnapshotsThatFillTheBudgetDoNotMakeEveryWriteAFlush) {
  Create(Schema::SingleVector(kWide, Metric::kL2));
  std::vector<Snapshot> snapshots;
  int rows = 0;
  while (budget_.used(MemoryBudget::Use::kMemtables) < budget_.share(MemoryBudget::Use::kMemtables)) {
    ASSERT_NO_FATAL_FAILURE(Put(collection_.get(), rows, rows + 100));
    rows += 100;
    ASSERT_OK_AND_ASSIGN(Snapshot snapshot, collection_->GetSnapshot());
    snapshots.push_back(std::move(snapshot));
    ASSERT_LT(rows, 100'000);
  }
  const uint64_t before = collection_->Stats().flushes;
  ASSERT_NO_FATAL_FAILURE(Put(collection_.get(), rows, rows + 100));
  EXPECT_LE(collection_->Stats().flushes, before + 2);
  snapshots.clear();
}

TEST_F(Memory, SnapshotsOfOneCollectionDoNotMakeWritesOfAnotherWait) {
  const Schema schema = Schema::SingleVector(kWide, Metric::kL2);
  Create(schema);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collection> other, Collection::Create(temp_ / "other", schema, options_));
  budget_.Take(MemoryBudget::Use::kMemtables, budget_.share(MemoryBudget::Use::kMemtables));
  for (int i = 0; i < 50; ++i) {
    ASSERT_NO_FATAL_FAILURE(Put(collection_.get(), i, i + 1));
    ASSERT_NO_FATAL_FAILURE(Put(other.get(), i, i + 1));
  }
  EXPECT_LE(collection_->Stats().flushes + other->Stats().flushes, 4U);
  budget_.Give(MemoryBudget::Use::kMemtables, budget_.share(MemoryBudget::Use::kMemtables));
}

TEST_F(Memory, DeletesAreFoldedBeforeTheyAreMany) {
  Create();
  for (int i = 0; i < 5000; i += 100) {
    WriteBatch batch;
    for (int j = i; j < i + 100; ++j) {
      RecordInput record = MakeRecord("k" + std::to_string(j), RandomVector(&random_, kDimension));
      record.ns = "ns" + std::to_string(j / 10);
      batch.Put(std::move(record));
    }
    ASSERT_OK(collection_->Write(batch));
  }
  ASSERT_OK(collection_->Flush());
  const auto is_flushed_since = [&](uint64_t flushes) {
    for (int i = 0; i < 1000; ++i) {
      if (collection_->Stats().flushes > flushes) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  };
  uint64_t flushes = collection_->Stats().flushes;
  for (int i = 0; i < 1500; ++i) {
    ASSERT_OK(collection_->Delete("ns" + std::to_string(i / 10), "k" + std::to_string(i)));
  }
  EXPECT_TRUE(is_flushed_since(flushes)) << "three of ten rows have died";
  flushes = collection_->Stats().flushes;
  for (int i = 200; i < 300; ++i) {
    WriteBatch batch;
    batch.DeleteNamespace("ns" + std::to_string(i));
    ASSERT_OK(collection_->Write(batch));
  }
  EXPECT_TRUE(is_flushed_since(flushes)) << "each look at a row passes a hundred intervals";
  EXPECT_EQ(collection_->Count().value_or(0), 2500U);
  EXPECT_LE(collection_->Stats().flushes, 12U);
}

}  // namespace
}  // namespace varve::testing
