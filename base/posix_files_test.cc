#include "base/posix_files.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>

#include "base/posix_file_system.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace varve {
namespace {

using ::testing::_;
using ::testing::HasSubstr;
using ::varve::testing::StatusIs;

// Lowers a soft limit of the process for as long as it lives.
class ScopedLimit {
 public:
  ScopedLimit(__rlimit_resource_t resource, rlim_t limit) : resource_(resource) {
    ::getrlimit(resource_, &old_);
    const struct rlimit lowered { limit, old_.rlim_max };
    ::setrlimit(resource_, &lowered);
  }
  ~ScopedLimit() { ::setrlimit(resource_, &old_); }
  ScopedLimit(const ScopedLimit&) = delete;
  ScopedLimit& operator=(const ScopedLimit&) = delete;

 private:
  const __rlimit_resource_t resource_;
  struct rlimit old_ {};
};

TEST(PosixFiles, AFailedWriteTellsHowMuchArrived) {
  const testing::TempDir directory;
  const std::unique_ptr<FileSystem> fs = NewPosixFileSystem();
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WritableFile> file, fs->CreateFile(directory / "f"));
  ASSERT_OK(file->Append("0123").status);

  // The kernel first writes as much as fits, then fails with EFBIG.
  const auto old_handler = ::signal(SIGXFSZ, SIG_IGN);
  WriteResult result;
  {
    const ScopedLimit limit(RLIMIT_FSIZE, 10);
    result = file->Append("abcdefghij");
  }
  ::signal(SIGXFSZ, old_handler);

  EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr(directory / "f")));
  EXPECT_EQ(result.bytes_written, 6u);
  EXPECT_EQ(file->Size(), 10u);
  EXPECT_OK(file->Truncate(4));
  EXPECT_OK(file->Append("more").status);
  EXPECT_EQ(fs->Stat(directory / "f")->size, 8u);
}

TEST(PosixFiles, RunningOutOfDescriptorsIsResourceExhausted) {
  const testing::TempDir directory;
  const std::unique_ptr<FileSystem> fs = NewPosixFileSystem();
  const ScopedLimit limit(RLIMIT_NOFILE, 0);
  EXPECT_THAT(fs->CreateFile(directory / "f"), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("open")));
}

TEST(PosixFiles, PreallocationReservesBlocksBehindTheEnd) {
  const testing::TempDir directory;
  const std::unique_ptr<FileSystem> fs = NewPosixFileSystem();
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WritableFile> file, fs->CreateFile(directory / "f"));
  ASSERT_OK(file->Append("x").status);
  if (absl::IsUnimplemented(file->Preallocate(1 << 20))) GTEST_SKIP() << "no fallocate on this file system";
  struct stat info;
  ASSERT_EQ(::stat((directory / "f").c_str(), &info), 0);
  EXPECT_EQ(info.st_size, 1);
  EXPECT_GE(info.st_blocks * 512, 1 << 20);
  EXPECT_THAT(file->Preallocate(~uint64_t{0}), StatusIs(absl::StatusCode::kResourceExhausted, _));
}

TEST(PosixFiles, APipeIsRefusedWithoutWaiting) {
  const testing::TempDir directory;
  const std::unique_ptr<FileSystem> fs = NewPosixFileSystem();
  ASSERT_EQ(::mkfifo((directory / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(fs->OpenForRead(directory / "pipe"),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("not a regular file")));
  EXPECT_THAT(fs->Map(directory / "pipe", true),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("not a regular file")));
  EXPECT_FALSE(fs->OpenForAppend(directory / "pipe").ok());
}

TEST(PosixFiles, CreateReplacesALinkAndNotWhatItPointsTo) {
  const testing::TempDir directory;
  const std::unique_ptr<FileSystem> fs = NewPosixFileSystem();
  ASSERT_OK((*fs->CreateFile(directory / "target"))->Append("precious").status);
  ASSERT_EQ(::symlink("target", (directory / "link").c_str()), 0);
  ASSERT_OK(fs->CreateFile(directory / "link"));
  EXPECT_EQ(fs->Stat(directory / "target")->size, 8u);
  EXPECT_EQ(fs->Stat(directory / "link")->size, 0u);
}

TEST(PosixFiles, AClosedFileReportsFurtherUse) {
  const testing::TempDir directory;
  const std::unique_ptr<FileSystem> fs = NewPosixFileSystem();
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WritableFile> file, fs->CreateFile(directory / "f"));
  EXPECT_OK(file->Close());
  EXPECT_OK(file->Close());
  EXPECT_FALSE(file->Append("x").status.ok());
  EXPECT_FALSE(file->Sync().ok());
}

TEST(PosixFiles, DescriptorsAreClosedOnExec) {
  const testing::TempDir directory;
  ASSERT_OK_AND_ASSIGN(const Descriptor descriptor, OpenDescriptor(directory / "f", O_RDWR | O_CREAT));
  EXPECT_NE(::fcntl(descriptor.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(PosixFiles, TheLockOfAnotherProcessIsSeenAndEndsWithIt) {
  const testing::TempDir directory;
  const std::string path = directory / "LOCK";
  int to_child[2];
  int to_parent[2];
  ASSERT_EQ(::pipe(to_child), 0);
  ASSERT_EQ(::pipe(to_parent), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(to_child[1]);
    const auto lock = NewPosixFileSystem()->Lock(path, "the child");
    char byte = lock.ok() ? 'y' : 'n';
    if (::write(to_parent[1], &byte, 1) != 1) ::_exit(1);
    if (::read(to_child[0], &byte, 1) < 0) ::_exit(2);  // until the parent closes its end
    ::_exit(0);
  }
  ::close(to_child[0]);
  char byte = 0;
  ASSERT_EQ(::read(to_parent[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');

  const std::unique_ptr<FileSystem> fs = NewPosixFileSystem();
  EXPECT_TRUE(fs->IsLocked(path).value());
  EXPECT_THAT(fs->Lock(path, "the parent"), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("the child")));
  ::close(to_child[1]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(fs->IsLocked(path).value());
  EXPECT_OK(fs->Lock(path, "the parent"));
  ::close(to_parent[0]);
  ::close(to_parent[1]);
}

TEST(PosixFiles, ALockCanBeLookedAtThroughAFileThatMayOnlyBeRead) {
  const testing::TempDir directory;
  const std::unique_ptr<FileSystem> fs = NewPosixFileSystem();
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<FileLock> lock, fs->Lock(directory / "LOCK", "me"));
  ASSERT_EQ(::chmod((directory / "LOCK").c_str(), 0444), 0);
  EXPECT_TRUE(fs->IsLocked(directory / "LOCK").value());
  lock.reset();
  EXPECT_FALSE(fs->IsLocked(directory / "LOCK").value());
}

}  // namespace
}  // namespace varve
