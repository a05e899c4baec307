// A process dies, another one goes on with what it left, and then the power fails: what the second one acknowledged was
// built on names and bytes that the first one never synced.
#include <memory>
#include <string>

#include "base/memory_file_system.h"
#include "base/status.h"
#include "engine/admin/backup.h"
#include "tests/support/collection_fixture.h"
#include "varve/crash_disk.h"
#include "varve/fault_file_system.h"

namespace varve::testing {
namespace {

class TwoCrashes : public CollectionTest {
 protected:
  TwoCrashes() {
    options_.file_system = disk_.get();
    EXPECT_OK(disk_->Record());
  }

  void MakeOrOpen(const std::string& path) {
    collection_.reset();
    absl::StatusOr<std::unique_ptr<Collection>> opened = Collection::Open(path, options_);
    if (absl::IsNotFound(opened.status()) || absl::IsFailedPrecondition(opened.status())) {
      opened = Collection::Create(path, Schema::SingleVector(kDimension, Metric::kL2), options_);
    }
    if (opened.ok()) collection_ = *std::move(opened);
  }
  // Of what is left when the power fails now, and the disk keeps nothing that it need not.
  absl::StatusOr<uint64_t> CountAfterPowerLoss(const std::string& path) {
    const DiskTrace trace = disk_->trace();
    ASSIGN_OR_RETURN(const DiskImage left, CrashDisk(trace, trace.operations.size()).Build("none"));
    ReadOnlyOptions options;
    options.file_system = left.disk.get();
    ASSIGN_OR_RETURN(const std::unique_ptr<Collection> reader, Collection::OpenReadOnly(path, options));
    return reader->Count();
  }

  const std::unique_ptr<FileSystem> memory_ = NewMemoryFileSystem();
  const std::unique_ptr<FaultFileSystem> disk_ = std::make_unique<FaultFileSystem>(memory_.get());
};

// In the directories above, in the first manifest, in the first log: wherever the first process dies.
TEST_F(TwoCrashes, InCreateAndTheFirstWrite) {
  for (int64_t changes = 1; changes < 200; ++changes) {
    SCOPED_TRACE(changes);
    const std::string path = "/above" + std::to_string(changes) + "/c";
    disk_->StopAfter(changes);
    MakeOrOpen(path);
    if (collection_ != nullptr) {
      (void)collection_->Put(MakeRecord("first", {1, 2, 3, 4}));
    }
    const bool died = disk_->stopped();
    collection_.reset();
    disk_->Heal();
    MakeOrOpen(path);
    ASSERT_NE(collection_, nullptr);
    ASSERT_OK(collection_->Put(MakeRecord("second", {1, 2, 3, 4})));
    ASSERT_OK_AND_ASSIGN(const uint64_t count, collection_->Count());
    EXPECT_THAT(
        CountAfterPowerLoss(path),
        ::testing::AllOf(IsOk(), ::testing::Truly([&](const auto& left) { return left.ok() && *left == count; })));
    collection_.reset();
    // Also of an opening that writes nothing itself.
    MakeOrOpen(path);
    EXPECT_EQ(CountAfterPowerLoss(path).value_or(0), count);
    if (!died) return;
  }
  FAIL() << "the first process has always died";
}

TEST_F(TwoCrashes, InTheRecoveryOfALogThatWasJustMade) {
  for (int64_t changes = 1; changes < 100; ++changes) {
    SCOPED_TRACE(changes);
    const std::string path = "/c" + std::to_string(changes);
    MakeOrOpen(path);
    ASSERT_OK(collection_->Put(MakeRecord("first", {1, 2, 3, 4})));
    MakeOrOpen(path);
    disk_->StopAfter(changes);
    (void)collection_->Put(MakeRecord("second", {1, 2, 3, 4}));
    const bool died = disk_->stopped();
    collection_.reset();
    disk_->Heal();
    MakeOrOpen(path);
    ASSERT_NE(collection_, nullptr);
    EXPECT_OK(CountAfterPowerLoss(path));
    if (!died) return;
  }
  FAIL() << "the first process has always died";
}

TEST_F(TwoCrashes, InARestoreThatHasJustAppeared) {
  MakeOrOpen("/c");
  ASSERT_OK(collection_->Put(MakeRecord("first", {1, 2, 3, 4})));
  collection_.reset();
  BackupOptions options;
  options.file_system = disk_.get();
  for (int64_t changes = 1; changes < 100; ++changes) {
    SCOPED_TRACE(changes);
    const std::string path = "/backups/b" + std::to_string(changes);
    disk_->StopAfter(changes);
    const bool done = BackupCollection("/c", path, options).ok();
    disk_->Heal();
    if (!disk_->Stat(path).ok()) continue;
    MakeOrOpen(path);
    ASSERT_NE(collection_, nullptr);
    ASSERT_OK(collection_->Put(MakeRecord("second", {1, 2, 3, 4})));
    EXPECT_EQ(CountAfterPowerLoss(path).value_or(0), 2u);
    if (done) return;
  }
  FAIL() << "the first process has always died";
}

}  // namespace
}  // namespace varve::testing
