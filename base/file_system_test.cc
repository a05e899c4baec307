#include "varve/file_system.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/memory_file_system.h"
#include "base/posix_file_system.h"
#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace varve {
namespace {

using ::testing::_;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using ::varve::testing::StatusIs;

// Runs on each file system: what holds for one holds for the other.
class FileSystemTest : public ::testing::TestWithParam<bool> {
 protected:
  FileSystemTest()
      : fs_(GetParam() ? NewMemoryFileSystem() : NewPosixFileSystem()), root_(GetParam() ? "" : directory_.path()) {}

  std::string Path(const std::string& name) const { return root_ + "/" + name; }

  std::unique_ptr<WritableFile> Create(const std::string& name, std::string_view contents = "") {
    absl::StatusOr<std::unique_ptr<WritableFile>> file = fs_->CreateFile(Path(name));
    EXPECT_OK(file);
    EXPECT_OK((*file)->Append(contents).status);
    return *std::move(file);
  }

  std::string Contents(const std::string& name) {
    absl::StatusOr<std::unique_ptr<RandomAccessFile>> file = fs_->OpenForRead(Path(name));
    if (!file.ok()) return file.status().ToString();
    std::string contents(1 << 20, '\0');
    contents.resize((*file)->Read(0, contents.size(), contents.data()).value());
    return contents;
  }

  testing::TempDir directory_;
  const std::unique_ptr<FileSystem> fs_;
  const std::string root_;
};

INSTANTIATE_TEST_SUITE_P(Each, FileSystemTest, ::testing::Bool(),
                         [](const auto& fs_kind) { return fs_kind.param ? "Memory" : "Posix"; });

TEST_P(FileSystemTest, WhatWasAppendedIsReadBack) {
  const std::unique_ptr<WritableFile> file = Create("f");
  EXPECT_EQ(file->Size(), 0u);
  WriteResult first = file->Append("hello, ");
  EXPECT_OK(first.status);
  EXPECT_EQ(first.bytes_written, 7u);
  EXPECT_OK(file->Append("world").status);
  EXPECT_EQ(file->Size(), 12u);
  EXPECT_EQ(Contents("f"), "hello, world");
  EXPECT_OK(file->Sync());
  EXPECT_OK(file->Close());
  EXPECT_EQ(Contents("f"), "hello, world");
}

TEST_P(FileSystemTest, ReadsAreShortOnlyAtTheEnd) {
  Create("f", "0123456789");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<RandomAccessFile> file, fs_->OpenForRead(Path("f")));
  char buffer[16];
  EXPECT_EQ(file->Size().value(), 10u);
  EXPECT_EQ(file->Read(3, 4, buffer).value(), 4u);
  EXPECT_EQ(std::string(buffer, 4), "3456");
  EXPECT_EQ(file->Read(8, 16, buffer).value(), 2u);
  EXPECT_EQ(file->Read(10, 1, buffer).value(), 0u);
  EXPECT_EQ(file->Read(1000, 1, buffer).value(), 0u);
  EXPECT_EQ(file->Read(~uint64_t{0}, 16, buffer).value(), 0u);
  EXPECT_EQ(file->Read((uint64_t{1} << 63) - 4, 16, buffer).value(), 0u);
}

TEST_P(FileSystemTest, OpenForAppendGoesOnAtTheEnd) {
  Create("f", "abc");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WritableFile> file, fs_->OpenForAppend(Path("f")));
  EXPECT_EQ(file->Size(), 3u);
  EXPECT_OK(file->Append("def").status);
  EXPECT_EQ(Contents("f"), "abcdef");
}

TEST_P(FileSystemTest, WriteAtOverwritesAndMayReachBeyondTheEndButNotBeginThere) {
  const std::unique_ptr<WritableFile> file = Create("f", "abcdef");
  EXPECT_OK(file->WriteAt(2, "XY").status);
  EXPECT_EQ(file->Size(), 6u);
  EXPECT_EQ(Contents("f"), "abXYef");
  EXPECT_OK(file->WriteAt(5, "-123").status);
  EXPECT_EQ(file->Size(), 9u);
  EXPECT_EQ(Contents("f"), "abXYe-123");
  const WriteResult beyond = file->WriteAt(10, "x");
  EXPECT_THAT(beyond.status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("offset 10")));
  EXPECT_EQ(beyond.bytes_written, 0u);
  EXPECT_THAT(file->WriteAt(~uint64_t{0}, "x").status, StatusIs(absl::StatusCode::kInvalidArgument, _));
  EXPECT_EQ(Contents("f"), "abXYe-123");
}

TEST_P(FileSystemTest, TruncateCutsAndAppendGoesOnThere) {
  const std::unique_ptr<WritableFile> file = Create("f", "abcdef");
  EXPECT_THAT(file->Truncate(7), StatusIs(absl::StatusCode::kInvalidArgument, _));
  EXPECT_OK(file->Truncate(2));
  EXPECT_EQ(file->Size(), 2u);
  EXPECT_EQ(Contents("f"), "ab");
  EXPECT_OK(file->Append("z").status);
  EXPECT_EQ(Contents("f"), "abz");
}

TEST_P(FileSystemTest, PreallocationChangesNeitherLengthNorContents) {
  const std::unique_ptr<WritableFile> file = Create("f", "abc");
  const absl::Status reserved = file->Preallocate(1 << 20);
  EXPECT_TRUE(reserved.ok() || absl::IsUnimplemented(reserved)) << reserved;
  EXPECT_EQ(file->Size(), 3u);
  EXPECT_EQ(fs_->Stat(Path("f"))->size, 3u);
  EXPECT_OK(file->Append("def").status);
  EXPECT_EQ(Contents("f"), "abcdef");
  EXPECT_OK(file->Preallocate(1));
}

TEST_P(FileSystemTest, LargeWritesArriveWhole) {
  std::string data(5 << 20, '\0');
  Random random(1);
  for (size_t i = 0; i < data.size(); i += 8) StoreUnaligned(data.data() + i, random.Next());
  const std::unique_ptr<WritableFile> file = Create("f", "x");
  EXPECT_EQ(file->Append(data).bytes_written, data.size());
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<MappedFile> mapped, fs_->Map(Path("f"), /*copy=*/false));
  ASSERT_EQ(mapped->bytes().size(), data.size() + 1);
  EXPECT_TRUE(AsChars(mapped->bytes()).substr(1) == data);
}

TEST_P(FileSystemTest, MapsAlignedBytesInBothWays) {
  Create("f", std::string(10'000, 'q'));
  Create("empty");
  for (const bool copy : {false, true}) {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<MappedFile> mapped, fs_->Map(Path("f"), copy));
    EXPECT_EQ(AsChars(mapped->bytes()), std::string(10'000, 'q'));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(mapped->bytes().data()) % 4096, 0u);
    for (const auto pattern :
         {AccessPattern::kNormal, AccessPattern::kRandom, AccessPattern::kSequential, AccessPattern::kWillNeed}) {
      mapped->Advise(5'000, ~uint64_t{0}, pattern);
      mapped->Advise(~uint64_t{0}, 1, pattern);
    }
    EXPECT_EQ(mapped->bytes()[9'999], std::byte{'q'});
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<MappedFile> empty, fs_->Map(Path("empty"), copy));
    EXPECT_TRUE(empty->bytes().empty());
  }
}

TEST_P(FileSystemTest, AMappedFileOutlivesItsName) {
  Create("f", "still here");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<MappedFile> mapped, fs_->Map(Path("f"), /*copy=*/false));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<RandomAccessFile> open, fs_->OpenForRead(Path("f")));
  EXPECT_OK(fs_->RemoveFile(Path("f")));
  EXPECT_EQ(AsChars(mapped->bytes()), "still here");
  char buffer[5];
  EXPECT_EQ(open->Read(0, 5, buffer).value(), 5u);
  EXPECT_EQ(std::string(buffer, 5), "still");
  EXPECT_THAT(fs_->OpenForRead(Path("f")), StatusIs(absl::StatusCode::kNotFound, HasSubstr(Path("f"))));
}

TEST_P(FileSystemTest, RenameOverAMappedFileLeavesTheMappingAsItWas) {
  Create("old", "old bytes");
  Create("new", "new");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<MappedFile> mapped, fs_->Map(Path("old"), /*copy=*/false));
  EXPECT_OK(fs_->Rename(Path("new"), Path("old")));
  EXPECT_EQ(AsChars(mapped->bytes()), "old bytes");
  EXPECT_EQ(Contents("old"), "new");
  EXPECT_THAT(fs_->Stat(Path("new")), StatusIs(absl::StatusCode::kNotFound, _));
}

TEST_P(FileSystemTest, CreateOverAFileSparesItsOtherLinksAndMappings) {
  Create("f", "precious");
  EXPECT_OK(fs_->Link(Path("f"), Path("backup")));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<MappedFile> mapped, fs_->Map(Path("f"), /*copy=*/false));
  Create("f", "new");
  EXPECT_EQ(Contents("f"), "new");
  EXPECT_EQ(Contents("backup"), "precious");
  EXPECT_EQ(AsChars(mapped->bytes()), "precious");
}

TEST_P(FileSystemTest, HardLinksShareOneFile) {
  const std::unique_ptr<WritableFile> file = Create("f", "abc");
  EXPECT_OK(fs_->Link(Path("f"), Path("g")));
  EXPECT_OK(file->Append("def").status);
  EXPECT_EQ(Contents("g"), "abcdef");
  EXPECT_THAT(fs_->Link(Path("f"), Path("g")), StatusIs(absl::StatusCode::kAlreadyExists, _));
  EXPECT_THAT(fs_->Link(Path("none"), Path("h")), StatusIs(absl::StatusCode::kNotFound, _));
  EXPECT_OK(fs_->Rename(Path("f"), Path("g")));  // two links of one file: nothing happens
  EXPECT_OK(fs_->RemoveFile(Path("f")));
  EXPECT_EQ(Contents("g"), "abcdef");
}

TEST_P(FileSystemTest, DirectoriesAreMadeListedAndRemoved) {
  EXPECT_OK(fs_->CreateDirectory(Path("d")));
  EXPECT_THAT(fs_->CreateDirectory(Path("d")), StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("mkdir")));
  EXPECT_THAT(fs_->CreateDirectory(Path("none/d")), StatusIs(absl::StatusCode::kNotFound, _));
  EXPECT_THAT(fs_->List(Path("d")).value(), IsEmpty());
  Create("d/one", "1");
  Create("d/two", "22");
  EXPECT_OK(fs_->CreateDirectory(Path("d/sub")));
  EXPECT_THAT(fs_->List(Path("d")).value(), UnorderedElementsAre("one", "two", "sub"));
  EXPECT_THAT(fs_->List(Path("none")), StatusIs(absl::StatusCode::kNotFound, _));
  EXPECT_THAT(fs_->List(Path("d/one")), StatusIs(absl::StatusCode::kInternal, _));
  EXPECT_OK(fs_->SyncDirectory(Path("d")));
  EXPECT_THAT(fs_->SyncDirectory(Path("none")), StatusIs(absl::StatusCode::kNotFound, _));
  EXPECT_THAT(fs_->RemoveDirectory(Path("d")), StatusIs(absl::StatusCode::kInternal, _));
  EXPECT_THAT(fs_->RemoveFile(Path("d/sub")), StatusIs(absl::StatusCode::kInternal, HasSubstr("unlink")));
  // Who wants to read a file's bytes finds none.
  EXPECT_THAT(fs_->OpenForRead(Path("d/sub")), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("d/sub")));
  EXPECT_THAT(fs_->Map(Path("d/sub"), true), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("d/sub")));
  EXPECT_THAT(fs_->OpenForAppend(Path("d/sub")), StatusIs(absl::StatusCode::kInternal, HasSubstr("d/sub")));
  EXPECT_OK(fs_->RemoveDirectory(Path("d/sub")));
  EXPECT_OK(fs_->RemoveFile(Path("d/one")));
  EXPECT_OK(fs_->RemoveFile(Path("d/two")));
  EXPECT_OK(fs_->RemoveDirectory(Path("d")));
  EXPECT_THAT(fs_->Stat(Path("d")), StatusIs(absl::StatusCode::kNotFound, _));
}

TEST_P(FileSystemTest, RenameMovesWholeDirectories) {
  EXPECT_OK(fs_->CreateDirectory(Path("a")));
  EXPECT_OK(fs_->CreateDirectory(Path("b")));
  Create("a/f", "inside");
  EXPECT_OK(fs_->Rename(Path("a"), Path("b")));  // an empty directory is replaced
  EXPECT_EQ(Contents("b/f"), "inside");
  Create("file");
  EXPECT_THAT(fs_->Rename(Path("b"), Path("b/c")), StatusIs(absl::StatusCode::kInternal, _));
  EXPECT_THAT(fs_->Rename(Path("b"), Path("file")), StatusIs(absl::StatusCode::kInternal, _));
  EXPECT_THAT(fs_->Rename(Path("file"), Path("b")), StatusIs(absl::StatusCode::kInternal, _));
  EXPECT_THAT(fs_->Rename(Path("none"), Path("b")), StatusIs(absl::StatusCode::kNotFound, HasSubstr("rename")));
  EXPECT_EQ(Contents("b/f"), "inside");
}

TEST_P(FileSystemTest, StatTellsFilesFromDirectories) {
  Create("f", "12345");
  EXPECT_OK(fs_->CreateDirectory(Path("d")));
  EXPECT_EQ(fs_->Stat(Path("f"))->size, 5u);
  EXPECT_FALSE(fs_->Stat(Path("f"))->is_directory);
  EXPECT_TRUE(fs_->Stat(Path("d"))->is_directory);
  EXPECT_THAT(fs_->Stat(Path("f/x")), StatusIs(absl::StatusCode::kInternal, _));
}

TEST_P(FileSystemTest, WhatIsNotThereIsNotFoundAndNamed) {
  const auto not_found = StatusIs(absl::StatusCode::kNotFound, AllOf(HasSubstr("open"), HasSubstr(Path("none"))));
  EXPECT_THAT(fs_->OpenForRead(Path("none")), not_found);
  EXPECT_THAT(fs_->OpenForAppend(Path("none")), not_found);
  EXPECT_THAT(fs_->Map(Path("none"), false), not_found);
  EXPECT_THAT(fs_->RemoveFile(Path("none")), StatusIs(absl::StatusCode::kNotFound, HasSubstr("unlink")));
  EXPECT_THAT(fs_->CreateFile(Path("none/f")), StatusIs(absl::StatusCode::kNotFound, _));
  EXPECT_THAT(fs_->OpenForRead(""), StatusIs(absl::StatusCode::kNotFound, _));
}

TEST_P(FileSystemTest, ADirectoryIsNoFile) {
  EXPECT_OK(fs_->CreateDirectory(Path("d")));
  EXPECT_FALSE(fs_->OpenForRead(Path("d")).ok());
  EXPECT_FALSE(fs_->OpenForAppend(Path("d")).ok());
  EXPECT_FALSE(fs_->Map(Path("d"), true).ok());
  EXPECT_FALSE(fs_->CreateFile(Path("d")).ok());
  EXPECT_FALSE(fs_->Lock(Path("d"), "").ok());
  EXPECT_TRUE(fs_->Stat(Path("d"))->is_directory);
}

TEST_P(FileSystemTest, ALockIsHeldOnceAndNamesItsHolder) {
  EXPECT_FALSE(fs_->IsLocked(Path("LOCK")).value());  // no file, no lock
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<FileLock> lock, fs_->Lock(Path("LOCK"), "pid 17 on blue"));
    EXPECT_TRUE(fs_->IsLocked(Path("LOCK")).value());
    EXPECT_THAT(fs_->Lock(Path("LOCK"), "pid 18"),
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("pid 17 on blue")));
    EXPECT_TRUE(fs_->IsLocked(Path("LOCK")).value());  // neither look released it
    EXPECT_OK(fs_->Link(Path("LOCK"), Path("ALIAS")));
    EXPECT_THAT(fs_->Lock(Path("ALIAS"), "pid 18"), StatusIs(absl::StatusCode::kFailedPrecondition, _));
  }
  EXPECT_FALSE(fs_->IsLocked(Path("LOCK")).value());
  EXPECT_EQ(Contents("LOCK"), "pid 17 on blue");  // never unlinked
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<FileLock> lock, fs_->Lock(Path("LOCK"), "pid 9"));
  EXPECT_EQ(Contents("LOCK"), "pid 9");
}

TEST_P(FileSystemTest, OnlyOneOfManyThreadsGetsTheLock) {
  std::vector<std::unique_ptr<FileLock>> locks(8);
  std::vector<std::thread> threads;
  for (std::unique_ptr<FileLock>& slot : locks) {
    threads.emplace_back([&] {
      if (auto lock = fs_->Lock(Path("LOCK"), "me"); lock.ok()) slot = *std::move(lock);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::count_if(locks.begin(), locks.end(), [](const auto& lock) { return lock != nullptr; }), 1);
}

TEST_P(FileSystemTest, ReadersMayReadWhileAWriterAppendsAndSyncs) {
  const std::unique_ptr<WritableFile> file = Create("f");
  std::thread syncer([&] {
    for (int i = 0; i < 20; ++i) EXPECT_OK(file->Sync());
  });
  std::thread reader([&] {
    const absl::StatusOr<std::unique_ptr<RandomAccessFile>> opened = fs_->OpenForRead(Path("f"));
    ASSERT_OK(opened);
    std::string buffer(64'000, '\0');
    for (int i = 0; i < 100; ++i) {
      const size_t read = (*opened)->Read(0, buffer.size(), buffer.data()).value();
      EXPECT_EQ(std::string_view(buffer).substr(0, read).find_first_not_of('a'), std::string_view::npos);
    }
  });
  for (int i = 0; i < 1000; ++i) EXPECT_OK(file->Append(std::string(64, 'a')).status);
  syncer.join();
  reader.join();
  EXPECT_EQ(Contents("f").size(), 64'000u);
}

TEST(MemoryFileSystem, AViewKeepsItsBytesWhenTheFileIsWrittenOver) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WritableFile> file, fs->CreateFile("f"));
  ASSERT_OK(file->Append("abcdef").status);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<MappedFile> mapped, fs->Map("f", false));

  EXPECT_OK(file->Append("behind").status);
  EXPECT_OK(file->WriteAt(0, "XXX").status);
  EXPECT_OK(file->Truncate(1));
  EXPECT_OK(file->Append("YYYYYYYY").status);

  EXPECT_EQ(AsChars(mapped->bytes()), "abcdef");
  EXPECT_EQ(AsChars((*fs->Map("/f", true))->bytes()), "XYYYYYYYY");
}

TEST(MemoryFileSystem, RelativePathsStartAtTheRootAndDotsAreApplied) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  EXPECT_OK(fs->CreateDirectory("/d"));
  EXPECT_OK(fs->CreateFile("d/./x//../f"));
  EXPECT_OK(fs->Stat("/d/f"));
  EXPECT_OK(fs->Stat("../../d/f"));
  EXPECT_TRUE(fs->Stat("/")->is_directory);
  EXPECT_TRUE(fs->Stat(".")->is_directory);
  EXPECT_THAT(fs->List("/").value(), UnorderedElementsAre("d"));
  EXPECT_THAT(fs->RemoveDirectory("/"), StatusIs(absl::StatusCode::kInternal, _));
  EXPECT_THAT(fs->Rename("/", "/d/x"), StatusIs(absl::StatusCode::kInternal, _));
}

TEST(MemoryFileSystem, AHoleLeftByAnotherWritersCutReadsAsZeros) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WritableFile> one, fs->CreateFile("f"));
  ASSERT_OK(one->Append("abcd").status);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WritableFile> other, fs->OpenForAppend("f"));
  ASSERT_OK(other->Truncate(1));
  ASSERT_OK(one->Append("e").status);
  EXPECT_EQ(AsChars((*fs->Map("f", true))->bytes()), std::string_view("a\0\0\0e", 5));
}

TEST(MemoryFileSystem, ItsFilesMayOutliveIt) {
  std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WritableFile> file, fs->CreateFile("f"));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<FileLock> lock, fs->Lock("LOCK", ""));
  fs.reset();
  EXPECT_OK(file->Append("x").status);
}

TEST(PosixFileSystem, DefaultIsOneAndStays) {
  EXPECT_EQ(FileSystem::Default(), FileSystem::Default());
  EXPECT_TRUE(FileSystem::Default()->Stat("/")->is_directory);
}

}  // namespace
}  // namespace varve
