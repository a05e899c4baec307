#include "base/directories.h"

#include <filesystem>

#include "base/memory_file_system.h"
#include "base/publish.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "varve/crash_disk.h"
#include "varve/fault_file_system.h"

namespace varve {
namespace {

TEST(Directories, MakesWhatIsMissingAbove) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  EXPECT_OK(MakeDirectories(fs.get(), "/a/b/c"));
  EXPECT_OK(MakeDirectories(fs.get(), "/a/b/c"));
  EXPECT_TRUE(fs->Stat("/a/b/c")->is_directory);
}

TEST(Directories, MakesDurableWhatAnotherHasMade) {
  const std::unique_ptr<FileSystem> memory = NewMemoryFileSystem();
  FaultFileSystem disk(memory.get());
  ASSERT_OK(disk.Record());
  // By a process that died before it could sync them.
  ASSERT_OK(disk.CreateDirectory("/a"));
  ASSERT_OK(disk.CreateDirectory("/a/b"));
  ASSERT_OK(MakeDirectories(&disk, "/a/b/c"));
  const DiskTrace trace = disk.trace();
  ASSERT_OK_AND_ASSIGN(const DiskImage left, CrashDisk(trace, trace.operations.size()).Build("none"));
  EXPECT_OK(left.disk->Stat("/a/b/c").status());
}

TEST(Directories, RefusesToPassThroughAFile) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  ASSERT_OK(PublishFile(fs.get(), "/file", "x"));
  EXPECT_FALSE(MakeDirectories(fs.get(), "/file/a").ok());
}

TEST(Directories, RemovesATreeAndNothingElse) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  ASSERT_OK(MakeDirectories(fs.get(), "/a/b/c"));
  ASSERT_OK(PublishFile(fs.get(), "/a/b/file", "x"));
  ASSERT_OK(PublishFile(fs.get(), "/a/other", "x"));
  EXPECT_OK(RemoveTree(fs.get(), "/a/b"));
  EXPECT_TRUE(absl::IsNotFound(fs->Stat("/a/b").status()));
  EXPECT_OK(fs->Stat("/a/other").status());
  EXPECT_OK(RemoveTree(fs.get(), "/a/b"));
}

TEST(Directories, NeverFollowsALink) {
  const testing::TempDir temp;
  FileSystem* fs = FileSystem::Default();
  ASSERT_OK(MakeDirectories(fs, temp / "kept"));
  ASSERT_OK(PublishFile(fs, temp / "kept/file", "x"));
  ASSERT_OK(MakeDirectories(fs, temp / "tree"));
  std::filesystem::create_directory_symlink(temp / "kept", temp / "tree/link");
  EXPECT_OK(RemoveTree(fs, temp / "tree"));
  EXPECT_TRUE(absl::IsNotFound(fs->Stat(temp / "tree").status()));
  EXPECT_OK(fs->Stat(temp / "kept/file").status());
}

TEST(Directories, StripsSlashesAtTheEnd) {
  EXPECT_EQ(WithoutTrailingSlashes("a/b//"), "a/b");
  EXPECT_EQ(WithoutTrailingSlashes("///"), "/");
  EXPECT_EQ(WithoutTrailingSlashes(""), "");
}

}  // namespace
}  // namespace varve
