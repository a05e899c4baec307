#include "base/publish.h"

#include <memory>
#include <string>

#include "base/memory_file_system.h"
#include "base/posix_file_system.h"
#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::varve::testing::StatusIs;

TEST(Publish, TheFileIsThereWholeAndNothingElse) {
  const testing::TempDir directory;
  const std::unique_ptr<FileSystem> fs = NewPosixFileSystem();
  EXPECT_OK(PublishFile(fs.get(), directory / "manifest", "first"));
  EXPECT_OK(PublishFile(fs.get(), directory / "manifest", "second", /*sync_directory=*/false));
  EXPECT_EQ(ReadWholeFile(fs.get(), directory / "manifest", 100).value(), "second");
  EXPECT_THAT(fs->List(directory.path()).value(), ElementsAre("manifest"));
}

TEST(Publish, ATemporaryTakesItsFinalName) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WritableFile> file, fs->CreateFile("/f.tmp"));
  ASSERT_OK(file->Append("contents").status);
  EXPECT_OK(PublishTemporary(fs.get(), file.get(), "/f"));
  EXPECT_EQ(ReadWholeFile(fs.get(), "/f", 8).value(), "contents");
  EXPECT_THAT(fs->List("/").value(), ElementsAre("f"));
}

TEST(Publish, AFailedPublishLeavesNeitherTemporaryNorChange) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  ASSERT_OK(fs->CreateDirectory("/d"));  // in the way of the rename
  EXPECT_FALSE(PublishFile(fs.get(), "/d", "contents").ok());
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WritableFile> file, fs->CreateFile("/d.tmp"));
  EXPECT_FALSE(PublishTemporary(fs.get(), file.get(), "/d").ok());
  EXPECT_THAT(fs->List("/").value(), ElementsAre("d"));
  EXPECT_THAT(PublishFile(fs.get(), "/none/f", ""), StatusIs(absl::StatusCode::kNotFound, HasSubstr("/none/f.tmp")));
}

TEST(Publish, ReadWholeFileRefusesWhatIsTooLong) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  ASSERT_OK(PublishFile(fs.get(), "/f", "12345"));
  EXPECT_EQ(ReadWholeFile(fs.get(), "/f", 5).value(), "12345");
  EXPECT_THAT(ReadWholeFile(fs.get(), "/f", 4), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("/f")));
  EXPECT_THAT(ReadWholeFile(fs.get(), "/none", 4), StatusIs(absl::StatusCode::kNotFound, HasSubstr("/none")));
  ASSERT_OK(PublishFile(fs.get(), "/empty", ""));
  EXPECT_EQ(ReadWholeFile(fs.get(), "/empty", 0).value(), "");
}

TEST(Paths, AreSplitAndJoined) {
  EXPECT_EQ(DirectoryOf("/a/b/c"), "/a/b");
  EXPECT_EQ(DirectoryOf("/a"), "/");
  EXPECT_EQ(DirectoryOf("a"), ".");
  EXPECT_EQ(DirectoryOf("a/b"), "a");
  EXPECT_EQ(JoinPath("a", "b"), "a/b");
  EXPECT_EQ(JoinPath("a/", "b"), "a/b");
  EXPECT_EQ(JoinPath("/", "b"), "/b");
  EXPECT_EQ(JoinPath("", "b"), "b");
}

}  // namespace
}  // namespace varve
