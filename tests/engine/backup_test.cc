// A backup is a whole collection of its own, or not there: whatever is written, merged or killed meanwhile.
#include "engine/admin/backup.h"

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "base/memory_file_system.h"
#include "base/status.h"
#include "engine/admin/verify.h"
#include "engine/version/manifest.h"
#include "tests/support/collection_fixture.h"
#include "varve/fault_file_system.h"

namespace varve::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Key -> metadata and sequence.
using State = std::map<std::string, std::pair<std::string, Sequence>>;

absl::StatusOr<State> StateOf(Collection* collection) {
  State state;
  RETURN_IF_ERROR(collection->Scan({}, [&](const Record& record) {
    state[record.key] = {record.metadata, record.sequence};
    return true;
  }));
  return state;
}

absl::StatusOr<State> StateOf(const std::string& directory, FileSystem* fs = nullptr) {
  ReadOnlyOptions options;
  options.file_system = fs;
  ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection, Collection::OpenReadOnly(directory, options));
  return StateOf(collection.get());
}

void ExpectClean(const std::string& directory, FileSystem* fs = nullptr) {
  VerifyOptions options;
  options.file_system = fs;
  options.deep = true;
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, VerifyPath(directory, options));
  EXPECT_TRUE(report.ok) << (report.damage.empty() ? "" : report.damage.front().what);
  EXPECT_THAT(report.warnings, IsEmpty());
}

class BackupTest : public CollectionTest {
 protected:
  // Two segments with deaths, and more in the memtable.
  void Fill() {
    for (int i = 0; i < 60; ++i) {
      ASSERT_OK(Put(i, "first"));
      if (i == 20 || i == 40) {
        ASSERT_OK(collection_->Flush().status());
      }
    }
    for (int i = 0; i < 60; i += 7) ASSERT_OK(Put(i, "second"));
    ASSERT_OK(collection_->Delete("", "k3"));
    ASSERT_OK(collection_->Delete("", "k50"));
  }
  absl::Status Put(int i, const std::string& what) {
    return collection_->Put(
        MakeRecord("k" + std::to_string(i), {1, 2, 3, static_cast<float>(i)}, R"({"w":")" + what + R"("})"));
  }
  std::string backup() const { return temp_ / "backups/one"; }
  void TearDown() override { collection_.reset(); }

  // Used by the collection, so that they outlive it.
  FaultFileSystem without_links_{FileSystem::Default()};
  const std::unique_ptr<FileSystem> memory_ = NewMemoryFileSystem();
};

TEST_F(BackupTest, HoldsWhatWasAcknowledged) {
  Create();
  Fill();
  ASSERT_OK_AND_ASSIGN(const State before, StateOf(collection_.get()));
  ASSERT_OK_AND_ASSIGN(const BackupResult result, collection_->Backup(backup()));
  EXPECT_GE(result.files_linked, 2u);
  EXPECT_EQ(result.sequence, collection_->Stats().last_sequence);
  ASSERT_OK(Put(3, "later"));
  ASSERT_OK(collection_->Merge(/*full=*/true).status());

  EXPECT_EQ(*StateOf(backup()), before);
  ExpectClean(backup());
}

TEST_F(BackupTest, NeverFlushesOrPublishes) {
  Create();
  Fill();
  const uint64_t generation = collection_->Stats().generation;
  const uint64_t rows = collection_->Stats().memtable_rows;
  ASSERT_OK(collection_->Backup(backup()).status());
  EXPECT_EQ(collection_->Stats().generation, generation);
  EXPECT_EQ(collection_->Stats().memtable_rows, rows);
}

TEST_F(BackupTest, OfAnEmptyCollectionIsOne) {
  Create();
  ASSERT_OK(collection_->Backup(backup()).status());
  EXPECT_THAT(*StateOf(backup()), IsEmpty());
  ExpectClean(backup());
}

TEST_F(BackupTest, LivesALifeOfItsOwn) {
  Create();
  Fill();
  ASSERT_OK_AND_ASSIGN(const State before, StateOf(collection_.get()));
  ASSERT_OK(collection_->Backup(backup() + "/").status());
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collection> copy, Collection::Open(backup(), options_));
    EXPECT_EQ(*StateOf(copy.get()), before);
    ASSERT_OK(copy->Put(MakeRecord("new", {1, 1, 1, 1})));
    ASSERT_OK_AND_ASSIGN(const Record record, copy->Get("", "new"));
    EXPECT_GT(record.sequence, Sequence{1} << 32) << "numbers that the other may have given meanwhile";
    ASSERT_OK(copy->Merge(/*full=*/true).status());
  }
  EXPECT_EQ(*StateOf(collection_.get()), before);
  ASSERT_OK(Put(1, "other"));
  Reopen();
  ExpectClean(backup());
  EXPECT_EQ(StateOf(backup())->size(), before.size() + 1);
  collection_.reset();
  ExpectClean(path());
}

TEST_F(BackupTest, GetsANameOfItsOwnWhenItIsFirstWrittenTo) {
  Create();
  Fill();
  ASSERT_OK(collection_->Backup(backup()).status());
  FileSystem* fs = FileSystem::Default();
  ASSERT_OK_AND_ASSIGN(const pb::Manifest source, ReadManifestFile(fs, path(), "manifest.json"));
  ASSERT_OK_AND_ASSIGN(const pb::Manifest fresh, ReadManifestFile(fs, backup(), "manifest.json"));
  EXPECT_EQ(fresh.instance(), "");
  EXPECT_EQ(fresh.restored_from(), source.instance());
  EXPECT_EQ(fresh.log_secret(), source.log_secret());
  ASSERT_OK(Collection::Open(backup(), options_).status());
  ASSERT_OK_AND_ASSIGN(const pb::Manifest claimed, ReadManifestFile(fs, backup(), "manifest.json"));
  EXPECT_NE(claimed.instance(), "");
  EXPECT_NE(claimed.instance(), source.instance());
  EXPECT_NE(claimed.log_secret(), source.log_secret());
  EXPECT_EQ(claimed.collection_uuid(), source.collection_uuid());
  EXPECT_EQ(claimed.restored_from(), source.instance());
  ExpectClean(backup());
}

TEST_F(BackupTest, OfABackupIsTheSame) {
  Create();
  Fill();
  ASSERT_OK_AND_ASSIGN(const State before, StateOf(collection_.get()));
  ASSERT_OK(collection_->Backup(backup()).status());
  ASSERT_OK(BackupCollection(backup(), temp_ / "two", {}).status());
  ASSERT_OK(RestoreCollection(temp_ / "two", temp_ / "three", {}).status());
  EXPECT_EQ(*StateOf(temp_ / "three"), before);
  ExpectClean(temp_ / "three");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collection> restored, Collection::Open(temp_ / "three", options_));
  EXPECT_EQ(*StateOf(restored.get()), before);
}

TEST_F(BackupTest, GoesOnlyWhereNothingIs) {
  Create();
  Fill();
  ASSERT_OK(collection_->Backup(backup()).status());
  EXPECT_THAT(collection_->Backup(backup()), StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("not empty")));
  EXPECT_THAT(collection_->Backup(backup() + "/LOCK"), StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("a file")));
  EXPECT_THAT(collection_->Backup(path() + "/inside"), StatusIs(absl::StatusCode::kInvalidArgument, ::testing::_));
  EXPECT_THAT(collection_->Backup(""), StatusIs(absl::StatusCode::kInvalidArgument, ::testing::_));
  std::filesystem::create_directories(temp_ / "empty");
  EXPECT_OK(collection_->Backup(temp_ / "empty"));
  // What a backup makes on its way is not put over anybody's files.
  std::filesystem::create_directories(temp_ / "mine.tmp/wal");
  std::filesystem::copy_file(path() + "/LOCK", temp_ / "mine.tmp/wal/letter");
  EXPECT_THAT(collection_->Backup(temp_ / "mine"), StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("wal/letter")));
  EXPECT_TRUE(std::filesystem::exists(temp_ / "mine.tmp/wal/letter"));
  collection_.reset();
  EXPECT_THAT(BackupCollection(temp_ / "nothing", temp_ / "x", {}),
              StatusIs(absl::StatusCode::kNotFound, ::testing::_));
  EXPECT_THAT(BackupCollection(temp_.path(), temp_ / "x", {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, ::testing::_));
}

TEST_F(BackupTest, RestoreRefusesADamagedBackup) {
  Create();
  Fill();
  ASSERT_OK(collection_->Backup(backup()).status());
  EXPECT_THAT(RestoreCollection(path(), temp_ / "r", {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, ::testing::_));
  collection_.reset();
  for (const auto& entry : std::filesystem::directory_iterator(backup() + "/wal")) {
    std::filesystem::resize_file(entry.path(), entry.file_size() - 8);
  }
  EXPECT_THAT(RestoreCollection(backup(), temp_ / "r", {}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("nothing was restored")));
  EXPECT_FALSE(std::filesystem::exists(temp_ / "r"));
}

TEST_F(BackupTest, CopiesWhatCannotBeLinked) {
  without_links_.Fail({.calls = {DiskCall::kLink}, .error = EXDEV});
  options_.file_system = &without_links_;
  Create();
  Fill();
  ASSERT_OK_AND_ASSIGN(const State before, StateOf(collection_.get()));
  ASSERT_OK_AND_ASSIGN(const BackupResult result, collection_->Backup(backup()));
  EXPECT_EQ(result.files_linked, 0u);
  EXPECT_GE(result.files_copied, 3u);
  EXPECT_EQ(*StateOf(backup()), before);
  ExpectClean(backup());
}

TEST_F(BackupTest, GarbageWaitsForItAndGoesThen) {
  Create();
  Fill();
  ASSERT_OK(collection_->Backup(backup()).status());
  ASSERT_OK(collection_->Merge(/*full=*/true).status());
  collection_.reset();
  ExpectClean(path());  // no warning of a file that nothing names
}

// A bulk load tells of its progress when its segment has entered by way of the log, and no manifest names it yet.
TEST_F(BackupTest, HoldsSegmentsThatOnlyTheLogNames) {
  Create();
  Fill();
  const uint64_t rows = *collection_->Count();
  std::vector<std::string> backups;
  BulkLoadOptions options;
  options.progress = [&](uint64_t) {
    backups.push_back(temp_ / ("bulk" + std::to_string(backups.size())));
    EXPECT_OK(collection_->Backup(backups.back()));
  };
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<BulkLoad> load, collection_->NewBulkLoad(options));
  for (int i = 0; i < 100; ++i) ASSERT_OK(load->Add(MakeRecord("new" + std::to_string(i), {1, 2, 3, 4})));
  ASSERT_OK(load->Finish());
  load.reset();
  ASSERT_FALSE(backups.empty());
  ASSERT_OK_AND_ASSIGN(const pb::Manifest manifest,
                       ReadManifestFile(FileSystem::Default(), backups.back(), "manifest.json"));
  EXPECT_EQ(manifest.segments_size(), 2);
  ASSERT_OK_AND_ASSIGN(const State loaded, StateOf(collection_.get()));
  EXPECT_EQ(loaded.size(), rows + 100);
  for (const std::string& copy : {backups.back(), temp_ / "of-it"}) {
    if (copy != backups.back()) {
      ASSERT_OK(BackupCollection(backups.back(), copy, {}).status());
    }
    EXPECT_EQ(*StateOf(copy), loaded);
    ExpectClean(copy);
  }
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collection> opened, Collection::Open(backups.back(), options_));
    EXPECT_EQ(*StateOf(opened.get()), loaded);
  }
  ExpectClean(backups.back());
  EXPECT_EQ(*StateOf(backups.back()), loaded);
}

// A bulk load that enters while files are copied: the log that names its segment was opened before, and short as it is,
// its length does not tell what it held then.
TEST_F(BackupTest, HoldsNothingThatCameAfterItsFilesWereOpened) {
  Create();
  ASSERT_OK(Put(1, "in a segment"));
  ASSERT_OK(collection_->Flush().status());
  ASSERT_OK(Put(2, "in the log"));
  ASSERT_OK_AND_ASSIGN(const State before, StateOf(collection_.get()));
  without_links_.Fail({.calls = {DiskCall::kLink}, .error = EXDEV});
  BackupOptions options;
  options.file_system = &without_links_;
  bool loaded = false;
  options.progress = [&](uint64_t) {
    if (std::exchange(loaded, true)) return;
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<BulkLoad> load, collection_->NewBulkLoad());
    ASSERT_OK(load->Add(MakeRecord("late", {1, 2, 3, 4})));
    ASSERT_OK(load->Finish());
  };
  ASSERT_OK(BackupCollection(path(), backup(), options).status());
  EXPECT_TRUE(loaded);
  EXPECT_EQ(*StateOf(backup()), before);
  ExpectClean(backup());
}

// Dies after each number of changes to the disk, until the backup gets through: it is not there, or whole.
TEST_F(BackupTest, IsWholeOrNotThereWhereverItIsKilled) {
  options_.file_system = memory_.get();
  ASSERT_OK_AND_ASSIGN(collection_, Collection::Create("/c", Schema::SingleVector(kDimension, Metric::kL2), options_));
  Fill();
  ASSERT_OK_AND_ASSIGN(const State before, StateOf(collection_.get()));
  FaultFileSystem stopping(memory_.get());
  BackupOptions options;
  options.file_system = &stopping;
  options.clock = &clock_;
  int64_t changes = 0;
  int killed_whole = 0;
  for (bool done = false; !done; ++changes) {
    ASSERT_LT(changes, 1000);
    stopping.StopAfter(changes);
    done = BackupCollection("/c", "/b", options).ok();
    if (memory_->Stat("/b").ok()) {
      killed_whole += !done;
      EXPECT_EQ(*StateOf("/b", memory_.get()), before) << changes;
      ExpectClean("/b", memory_.get());
      if (!done) break;  // the next backup would be refused
    }
  }
  EXPECT_GT(changes, 20);
  EXPECT_EQ(killed_whole, 1) << "killed behind the rename";
  // What earlier kills left is no hindrance, and goes.
  stopping.StopAfter(1 << 20);
  ASSERT_OK(BackupCollection("/c", "/b2", options).status());
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> names, memory_->List("/"));
  for (const std::string& name : names) {
    EXPECT_THAT(name, ::testing::Not(HasSubstr(".tmp")));
  }
}

// The first opening for writing gives the copy its own name and secret: dying in it leaves a copy that opens.
TEST_F(BackupTest, FirstOpeningMayBeKilledAnywhere) {
  options_.file_system = memory_.get();
  ASSERT_OK_AND_ASSIGN(collection_, Collection::Create("/c", Schema::SingleVector(kDimension, Metric::kL2), options_));
  Fill();
  ASSERT_OK_AND_ASSIGN(const State before, StateOf(collection_.get()));
  BackupOptions options;
  options.file_system = memory_.get();
  for (int64_t changes = 0;; ++changes) {
    ASSERT_LT(changes, 1000);
    SCOPED_TRACE(changes);
    const std::string copy = "/b" + std::to_string(changes);
    ASSERT_OK(BackupCollection("/c", copy, options).status());
    FaultFileSystem stopping(memory_.get());
    options_.file_system = &stopping;
    stopping.StopAfter(changes);
    const bool done = Collection::Open(copy, options_).ok() && !stopping.stopped();
    options_.file_system = memory_.get();
    ASSERT_OK_AND_ASSIGN(const State left, StateOf(copy, memory_.get()));
    EXPECT_EQ(left, before);
    {
      ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collection> opened, Collection::Open(copy, options_));
      EXPECT_EQ(*StateOf(opened.get()), before) << changes;
    }
    ExpectClean(copy, memory_.get());
    if (done) break;
  }
}

// Four threads write batches of three records and a counter; flushes and merges go on. Every backup is the state after
// some of the writes, and all of those that were acknowledged before it.
class BackupBesideWritersTest : public BackupTest {
 protected:
  static constexpr int kThreads = 4;

  void StartWriters() {
    for (int t = 0; t < kThreads; ++t) {
      threads_.emplace_back([this, t] {
        for (int i = 0; !stop_; ++i) {
          WriteBatch batch;
          const std::string thread = std::to_string(t);
          for (int part = 0; part < 3; ++part) batch.Put(MakeRecord(KeyOf(t, i, part), {1, 2, 3, 4}));
          batch.Put(MakeRecord("counter" + thread, {1, 1, 1, 1}, R"({"n":)" + std::to_string(i) + "}"));
          if (const absl::Status status = collection_->Write(batch); !status.ok()) {
            ADD_FAILURE() << status;
            return;
          }
          acknowledged_[t] = i + 1;
        }
      });
    }
    threads_.emplace_back([this] {
      for (int i = 0; !stop_; ++i) {
        EXPECT_OK(i % 3 == 2 ? collection_->Merge(/*full=*/i % 2 == 0).status() : collection_->Flush().status());
      }
    });
  }
  void StopWriters() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  static std::string KeyOf(int thread, int i, int part) {
    std::string number = std::to_string(i);
    number.insert(0, 6 - number.size(), '0');
    return "k" + std::to_string(thread) + "-" + number + "-" + std::to_string(part);
  }
  // `acknowledged`: before the backup began.
  void CheckPrefix(const std::string& directory, const std::vector<int>& acknowledged, Sequence last) {
    ASSERT_OK_AND_ASSIGN(const State state, StateOf(directory));
    size_t expected = 0;
    for (int t = 0; t < kThreads; ++t) {
      int written = 0;
      while (state.contains(KeyOf(t, written, 0))) ++written;
      EXPECT_GE(written, acknowledged[static_cast<size_t>(t)]);
      for (int part = 1; part < 3; ++part) {
        EXPECT_TRUE(written == 0 || state.contains(KeyOf(t, written - 1, part)));
        EXPECT_FALSE(state.contains(KeyOf(t, written, part)));
      }
      if (written > 0) {
        EXPECT_EQ(state.at("counter" + std::to_string(t)).first, R"({"n":)" + std::to_string(written - 1) + "}");
      }
      expected += static_cast<size_t>(3 * written + (written > 0 ? 1 : 0));
    }
    EXPECT_EQ(state.size(), expected);
    backups_.emplace_back(directory, state, last);
    ExpectClean(directory);
  }
  // Nothing with a sequence up to the backup's last one is missing from it.
  void CheckSequences() {
    ASSERT_OK_AND_ASSIGN(const State all, StateOf(collection_.get()));
    for (const auto& [directory, state, last] : backups_) {
      for (const auto& [key, value] : all) {
        if (value.second > last) continue;
        EXPECT_TRUE(state.contains(key)) << directory << " lacks " << key;
      }
    }
  }
  std::vector<int> Acknowledged() const { return {acknowledged_, acknowledged_ + kThreads}; }

  std::atomic<bool> stop_{false};
  std::atomic<int> acknowledged_[kThreads] = {};
  std::vector<std::thread> threads_;
  std::vector<std::tuple<std::string, State, Sequence>> backups_;
};

TEST_F(BackupBesideWritersTest, InTheWritersProcess) {
  options_.memtable_bytes = size_t{1} << 16;
  Create();
  StartWriters();
  for (int i = 0; i < 5; ++i) {
    const std::string to = temp_ / ("b" + std::to_string(i));
    const std::vector<int> before = Acknowledged();
    const absl::StatusOr<BackupResult> result = collection_->Backup(to);
    ASSERT_OK(result);
    CheckPrefix(to, before, result->sequence);
  }
  StopWriters();
  CheckSequences();
  collection_.reset();
  ExpectClean(path());
}

TEST_F(BackupBesideWritersTest, FromAnotherProcess) {
  options_.memtable_bytes = size_t{1} << 16;
  Create();
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collection> reader, Collection::OpenReadOnly(path()));
  StartWriters();
  for (int i = 0; i < 5; ++i) {
    const std::string to = temp_ / ("b" + std::to_string(i));
    const std::vector<int> before = Acknowledged();
    const absl::StatusOr<BackupResult> result = reader->Backup(to);
    if (absl::IsUnavailable(result.status())) continue;  // the writer never paused
    ASSERT_OK(result);
    CheckPrefix(to, before, result->sequence);
  }
  StopWriters();
  EXPECT_FALSE(backups_.empty());
  CheckSequences();
}

}  // namespace
}  // namespace varve::testing
