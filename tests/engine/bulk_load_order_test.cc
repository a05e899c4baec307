// Bulk loads between flushes, deletes and publications: whatever comes first, what Finish acknowledged stays.
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "tests/support/collection_fixture.h"
#include "tests/support/hook_listener.h"

namespace varve::testing {
namespace {

class BulkLoadOrder : public CollectionTest {
 protected:
  BulkLoadOrder() { options_.listeners.push_back(hooks_); }

  static RecordInput Of(const std::string& ns, const std::string& key, float mark) {
    RecordInput record = MakeRecord(key, {mark, 0, 0, 0});
    record.ns = ns;
    return record;
  }
  uint64_t CountIn(Collection* collection, const std::string& ns) { return collection->Count(ns).value_or(0); }

  std::shared_ptr<HookListener> hooks_ = std::make_shared<HookListener>();
};

// The flush of the memtable before the delete publishes a manifest that names the segment of the load, while the delete
// is still in the log that will be replayed.
TEST_F(BulkLoadOrder, RowsLoadedAfterTheirNamespaceWasDeletedSurviveTheReplayOfTheDelete) {
  options_.memtable_rows = 10;
  hooks_->flush_begin = [&](const FlushInfo&) {
    while (collection_ != nullptr && !collection_->Get("a", "k7").ok()) std::this_thread::yield();
  };
  hooks_->flush_end = [&](const FlushInfo&) {
    if (std::filesystem::exists(temp_ / "killed")) return;
    CopyAsIfKilled("killed");
    ASSERT_OK(collection_->Backup(temp_ / "backup"));
  };
  Create();
  for (int i = 0; i < 5; ++i) ASSERT_OK(collection_->Put(Of("a", "old" + std::to_string(i), 1)));
  // Beyond the tenth row the memtable is frozen and its flush begins, which the listener holds up.
  for (int i = 0; i < 7; ++i) ASSERT_OK(collection_->Put(Of("b", "k" + std::to_string(i), 2)));
  WriteBatch batch;
  batch.DeleteNamespace("a");
  ASSERT_OK(collection_->Write(batch));
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<BulkLoad> load, collection_->NewBulkLoad({}));
    for (int i = 0; i < 20; ++i) ASSERT_OK(load->Add(Of("a", "k" + std::to_string(i), 3)));
    ASSERT_OK(load->Finish());
  }
  EXPECT_EQ(CountIn(collection_.get(), "a"), 20U);
  EXPECT_EQ(CountIn(collection_.get(), "b"), 7U);
  collection_.reset();
  hooks_->flush_begin = {};
  for (const char* copy : {"killed", "backup"}) {
    SCOPED_TRACE(copy);
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collection> reader, Collection::OpenReadOnly(temp_ / copy));
    EXPECT_EQ(CountIn(reader.get(), "a"), 20U);
    EXPECT_EQ(CountIn(reader.get(), "b"), 7U);
    for (int round = 0; round < 2; ++round) {
      ASSERT_OK_AND_ASSIGN(collection_, Collection::Open(temp_ / copy, options_));
      EXPECT_EQ(CountIn(collection_.get(), "a"), 20U);
      EXPECT_EQ(CountIn(collection_.get(), "b"), 7U);
      ASSERT_OK(collection_->Flush());
      collection_.reset();
    }
  }
}

}  // namespace
}  // namespace varve::testing
