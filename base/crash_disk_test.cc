#include "varve/crash_disk.h"

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/memory_file_system.h"
#include "base/publish.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "varve/fault_file_system.h"

namespace varve {
namespace {

using ::testing::_;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::varve::testing::StatusIs;

class CrashDiskTest : public ::testing::Test {
 protected:
  CrashDiskTest() { EXPECT_OK(disk_.Record()); }

  std::unique_ptr<WritableFile> Create(const std::string& path) {
    absl::StatusOr<std::unique_ptr<WritableFile>> file = disk_.CreateFile(path);
    EXPECT_OK(file);
    return *std::move(file);
  }
  // A file whose name and bytes are durable.
  std::unique_ptr<WritableFile> CreateDurable(const std::string& path, const std::string& bytes) {
    std::unique_ptr<WritableFile> file = Create(path);
    EXPECT_OK(file->Append(bytes).status);
    EXPECT_OK(file->Sync());
    EXPECT_OK(disk_.SyncDirectory(DirectoryOf(path)));
    return file;
  }
  std::unique_ptr<FileSystem> After(const std::string& state) {
    trace_ = disk_.trace();
    absl::StatusOr<DiskImage> image = CrashDisk(trace_, trace_.operations.size()).Build(state);
    EXPECT_OK(image) << state;
    return image.ok() ? std::move(image->disk) : NewMemoryFileSystem();
  }
  // The bytes of a file; "-" if it is not there.
  std::string Left(const std::string& path, const std::string& state) {
    const std::unique_ptr<FileSystem> left = After(state);
    return ReadWholeFile(left.get(), path, 1 << 20).value_or("-");
  }
  // What there is of a file over all states.
  std::set<std::string> AllLeft(const std::string& path, size_t most = 1000) {
    trace_ = disk_.trace();
    const CrashDisk crash(trace_, trace_.operations.size());
    std::set<std::string> left;
    for (const std::string& state : crash.States({.most = most})) left.insert(Left(path, state));
    return left;
  }

  const std::unique_ptr<FileSystem> memory_ = NewMemoryFileSystem();
  FaultFileSystem disk_{memory_.get()};
  DiskTrace trace_;
};

TEST_F(CrashDiskTest, WhatIsSyncedIsThereInEveryState) {
  const std::unique_ptr<WritableFile> file = CreateDurable("/f", "durable");
  EXPECT_THAT(AllLeft("/f"), ElementsAre("durable"));
  EXPECT_EQ(CrashDisk(trace_, trace_.operations.size()).pieces(), 0u);
}

TEST_F(CrashDiskTest, UnsyncedBytesAreLostOrKept) {
  const std::unique_ptr<WritableFile> file = CreateDurable("/f", "durable");
  EXPECT_OK(file->Append(" lost").status);
  EXPECT_OK(file->WriteAt(0, "D").status);
  EXPECT_EQ(Left("/f", "none"), "durable");
  EXPECT_EQ(Left("/f", "all"), "Durable lost");
  EXPECT_EQ(Left("/f", "first:1"), "durable lost");
  EXPECT_EQ(Left("/f", "only:1"), "Durable");
  EXPECT_THAT(AllLeft("/f"), Contains("durable lost"));
}

TEST_F(CrashDiskTest, WritesTearAtPagesAndSectors) {
  const std::unique_ptr<WritableFile> file = CreateDurable("/f", std::string(100, 'a'));
  EXPECT_OK(file->Append(std::string(8000, 'b')).status);
  EXPECT_EQ(CrashDisk(disk_.trace(), 0).pieces(), 0u);
  EXPECT_EQ(Left("/f", "first:1"), std::string(100, 'a') + std::string(3996, 'b'));
  EXPECT_EQ(Left("/f", "first:1/512"), std::string(100, 'a') + std::string(412, 'b'));
  // A later piece without an earlier one: a hole.
  EXPECT_EQ(Left("/f", "only:1"), std::string(100, 'a') + std::string(3996, '\0') + std::string(4004, 'b'));
}

TEST_F(CrashDiskTest, TailsAreZerosOrStale) {
  const std::unique_ptr<WritableFile> other = CreateDurable("/other", std::string(5000, 'o'));
  const std::unique_ptr<WritableFile> file = CreateDurable("/f", "ab");
  EXPECT_OK(file->Append(std::string(1000, 'c')).status);
  EXPECT_EQ(Left("/f", "none/zeros"), "ab" + std::string(1000, '\0'));
  EXPECT_EQ(Left("/f", "first:1/512/zeros"), "ab" + std::string(510, 'c') + std::string(490, '\0'));
  std::set<std::string> stale;
  for (int seed = 0; seed < 20; ++seed) stale.insert(Left("/f", "none/stale:" + std::to_string(seed)));
  EXPECT_THAT(stale, Contains("ab" + std::string(1000, 'o'))) << "the old bytes of another file";
  EXPECT_GT(stale.size(), 5u) << "noise";
  for (const std::string& left : stale) {
    EXPECT_EQ(left.size(), 1002u);
    EXPECT_EQ(left.substr(0, 2), "ab") << "what was durable stays";
  }
}

TEST_F(CrashDiskTest, SomeDisksDamageWhatStandsBesideAWrite) {
  const std::unique_ptr<WritableFile> file = CreateDurable("/f", std::string(9000, 'a'));
  EXPECT_OK(file->WriteAt(4200, "b").status);
  const std::string left = Left("/f", "none/beside:1");
  EXPECT_EQ(left.size(), 9000u);
  EXPECT_EQ(left.substr(0, 4096), std::string(4096, 'a'));
  EXPECT_NE(left.substr(4096, 4096), std::string(4096, 'a'));
  EXPECT_EQ(left.substr(8192), std::string(808, 'a'));
}

TEST_F(CrashDiskTest, NamesAreLostUntilTheirDirectoryIsSynced) {
  const std::unique_ptr<WritableFile> file = Create("/f");
  EXPECT_OK(file->Append("x").status);
  EXPECT_OK(file->Sync());
  EXPECT_THAT(AllLeft("/f"), ElementsAre("-", "x"));
  EXPECT_OK(disk_.SyncDirectory("/"));
  EXPECT_THAT(AllLeft("/f"), ElementsAre("x"));
  EXPECT_OK(disk_.RemoveFile("/f"));
  EXPECT_THAT(AllLeft("/f"), ElementsAre("-", "x")) << "a removed file may come back";
}

TEST_F(CrashDiskTest, ARenameIsThereOrNotWhateverItsBytes) {
  const std::unique_ptr<WritableFile> old = CreateDurable("/f", "old");
  const std::unique_ptr<WritableFile> file = Create("/f.tmp");
  EXPECT_OK(file->Append("new").status);
  EXPECT_OK(disk_.Rename("/f.tmp", "/f"));
  const std::set<std::string> left = AllLeft("/f");
  EXPECT_THAT(left, IsSupersetOf({"", "new", "old"})) << "renamed before its bytes were there";
  EXPECT_THAT(left, Not(Contains("-"))) << "never without either";
}

TEST_F(CrashDiskTest, ARenameBetweenDirectoriesNeedsBothSynced) {
  EXPECT_OK(disk_.CreateDirectory("/a"));
  EXPECT_OK(disk_.CreateDirectory("/b"));
  EXPECT_OK(disk_.SyncDirectory("/"));
  const std::unique_ptr<WritableFile> file = CreateDurable("/a/f", "x");
  EXPECT_OK(disk_.Rename("/a/f", "/b/f"));
  EXPECT_OK(disk_.SyncDirectory("/b"));
  EXPECT_THAT(AllLeft("/a/f"), ElementsAre("-", "x"));
  EXPECT_OK(disk_.SyncDirectory("/a"));
  EXPECT_THAT(AllLeft("/a/f"), ElementsAre("-"));
  EXPECT_THAT(AllLeft("/b/f"), ElementsAre("x"));
}

TEST_F(CrashDiskTest, ARenamedDirectoryIsOneThoughItsFirstNameWasLost) {
  EXPECT_OK(disk_.CreateDirectory("/d.tmp"));
  const std::unique_ptr<WritableFile> file = CreateDurable("/d.tmp/f", "x");
  EXPECT_OK(disk_.Rename("/d.tmp", "/d"));
  EXPECT_EQ(Left("/d/f", "only:1"), "x");
  EXPECT_THAT(AllLeft("/d/f"), ElementsAre("-", "x"));
}

TEST_F(CrashDiskTest, WhatIsInALostDirectoryIsLost) {
  EXPECT_OK(disk_.CreateDirectory("/d"));
  const std::unique_ptr<WritableFile> file = CreateDurable("/d/f", "x");
  EXPECT_EQ(Left("/d/f", "none"), "-");
  EXPECT_EQ(Left("/d/f", "all"), "x");
}

TEST_F(CrashDiskTest, FilesAreReorderedWithinTheLimitsOfTheSyncs) {
  const std::unique_ptr<WritableFile> a = CreateDurable("/a", "");
  const std::unique_ptr<WritableFile> b = CreateDurable("/b", "");
  EXPECT_OK(a->Append("1").status);
  EXPECT_OK(b->Append("2").status);
  EXPECT_EQ(Left("/a", "without:0:1"), "");
  EXPECT_EQ(Left("/b", "without:0:1"), "2");
  EXPECT_OK(a->Sync());
  EXPECT_THAT(AllLeft("/a"), ElementsAre("1"));
}

TEST_F(CrashDiskTest, ASyncCoversWhatWasWrittenBeforeItBegan) {
  const std::unique_ptr<WritableFile> file = CreateDurable("/f", "");
  EXPECT_OK(file->Append("a").status);
  DiskTrace trace = disk_.trace();
  const DiskInode inode = trace.operations.back().inode;
  const size_t begun = trace.operations.size();
  trace.operations.push_back({.kind = DiskOperation::Kind::kWrite, .inode = inode, .offset = 1, .bytes = "b"});
  trace.operations.push_back({.kind = DiskOperation::Kind::kSync, .inode = inode, .begun = begun});
  ASSERT_OK_AND_ASSIGN(const DiskImage image, CrashDisk(trace, trace.operations.size()).Build("none"));
  EXPECT_EQ(*ReadWholeFile(image.disk.get(), "/f", 100), "a");
}

TEST_F(CrashDiskTest, HardLinksStayOneFile) {
  const std::unique_ptr<WritableFile> file = CreateDurable("/f", "x");
  EXPECT_OK(disk_.Link("/f", "/g"));
  const std::unique_ptr<FileSystem> left = After("all");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WritableFile> opened, left->OpenForAppend("/f"));
  EXPECT_OK(opened->Append("y").status);
  EXPECT_EQ(*ReadWholeFile(left.get(), "/g", 100), "xy");
}

TEST_F(CrashDiskTest, FewPiecesGiveEverySubset) {
  const std::unique_ptr<WritableFile> file = CreateDurable("/f", std::string(6, '.'));
  for (int i = 0; i < 6; ++i) EXPECT_OK(file->WriteAt(static_cast<uint64_t>(i), "x").status);
  EXPECT_EQ(AllLeft("/f").size(), 64u);
}

TEST_F(CrashDiskTest, ManyPiecesGiveASampleOfEachKind) {
  const std::unique_ptr<WritableFile> file = CreateDurable("/f", "");
  EXPECT_OK(file->Append(std::string(200'000, 'x')).status);
  trace_ = disk_.trace();
  const CrashDisk crash(trace_, trace_.operations.size());
  const std::vector<std::string> states = crash.States({.most = 40, .seed = 5});
  EXPECT_EQ(states.size(), 40u);
  EXPECT_EQ(states, crash.States({.most = 40, .seed = 5})) << "the same seed, the same states";
  EXPECT_NE(states, crash.States({.most = 40, .seed = 6}));
  std::set<uint64_t> images;
  std::set<std::string> kinds;
  for (const std::string& state : states) {
    ASSERT_OK_AND_ASSIGN(const DiskImage image, crash.Build(state));
    images.insert(image.hash);
    kinds.insert(state.substr(0, state.find_first_of(":/")));
  }
  EXPECT_GT(images.size(), 35u);
  EXPECT_THAT(kinds, ElementsAre("all", "but", "first", "none", "only", "random", "without"));
}

TEST_F(CrashDiskTest, AHashIsOfNamesAndBytes) {
  const std::unique_ptr<WritableFile> file = CreateDurable("/f", "x");
  EXPECT_OK(file->Append("y").status);
  trace_ = disk_.trace();
  const CrashDisk crash(trace_, trace_.operations.size());
  EXPECT_EQ(crash.Build("none")->hash, crash.Build("first:0")->hash);
  EXPECT_NE(crash.Build("none")->hash, crash.Build("all")->hash);
}

TEST_F(CrashDiskTest, WhatIsNoStateIsRefused) {
  const CrashDisk crash(trace_, 0);
  for (const char* state : {"", "some", "first", "first:", "first:9", "bits:zz", "without:0", "none/1024", "none/stale",
                            "random:x", "only:0"}) {
    EXPECT_THAT(crash.Build(state), StatusIs(absl::StatusCode::kInvalidArgument, _)) << state;
  }
}

// As Linux has it: the error is told once, and the pages are clean from then on.
TEST_F(CrashDiskTest, WhatAFailedSyncCoveredIsDurableOnlyOnceItIsWrittenAgain) {
  const std::unique_ptr<WritableFile> file = CreateDurable("/f", "durable.");
  ASSERT_OK(file->Append("1").status);
  disk_.Fail({.calls = {DiskCall::kSync}, .times = 1});
  EXPECT_FALSE(file->Sync().ok());
  ASSERT_OK(file->Append("2").status);
  ASSERT_OK(file->Sync());
  EXPECT_EQ(Left("/f", "none"), std::string("durable.\0", 9) + "2") << "the second sync does not speak for the first";
  EXPECT_EQ(Left("/f", "all"), "durable.12") << "nor does its failure say that it did not happen";
  ASSERT_OK(file->WriteAt(8, "12").status);
  ASSERT_OK(file->Sync());
  EXPECT_EQ(Left("/f", "none"), "durable.12");
  EXPECT_EQ(DescribeDiskOperation(trace_, trace_.operations.size() - 5), "6 failed sync /f");
}

}  // namespace
}  // namespace varve
