// A directory of collections: one object per collection, and a drop that is whole wherever it is killed.
#include "varve/database.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "base/memory_file_system.h"
#include "base/publish.h"
#include "tests/support/collection_fixture.h"
#include "varve/fault_file_system.h"

namespace varve::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DatabaseTest : public ::testing::Test {
 protected:
  DatabaseTest() {
    options_.collections.clock = &clock_;
    options_.collections.threads = 2;
  }
  void Open() {
    database_.reset();
    absl::StatusOr<std::unique_ptr<Database>> opened = Database::Open(path(), options_);
    ASSERT_OK(opened);
    database_ = *std::move(opened);
  }
  absl::StatusOr<std::shared_ptr<Collection>> Create(const std::string& name) {
    return database_->CreateCollection(name, Schema::SingleVector(2, Metric::kL2));
  }
  std::string path() const { return temp_ / "db"; }

  TempDir temp_;
  ManualClock clock_{1'700'000'000'000'000};
  DatabaseOptions options_;
  std::unique_ptr<Database> database_;
};

TEST_F(DatabaseTest, FlushesDoNotWaitForMerges) {
  options_.collections.threads = 1;
  options_.collections.memtable_rows = 10;
  options_.collections.sync = SyncMode::OnFlush();
  options_.background_bytes_per_second = 100;
  Open();
  ASSERT_OK_AND_ASSIGN(const std::shared_ptr<Collection> merging, Create("merging"));
  for (int i = 0; i < 100; ++i) ASSERT_OK(merging->Put(MakeRecord(std::to_string(i), {1, 2})));
  // The merge of what that left has begun, and waits for the rate limiter for as long as this test runs.
  for (int i = 0; i < 400 && merging->Stats().segments.size() < 9; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(merging->Stats().merges, 0U);
  ASSERT_OK_AND_ASSIGN(const std::shared_ptr<Collection> writing, Create("writing"));
  std::atomic<bool> written{false};
  std::thread writer([&] {
    for (int i = 0; i < 100; ++i) ASSERT_OK(writing->Put(MakeRecord(std::to_string(i), {1, 2})));
    written = true;
  });
  for (int i = 0; i < 2000 && !written; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_TRUE(written) << "its memtables are not flushed";
  while (!written) ASSERT_OK(writing->Flush());  // ends what waits, if it does
  writer.join();
  // Nor does closing wait for the merge of another collection, behind which one of its own may stand.
  const auto start = std::chrono::steady_clock::now();
  ASSERT_OK(writing->Close());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(15));
}

TEST_F(DatabaseTest, KeepsItsCollections) {
  Open();
  EXPECT_THAT(*database_->ListCollections(), IsEmpty());
  ASSERT_OK_AND_ASSIGN(std::shared_ptr<Collection> a, Create("a"));
  ASSERT_OK_AND_ASSIGN(const std::shared_ptr<Collection> b, Create("b c"));
  ASSERT_OK(a->Put(MakeRecord("k", {1, 2})));
  EXPECT_THAT(Create("a"), StatusIs(absl::StatusCode::kAlreadyExists, ::testing::_));
  a.reset();
  EXPECT_THAT(Create("a"), StatusIs(absl::StatusCode::kAlreadyExists, ::testing::_));
  EXPECT_THAT(*database_->ListCollections(), ElementsAre("a", "b c"));
  EXPECT_THAT(*Database::List(path()), ElementsAre("a", "b c"));
  ASSERT_OK_AND_ASSIGN(a, database_->OpenCollection("a"));
  EXPECT_OK(a->Get("", "k"));
  EXPECT_EQ(a->directory(), path() + "/a");
  EXPECT_THAT(database_->OpenCollection("d"), StatusIs(absl::StatusCode::kNotFound, ::testing::_));
}

TEST_F(DatabaseTest, GivesOneObjectToAll) {
  Open();
  ASSERT_OK_AND_ASSIGN(std::shared_ptr<Collection> first, Create("a"));
  ASSERT_OK_AND_ASSIGN(const std::shared_ptr<Collection> second, database_->OpenCollection("a"));
  EXPECT_EQ(first, second);
  first.reset();
  EXPECT_OK(second->Put(MakeRecord("k", {1, 2})));
}

TEST_F(DatabaseTest, HandlesOutliveIt) {
  Open();
  ASSERT_OK_AND_ASSIGN(std::shared_ptr<Collection> a, Create("a"));
  database_.reset();
  EXPECT_OK(a->Put(MakeRecord("k", {1, 2})));
  EXPECT_OK(a->Flush());
  EXPECT_THAT(Database::Open(path(), options_), StatusIs(absl::StatusCode::kFailedPrecondition, ::testing::_));
  a.reset();
  Open();
  EXPECT_OK(database_->OpenCollection("a"));
}

TEST_F(DatabaseTest, OneObjectHasTheDirectory) {
  Open();
  EXPECT_THAT(Database::Open(path(), options_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("open elsewhere")));
}

TEST_F(DatabaseTest, DropsForGood) {
  Open();
  ASSERT_OK_AND_ASSIGN(std::shared_ptr<Collection> a, Create("a"));
  ASSERT_OK(a->Put(MakeRecord("k", {1, 2})));
  EXPECT_THAT(database_->DropCollection("a"), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("1 handles")));
  EXPECT_OK(a->Get("", "k"));
  a.reset();
  EXPECT_OK(database_->DropCollection("a"));
  EXPECT_THAT(*database_->ListCollections(), IsEmpty());
  EXPECT_THAT(database_->OpenCollection("a"), StatusIs(absl::StatusCode::kNotFound, ::testing::_));
  EXPECT_THAT(database_->DropCollection("a"), StatusIs(absl::StatusCode::kNotFound, ::testing::_));
  ASSERT_OK_AND_ASSIGN(a, Create("a"));
  EXPECT_EQ(*a->Count(), 0u);
  a.reset();
  Open();
  EXPECT_THAT(*database_->ListCollections(), ElementsAre("a"));
  database_.reset();  // waits for removals
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path())) names.push_back(entry.path().filename());
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("DATABASE", "LOCK", "a"));
}

TEST_F(DatabaseTest, DropRefusesWhatAnotherHasOpen) {
  Open();
  ASSERT_OK(Create("a").status());
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<Collection> alone, Collection::Open(path() + "/a"));
  EXPECT_THAT(database_->DropCollection("a"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("another writer")));
  alone.reset();
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collection> reader, Collection::OpenReadOnly(path() + "/a"));
  EXPECT_OK(database_->DropCollection("a"));
  EXPECT_EQ(*reader->Count(), 0u) << "a reader keeps what it has open";
}

TEST_F(DatabaseTest, NamesAreChecked) {
  Open();
  for (const std::string& name : {std::string(), std::string("a/b"), std::string(".."), std::string(".hidden"),
                                  std::string("a\nb"), std::string("a\0b", 3), std::string("DATABASE"),
                                  std::string("LOCK"), std::string("a.tmp"), std::string(256, 'x')}) {
    EXPECT_THAT(Create(name), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cannot be called"))) << name;
    EXPECT_THAT(database_->OpenCollection(name), StatusIs(absl::StatusCode::kInvalidArgument, ::testing::_));
    EXPECT_THAT(database_->DropCollection(name), StatusIs(absl::StatusCode::kInvalidArgument, ::testing::_));
  }
  EXPECT_OK(Create(std::string(255, 'x')));
  EXPECT_OK(Create("\xd0\xba\xd0\xbb \\ \"quoted\""));
}

TEST_F(DatabaseTest, TakesADirectoryOfCollectionsAndNoOther) {
  ASSERT_OK(Collection::Create(path() + "/a", Schema::SingleVector(2, Metric::kL2)).status());
  EXPECT_THAT(*Database::List(path()), ElementsAre("a"));
  EXPECT_THAT(Database::Open(path() + "/a"), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("no collect")));
  options_.create_if_missing = false;
  EXPECT_THAT(Database::Open(path(), options_), StatusIs(absl::StatusCode::kFailedPrecondition, ::testing::_));
  EXPECT_THAT(Database::Open(temp_ / "none", options_), StatusIs(absl::StatusCode::kNotFound, ::testing::_));
  options_.create_if_missing = true;
  std::ofstream(path() + "/letter") << "x";
  EXPECT_THAT(Database::Open(path(), options_), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("letter")));
  EXPECT_FALSE(std::filesystem::exists(path() + "/LOCK"));
  std::filesystem::remove(path() + "/letter");
  Open();
  EXPECT_OK(database_->OpenCollection("a"));
  EXPECT_THAT(Database::List(temp_.path()), StatusIs(absl::StatusCode::kFailedPrecondition, ::testing::_));
}

TEST_F(DatabaseTest, MarkerIsChecked) {
  Open();
  database_.reset();
  const std::vector<std::pair<std::string, absl::StatusCode>> markers = {
      {"", absl::StatusCode::kDataLoss},
      {"{}", absl::StatusCode::kDataLoss},
      {R"({"version":"1"})", absl::StatusCode::kDataLoss},
      {R"({"version":1,"uuid":"x"})", absl::StatusCode::kDataLoss},
      {R"({"version":2,"what":1})", absl::StatusCode::kUnimplemented}};
  for (const auto& [text, code] : markers) {
    ASSERT_OK(PublishFile(FileSystem::Default(), path() + "/DATABASE", text));
    EXPECT_THAT(Database::Open(path(), options_), StatusIs(code, ::testing::_)) << text;
    EXPECT_THAT(Database::List(path()), StatusIs(code, ::testing::_)) << text;
  }
}

// Many threads take and let go of handles, so that a collection is opened and closed all the time.
TEST_F(DatabaseTest, OpeningMeetsClosing) {
  Open();
  ASSERT_OK(Create("a").status());
  std::vector<std::thread> threads;
  std::atomic<int> writes{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 40; ++i) {
        const absl::StatusOr<std::shared_ptr<Collection>> handle = database_->OpenCollection("a");
        ASSERT_OK(handle);
        ASSERT_OK((*handle)->Put(MakeRecord(std::to_string(t) + "-" + std::to_string(i), {1, 2})));
        ++writes;
      }
    });
  }
  threads.emplace_back([&] {
    for (int i = 0; i < 20; ++i) {
      ASSERT_OK(Create("b").status());
      ASSERT_OK(database_->DropCollection("b"));
    }
  });
  for (std::thread& thread : threads) thread.join();
  ASSERT_OK_AND_ASSIGN(const std::shared_ptr<Collection> handle, database_->OpenCollection("a"));
  EXPECT_EQ(*handle->Count(), static_cast<uint64_t>(writes.load()));
  EXPECT_THAT(*database_->ListCollections(), ElementsAre("a"));
}

// Dies after each number of changes to the disk: the collection is whole, or gone; what is left of it goes at the next
// opening.
TEST_F(DatabaseTest, DropIsWholeWhereverItIsKilled) {
  const std::unique_ptr<FileSystem> memory = NewMemoryFileSystem();
  bool survived = false;
  bool gone = false;
  for (int64_t changes = 0;; ++changes) {
    ASSERT_LT(changes, 200);
    const std::string directory = "/db" + std::to_string(changes);
    options_.collections.file_system = memory.get();
    {
      ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Database> database, Database::Open(directory, options_));
      ASSERT_OK_AND_ASSIGN(const std::shared_ptr<Collection> a,
                           database->CreateCollection("a", Schema::SingleVector(2, Metric::kL2)));
      ASSERT_OK(a->Put(MakeRecord("k", {1, 2})));
      ASSERT_OK(a->Flush().status());
      ASSERT_OK(database->CreateCollection("b", Schema::SingleVector(2, Metric::kL2)).status());
    }
    FaultFileSystem stopping(memory.get());
    options_.collections.file_system = &stopping;
    {
      ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Database> database, Database::Open(directory, options_));
      stopping.StopAfter(changes);
      (void)database->DropCollection("a");
    }
    options_.collections.file_system = memory.get();
    {
      ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Database> database, Database::Open(directory, options_));
      EXPECT_OK(database->OpenCollection("b"));
      const absl::StatusOr<std::shared_ptr<Collection>> a = database->OpenCollection("a");
      if (a.ok()) {
        survived = true;
        EXPECT_OK((*a)->Get("", "k"));
      } else {
        gone = true;
        EXPECT_THAT(a, StatusIs(absl::StatusCode::kNotFound, ::testing::_));
      }
    }
    ASSERT_OK_AND_ASSIGN(const std::vector<std::string> names, memory->List(directory));
    for (const std::string& name : names) {
      EXPECT_THAT(name, ::testing::Not(HasSubstr("dropped")));
    }
    if (!stopping.stopped()) break;
  }
  EXPECT_TRUE(survived);
  EXPECT_TRUE(gone);
}

TEST_F(DatabaseTest, AListIsWholeOrAnError) {
  FaultFileSystem disk(FileSystem::Default());
  options_.collections.file_system = &disk;
  Open();
  ASSERT_OK(Create("a").status());
  ASSERT_OK(Create("b").status());
  disk.Fail({.calls = {DiskCall::kStat}, .path_part = "/db/b", .error = EIO});
  EXPECT_THAT(database_->ListCollections(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("/db/b")));
  disk.Heal();
  // As lost+found, which is root's.
  disk.Fail({.calls = {DiskCall::kStat}, .path_part = "/db/b", .error = EACCES});
  EXPECT_THAT(*database_->ListCollections(), ElementsAre("a"));
  database_.reset();  // before its disk
}

}  // namespace
}  // namespace varve::testing
