#include "varve/fault_file_system.h"

#include <memory>
#include <set>
#include <string>

#include "base/memory_file_system.h"
#include "base/publish.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::varve::testing::StatusIs;

class FaultFileSystemTest : public ::testing::Test {
 protected:
  std::string Contents(const std::string& path) { return ReadWholeFile(memory_.get(), path, 1 << 20).value_or("-"); }

  const std::unique_ptr<FileSystem> memory_ = NewMemoryFileSystem();
  FaultFileSystem disk_{memory_.get()};
};

TEST_F(FaultFileSystemTest, PassesEverythingOn) {
  ASSERT_OK(disk_.CreateDirectory("/d"));
  ASSERT_OK(PublishFile(&disk_, "/d/f", "contents"));
  ASSERT_OK(disk_.Link("/d/f", "/d/g"));
  ASSERT_OK(disk_.Rename("/d/g", "/d/h"));
  EXPECT_EQ(*ReadWholeFile(&disk_, "/d/h", 100), "contents");
  EXPECT_EQ((*disk_.Map("/d/f", false))->bytes().size(), 8u);
  EXPECT_EQ(disk_.Stat("/d/f")->size, 8u);
  EXPECT_EQ(disk_.List("/d")->size(), 2u);
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<FileLock> lock, disk_.Lock("/LOCK", "note"));
    EXPECT_TRUE(*disk_.IsLocked("/LOCK"));
  }
  ASSERT_OK(disk_.RemoveFile("/d/f"));
  ASSERT_OK(disk_.RemoveFile("/d/h"));
  ASSERT_OK(disk_.RemoveDirectory("/d"));
  EXPECT_EQ(disk_.calls(DiskCall::kCreateFile), 1u);
  EXPECT_EQ(disk_.calls(DiskCall::kRemoveFile), 2u);
  EXPECT_EQ(disk_.failures(), 0u);
}

TEST_F(FaultFileSystemTest, FailsTheCallsItIsTold) {
  disk_.Fail({.calls = {DiskCall::kCreateFile}, .path_part = "bad", .skip = 1, .times = 2, .error = EMFILE});
  EXPECT_OK(disk_.CreateFile("/good"));
  EXPECT_OK(disk_.CreateFile("/bad1"));
  EXPECT_THAT(disk_.CreateFile("/bad2"), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("create /bad2: ")));
  EXPECT_THAT(disk_.CreateFile("/bad3"), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("(injected)")));
  EXPECT_OK(disk_.CreateFile("/bad4"));
  EXPECT_EQ(disk_.failures(), 2u);
  EXPECT_FALSE(memory_->Stat("/bad2").ok());
}

TEST_F(FaultFileSystemTest, ErrorsAreThoseOfAFileSystem) {
  ASSERT_OK(PublishFile(&disk_, "/f", "x"));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WritableFile> file, disk_.OpenForAppend("/f"));
  disk_.Fail({});  // EIO, everywhere
  EXPECT_THAT(file->Append("y").status, StatusIs(absl::StatusCode::kInternal, HasSubstr("write /f")));
  EXPECT_THAT(file->Sync(), StatusIs(absl::StatusCode::kInternal, HasSubstr("fdatasync /f")));
  EXPECT_THAT(disk_.OpenForRead("/f"), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("read /f")));
  EXPECT_THAT(disk_.Map("/f", false), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("map /f")));
  EXPECT_THAT(disk_.SyncDirectory("/"), StatusIs(absl::StatusCode::kInternal, HasSubstr("sync directory /")));
  disk_.Heal();
  EXPECT_OK(file->Append("z").status);
  disk_.Fail({.calls = {DiskCall::kWrite}, .error = EINTR});
  EXPECT_THAT(file->Append("y").status, StatusIs(absl::StatusCode::kInternal, HasSubstr("Interrupted")));
  disk_.Fail({.calls = {DiskCall::kTruncate}, .error = EROFS});
  EXPECT_THAT(file->Truncate(0), StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("ftruncate")));
  EXPECT_EQ(Contents("/f"), "xz");
}

TEST_F(FaultFileSystemTest, ReadsFailToo) {
  ASSERT_OK(PublishFile(&disk_, "/f", "x"));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<RandomAccessFile> file, disk_.OpenForRead("/f"));
  disk_.Fail({.calls = {DiskCall::kRead}, .times = 1});
  char byte = 0;
  EXPECT_THAT(file->Read(0, 1, &byte), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("read /f")));
  EXPECT_EQ(*file->Read(0, 1, &byte), 1u);
}

TEST_F(FaultFileSystemTest, AShortWriteWritesAPartThatTheSeedChooses) {
  std::string contents;
  for (int run = 0; run < 2; ++run) {
    FaultFileSystem disk(memory_.get(), /*seed=*/3);
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WritableFile> file, disk.CreateFile("/f"));
    disk.Fail({.calls = {DiskCall::kWrite}, .partial = true});
    const WriteResult result = file->Append("0123456789");
    EXPECT_FALSE(result.status.ok());
    EXPECT_GT(result.bytes_written, 0u);
    EXPECT_LT(result.bytes_written, 10u);
    EXPECT_EQ(Contents("/f").size(), result.bytes_written);
    if (run == 1) {
      EXPECT_EQ(Contents("/f"), contents);
    }
    contents = Contents("/f");
  }
}

TEST_F(FaultFileSystemTest, ADiskMayLie) {
  ASSERT_OK(disk_.Record());
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WritableFile> file, disk_.CreateFile("/f"));
  disk_.Fail({.calls = {DiskCall::kSync, DiskCall::kSyncDirectory}, .error = 0});
  EXPECT_OK(file->Sync());
  EXPECT_OK(disk_.SyncDirectory("/"));
  EXPECT_EQ(disk_.trace_size(), 2u) << "the root as it was found, and the file: neither sync was one";
}

TEST_F(FaultFileSystemTest, RoomRunsOut) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WritableFile> file, disk_.CreateFile("/f"));
  disk_.SetRoom(5);
  EXPECT_OK(file->Append("1234").status);
  const WriteResult refused = file->Append("56");
  EXPECT_THAT(refused.status, StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("No space")));
  EXPECT_EQ(refused.bytes_written, 0u);
  EXPECT_OK(file->Append("5").status);
  disk_.SetRoom(1, /*partial=*/true);
  EXPECT_EQ(file->Append("67").bytes_written, 1u);
  EXPECT_EQ(Contents("/f"), "123456");
}

TEST_F(FaultFileSystemTest, ADeadProcessChangesNothing) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WritableFile> file, disk_.CreateFile("/f"));
  disk_.StopAfter(1);
  EXPECT_OK(file->Append("1").status);
  EXPECT_FALSE(disk_.stopped());
  EXPECT_FALSE(file->Append("2").status.ok());
  EXPECT_FALSE(disk_.RemoveFile("/f").ok());
  EXPECT_TRUE(disk_.stopped());
  EXPECT_EQ(*ReadWholeFile(&disk_, "/f", 10), "1") << "it reads";
  disk_.Heal();
  EXPECT_OK(file->Append("3").status);
}

TEST_F(FaultFileSystemTest, WritesDownWhatWasDone) {
  ASSERT_OK(memory_->CreateDirectory("/found"));
  ASSERT_OK(PublishFile(memory_.get(), "/found/f", "before"));
  ASSERT_OK(disk_.Record());
  ASSERT_OK(PublishFile(&disk_, "/found/f", "after"));
  ASSERT_OK(disk_.Link("/found/f", "/g"));
  ASSERT_OK(disk_.RemoveFile("/found/f"));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WritableFile> file, disk_.OpenForAppend("/g"));
  ASSERT_OK(file->Truncate(2));
  ASSERT_OK(disk_.CreateDirectory("/d"));
  ASSERT_OK(disk_.RemoveDirectory("/d"));
  const DiskTrace trace = disk_.trace();
  std::vector<std::string> described;
  for (size_t i = trace.initial; i < trace.operations.size(); ++i) {
    const std::string text = DescribeDiskOperation(trace, i);
    described.push_back(text.substr(text.find(' ') + 1));
  }
  EXPECT_THAT(described,
              ElementsAre("create /found/f.tmp", "write /found/f.tmp 0+5", "sync /found/f.tmp",
                          "rename /found/f.tmp to /found/f", "sync directory /found", "link /g", "remove /found/f",
                          "truncate /g to 2", "make directory /d", "remove directory /d"));
}

TEST_F(FaultFileSystemTest, AnUnmappedFileIsTold) {
  int unmapped = 0;
  disk_.OnUnmap([&] { ++unmapped; });
  ASSERT_OK(PublishFile(&disk_, "/f", "x"));
  EXPECT_OK(disk_.Map("/f", false).status());
  EXPECT_EQ(unmapped, 1);
}

TEST_F(FaultFileSystemTest, WhatIsHandedOutIsCounted) {
  ASSERT_OK(PublishFile(&disk_, "/f", "x"));
  EXPECT_EQ(disk_.open_handles(), 0);
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WritableFile> file, disk_.OpenForAppend("/f"));
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<RandomAccessFile> reader, disk_.OpenForRead("/f"));
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<MappedFile> mapping, disk_.Map("/f", false));
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<FileLock> lock, disk_.Lock("/LOCK", "note"));
    EXPECT_OK(file->Close());
    EXPECT_EQ(disk_.open_handles(), 4);
    disk_.Fail({});
    EXPECT_FALSE(disk_.OpenForRead("/f").ok());
    EXPECT_EQ(disk_.open_handles(), 4) << "what failed handed nothing out";
  }
  EXPECT_EQ(disk_.open_handles(), 0);
}

TEST_F(FaultFileSystemTest, ACallMayBeWatchedAndMakesOthers) {
  std::vector<std::string> seen;
  disk_.OnCall([&](DiskCall call, const std::string& path) {
    seen.push_back(std::string(DiskCallName(call)) + " " + path);
    if (call == DiskCall::kRename) (void)disk_.RemoveFile("/other");
  });
  ASSERT_OK(disk_.CreateFile("/f").status());
  disk_.Fail({.calls = {DiskCall::kRename}});
  EXPECT_FALSE(disk_.Rename("/f", "/g").ok());
  disk_.StopAfter(0);
  EXPECT_FALSE(disk_.RemoveFile("/f").ok());
  EXPECT_THAT(seen, ElementsAre("create /f", "rename /g", "unlink /other")) << "the dead make no calls";
}

TEST_F(FaultFileSystemTest, WhoIsRevivedFindsTheFaultsAsTheyWere) {
  disk_.Fail({.calls = {DiskCall::kCreateFile}, .skip = 1, .times = 1});
  disk_.StopAfter(0);
  EXPECT_FALSE(disk_.CreateFile("/f").ok());
  disk_.Revive();
  EXPECT_OK(disk_.CreateFile("/f")) << "calls of the dead are not counted";
  EXPECT_FALSE(disk_.CreateFile("/g").ok());
  EXPECT_EQ(disk_.failures(), 1u);
}

TEST_F(FaultFileSystemTest, EveryCallHasAName) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < kDiskCalls; ++i) names.insert(DiskCallName(static_cast<DiskCall>(i)));
  EXPECT_EQ(names.size(), kDiskCalls);
  EXPECT_FALSE(names.contains(""));
}

}  // namespace
}  // namespace varve
