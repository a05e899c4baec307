// ReadOnlyLog::kPublished: the state that a manifest speaks of, no more and no less.
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "tests/support/collection_fixture.h"
#include "tests/support/hook_listener.h"

namespace varve::testing {
namespace {

class PublishedReader : public CollectionTest {
 protected:
  PublishedReader() { options_.listeners.push_back(hooks_); }

  void Put(const std::string& key, float mark) { ASSERT_OK(collection_->Put(MakeRecord(key, {mark, 0, 0, 0}))); }
  static std::unique_ptr<Collection> Open(const std::string& directory) {
    ReadOnlyOptions options;
    options.log = ReadOnlyLog::kPublished;
    absl::StatusOr<std::unique_ptr<Collection>> reader = Collection::OpenReadOnly(directory, options);
    EXPECT_OK(reader);
    return reader.ok() ? *std::move(reader) : nullptr;
  }
  // The first component of a record's vector; -1: there is none.
  static float MarkOf(Collection* collection, const std::string& key) {
    const absl::StatusOr<Record> record = collection->Get("", key);
    return record.ok() ? record->vectors[0].second[0] : -1;
  }

  std::shared_ptr<HookListener> hooks_ = std::make_shared<HookListener>();
};

TEST_F(PublishedReader, SeesRowsWhoseDeathsArePublishedInTheirNewForm) {
  Create();
  Put("k", 1);
  Put("gone", 1);
  ASSERT_OK(collection_->Flush());
  Put("x", 1);
  // While x is flushed, k is written again: the publication folds the death of the old row, the new one is in the log.
  hooks_->flush_begin = [&](const FlushInfo&) {
    std::thread([&] {
      WriteBatch batch;
      batch.Put(MakeRecord("k", {2, 0, 0, 0}));
      batch.Put(MakeRecord("beside k", {2, 0, 0, 0}));
      batch.Delete("", "gone");
      ASSERT_OK(collection_->Write(batch));
    }).join();
  };
  ASSERT_OK(collection_->Flush());
  hooks_->flush_begin = {};
  Put("k", 3);
  const std::unique_ptr<Collection> reader = Open(path());
  ASSERT_NE(reader, nullptr);
  EXPECT_EQ(MarkOf(reader.get(), "k"), 2);
  EXPECT_EQ(MarkOf(reader.get(), "beside k"), 2);
  EXPECT_EQ(MarkOf(reader.get(), "gone"), -1);
  EXPECT_EQ(MarkOf(reader.get(), "x"), 1);
  EXPECT_EQ(reader->Count().value_or(0), 3U);
  ASSERT_OK(collection_->Flush());
  EXPECT_EQ(MarkOf(reader.get(), "k"), 2) << "until it is refreshed";
  ASSERT_OK(reader->Refresh());
  EXPECT_EQ(MarkOf(reader.get(), "k"), 3);
}

TEST_F(PublishedReader, SeesWhatACleanCloseLeftInTheLog) {
  Create();
  Put("a", 1);
  ASSERT_OK(collection_->Flush());
  Put("a", 2);
  Put("b", 2);
  collection_.reset();
  const std::unique_ptr<Collection> reader = Open(path());
  ASSERT_NE(reader, nullptr);
  EXPECT_EQ(MarkOf(reader.get(), "a"), 2);
  EXPECT_EQ(MarkOf(reader.get(), "b"), 2);
}

TEST_F(PublishedReader, DoesNotCareForWhatStandsInTheLogBehindThePublication) {
  Create();
  Put("a", 1);
  hooks_->flush_begin = [&](const FlushInfo&) { std::thread([&] { Put("b", 1); }).join(); };
  ASSERT_OK(collection_->Flush());
  hooks_->flush_begin = {};
  for (int i = 0; i < 10; ++i) Put("later" + std::to_string(i), 1);
  const std::string copy = CopyAsIfKilled("killed");
  for (int round = 0; round < 2; ++round) {
    const std::unique_ptr<Collection> reader = Open(copy);
    ASSERT_NE(reader, nullptr);
    EXPECT_EQ(reader->Count().value_or(0), 2U);
    EXPECT_EQ(MarkOf(reader.get(), "b"), 1);
    // Then cut within the last record, as a loss of power may leave it.
    for (const auto& log : std::filesystem::directory_iterator(copy + "/wal")) {
      std::filesystem::resize_file(log.path(), log.file_size() - 20);
    }
  }
}

}  // namespace
}  // namespace varve::testing
