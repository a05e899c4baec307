// A memory budget that is short: what snapshots hold is not flushed away, and deletes count too.
#include <memory>
#include <string>
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

}  // namespace
}  // namespace varve::testing
