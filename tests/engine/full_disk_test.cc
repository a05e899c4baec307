// A disk without room, and one whose syncs fail: nothing acknowledged is lost, and what failed says so.
#include <sys/mount.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "engine/admin/verify.h"
#include "tests/support/collection_fixture.h"
#include "varve/fault_file_system.h"

namespace varve::testing {
namespace {

using ::testing::HasSubstr;

class FullDiskTest : public CollectionTest {
 protected:
  FullDiskTest() { options_.file_system = &disk_; }

  // Writes until it is refused; returns how many writes were acknowledged.
  int WriteUntilRefused(int first) {
    for (int i = first;; ++i) {
      const absl::Status status = collection_->Put(MakeRecord("k" + std::to_string(i), {1, 1, 1, 1}));
      if (status.ok()) continue;
      last_error_ = status;
      return i;
    }
  }

  FaultFileSystem disk_{FileSystem::Default()};
  absl::Status last_error_;
};

TEST_F(FullDiskTest, ARefusedWriteLosesNothingAndTheStoreGoesOn) {
  Create();
  ASSERT_OK(collection_->Put(MakeRecord("k0", {1, 1, 1, 1})));
  disk_.SetRoom(20'000);
  const int acknowledged = WriteUntilRefused(1);
  EXPECT_THAT(last_error_, StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("No space")));
  EXPECT_GT(acknowledged, 10);
  EXPECT_EQ(*collection_->Count(), static_cast<uint64_t>(acknowledged));
  EXPECT_FALSE(collection_->Flush().ok()) << "there is no room for a segment";
  EXPECT_EQ(Search({1, 1, 1, 1}, 1000)->hits.size(), static_cast<size_t>(acknowledged));

  disk_.SetRoom(int64_t{1} << 40);
  EXPECT_OK(collection_->Put(MakeRecord("after", {1, 1, 1, 1})));
  EXPECT_OK(collection_->Flush());
  Reopen();
  EXPECT_EQ(*collection_->Count(), static_cast<uint64_t>(acknowledged) + 1);
}

TEST_F(FullDiskTest, AHalfWrittenRecordPoisonsTheWriterAndReopeningRecovers) {
  Create();
  ASSERT_OK(collection_->Put(MakeRecord("k0", {1, 1, 1, 1})));
  disk_.SetRoom(20'001, /*partial=*/true);
  const int acknowledged = WriteUntilRefused(1);
  disk_.SetRoom(int64_t{1} << 40);
  EXPECT_THAT(collection_->Put(MakeRecord("x", {1, 1, 1, 1})),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("reopen")));
  EXPECT_FALSE(collection_->Flush().ok());
  EXPECT_EQ(*collection_->Count(), static_cast<uint64_t>(acknowledged)) << "readers go on";
  Reopen();
  EXPECT_EQ(*collection_->Count(), static_cast<uint64_t>(acknowledged));
  EXPECT_OK(collection_->Put(MakeRecord("x", {1, 1, 1, 1})));
}

TEST_F(FullDiskTest, ACollectionOpensAndReadsOnAFullDisk) {
  Create();
  for (int i = 0; i < 100; ++i) ASSERT_OK(collection_->Put(MakeRecord("k" + std::to_string(i), {1, 1, 1, 1})));
  const std::string copy = CopyAsIfKilled("killed");
  collection_.reset();
  disk_.SetRoom(0);
  ReadOnlyOptions read_only;
  read_only.file_system = &disk_;
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collection> reader, Collection::OpenReadOnly(copy, read_only));
  EXPECT_EQ(*reader->Count(), 100u);
  // Recovery for writing needs room for a manifest and no more.
  EXPECT_THAT(Collection::Open(copy, options_), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("No space")));
  disk_.SetRoom(50'000);
  EXPECT_OK(Collection::Open(copy, options_));
}

TEST_F(FullDiskTest, AFailedSyncIsNeverAcknowledgedAndNeverTriedAgain) {
  Create();
  ASSERT_OK(collection_->Put(MakeRecord("good", {1, 1, 1, 1})));
  disk_.Fail({.calls = {DiskCall::kSync}});
  EXPECT_FALSE(collection_->Put(MakeRecord("bad", {1, 1, 1, 1})).ok());
  EXPECT_THAT(collection_->Put(MakeRecord("later", {1, 1, 1, 1})),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("injected")));
  EXPECT_EQ(*collection_->Count(), 1u);
  EXPECT_FALSE(collection_->Close().ok());
}

TEST_F(FullDiskTest, ALogThatCouldNotBeOpenedIsNotLeft) {
  Create();
  for (const DiskCall call : {DiskCall::kOpenForAppend, DiskCall::kSyncDirectory}) {
    disk_.Fail({.calls = {call}, .times = 1, .error = EMFILE});
    EXPECT_THAT(collection_->Put(MakeRecord("k", {1, 1, 1, 1})),
                StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("injected")));
    ASSERT_OK(collection_->Put(MakeRecord("k", {1, 1, 1, 1})));
    EXPECT_EQ(FileSystem::Default()->List(path() + "/wal")->size(), 1u);
    ASSERT_OK(collection_->Flush());
  }
}

TEST_F(FullDiskTest, AfterAFinalFailureEveryCallSaysTheSame) {
  Create();
  ASSERT_OK(collection_->Put(MakeRecord("good", {1, 1, 1, 1})));
  disk_.Fail({.calls = {DiskCall::kSync}, .times = 1});
  EXPECT_FALSE(collection_->Put(MakeRecord("bad", {1, 1, 1, 1})).ok());
  const absl::Status write = collection_->Put(MakeRecord("later", {1, 1, 1, 1}));
  EXPECT_THAT(write, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("reopen to continue")));
  EXPECT_EQ(collection_->Sync(), write);
  EXPECT_EQ(collection_->SetSyncMode(SyncMode::OnFlush()), write);
  EXPECT_EQ(collection_->Flush().status(), write);
  EXPECT_EQ(collection_->Merge(/*full=*/true).status(), write);
  EXPECT_EQ(collection_->Checkpoint().status(), write);
  EXPECT_EQ(collection_->Close(), write);
}

// A file system that is really full, where one can be mounted.
class FullTmpfsTest : public CollectionTest {
 protected:
  static constexpr const char* kSize = "size=16m";

  void SetUp() override {
    std::filesystem::create_directory(mounted_);
    if (::mount("tmpfs", mounted_.c_str(), "tmpfs", 0, kSize) != 0) {
      GTEST_SKIP() << "a tmpfs cannot be mounted here: " << std::generic_category().message(errno);
    }
    is_mounted_ = true;
  }
  void TearDown() override {
    CollectionTest::TearDown();
    if (is_mounted_) {
      EXPECT_EQ(::umount(mounted_.c_str()), 0);
    }
  }
  std::string InMounted(const std::string& name) const { return mounted_ + "/" + name; }
  static RecordInput Row(int n) { return MakeRecord("k" + std::to_string(n), {1, 2, 3, static_cast<float>(n)}); }

  const std::string mounted_ = temp_ / "small";
  bool is_mounted_ = false;
};

TEST_F(FullTmpfsTest, NothingAcknowledgedIsLostAndItGoesOnWhenThereIsRoom) {
  std::ofstream(InMounted("ballast")) << std::string(13 << 20, 'b');
  options_.sync = SyncMode::OnFlush();
  absl::StatusOr<std::unique_ptr<Collection>> made =
      Collection::Create(InMounted("c"), Schema::SingleVector(kDimension, Metric::kL2), options_);
  ASSERT_OK(made);
  collection_ = *std::move(made);
  int acknowledged = 0;
  absl::Status refused;
  while (refused.ok()) {
    RecordInput row = Row(acknowledged);
    row.payload = std::string(500, static_cast<char>('a' + acknowledged % 26));
    refused = collection_->Put(std::move(row));
    if (refused.ok()) ++acknowledged;
  }
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("No space")));
  EXPECT_GT(acknowledged, 1000);
  EXPECT_EQ(*collection_->Count(), static_cast<uint64_t>(acknowledged));
  EXPECT_FALSE(collection_->Flush().ok()) << "there is no room for a segment";
  ReadOnlyOptions read_only;
  read_only.clock = &clock_;
  {
    ASSERT_OK_AND_ASSIGN(const auto reader, Collection::OpenReadOnly(InMounted("c"), read_only));
    EXPECT_EQ(*reader->Count(), static_cast<uint64_t>(acknowledged));
  }

  std::filesystem::remove(InMounted("ballast"));
  collection_.reset();
  absl::StatusOr<std::unique_ptr<Collection>> opened = Collection::Open(InMounted("c"), options_);
  ASSERT_OK(opened);
  collection_ = *std::move(opened);
  EXPECT_EQ(*collection_->Count(), static_cast<uint64_t>(acknowledged));
  EXPECT_OK(collection_->Put(Row(acknowledged)));
  EXPECT_OK(collection_->Flush());
  EXPECT_EQ(collection_->Get("", "k7")->payload, std::string(500, 'h'));
  EXPECT_OK(collection_->Close());
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, VerifyPath(InMounted("c"), {}));
  EXPECT_TRUE(report.ok);
}

}  // namespace
}  // namespace varve::testing
