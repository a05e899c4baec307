#include "engine/version/file_names.h"

#include <map>
#include <memory>
#include <string>

#include "base/memory_file_system.h"
#include "base/publish.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

class FileNamesTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(fs_->CreateDirectory("/c")); }

  void Touch(const std::string& name) { ASSERT_OK(PublishFile(fs_.get(), "/c/" + name, "x")); }

  // The entries by name.
  std::map<std::string, DirectoryEntry> List() {
    std::map<std::string, DirectoryEntry> by_name;
    auto entries = ListCollection(fs_.get(), "/c");
    EXPECT_OK(entries);
    if (!entries.ok()) return by_name;
    for (const DirectoryEntry& entry : *entries) by_name[entry.name] = entry;
    return by_name;
  }

  std::unique_ptr<FileSystem> fs_ = NewMemoryFileSystem();
};

TEST(FileNames, PrintTenDigitsOrMore) {
  EXPECT_EQ(LogName(7), "wal/0000000007.vwal");
  EXPECT_EQ(SegmentName(1), "segments/0000000001.vcnt");
  EXPECT_EQ(BitmapName(1, 42), "segments/0000000001.0000000042.vdel");
  EXPECT_EQ(CheckpointName(5), "checkpoint/0000000005.vckp");
  EXPECT_EQ(SegmentName(18446744073709551615u), "segments/18446744073709551615.vcnt");
}

TEST_F(FileNamesTest, ListingNeedsNoSubdirectory) { EXPECT_TRUE(List().empty()); }

TEST_F(FileNamesTest, ListingOfAMissingDirectoryIsNotFound) {
  EXPECT_THAT(ListCollection(fs_.get(), "/missing"), testing::StatusIs(absl::StatusCode::kNotFound, ::testing::_));
}

TEST_F(FileNamesTest, ListingTellsKindsAndNumbers) {
  for (const std::string_view sub : {kLogDirectory, kSegmentDirectory, kCheckpointDirectory}) {
    ASSERT_OK(fs_->CreateDirectory(JoinPath("/c", sub)));
  }
  Touch(LogName(7));
  Touch(SegmentName(12345678901));
  Touch(BitmapName(1, 42));
  Touch("segments/0000000001.0000000057.vatt");
  Touch(CheckpointName(5));

  const auto entries = List();

  ASSERT_EQ(entries.size(), 5u);
  EXPECT_EQ(entries.at(LogName(7)).kind, FileKind::kLog);
  EXPECT_EQ(entries.at(LogName(7)).id, 7u);
  EXPECT_EQ(entries.at(SegmentName(12345678901)).kind, FileKind::kSegment);
  EXPECT_EQ(entries.at(SegmentName(12345678901)).id, 12345678901u);
  EXPECT_EQ(entries.at(BitmapName(1, 42)).kind, FileKind::kBitmap);
  EXPECT_EQ(entries.at(BitmapName(1, 42)).id, 42u);
  EXPECT_EQ(entries.at(BitmapName(1, 42)).segment, 1u);
  EXPECT_EQ(entries.at("segments/0000000001.0000000057.vatt").kind, FileKind::kAttachment);
  EXPECT_EQ(entries.at("segments/0000000001.0000000057.vatt").id, 57u);
  EXPECT_EQ(entries.at(CheckpointName(5)).kind, FileKind::kCheckpoint);
}

TEST_F(FileNamesTest, TemporaryFilesKeepTheirNumber) {
  ASSERT_OK(fs_->CreateDirectory("/c/segments"));
  Touch("segments/0000000009.vcnt.tmp");
  Touch("segments/0000000002.0000000011.vdel.tmp");
  Touch("manifest.json");
  Touch("manifest.json.tmp");

  const auto entries = List();

  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries.at("segments/0000000009.vcnt.tmp").kind, FileKind::kTemporary);
  EXPECT_EQ(entries.at("segments/0000000009.vcnt.tmp").id, 9u);
  EXPECT_EQ(entries.at("segments/0000000002.0000000011.vdel.tmp").id, 11u);
  EXPECT_EQ(entries.at("manifest.json.tmp").kind, FileKind::kTemporary);
  EXPECT_EQ(entries.at("manifest.json.tmp").id, 0u);
}

TEST_F(FileNamesTest, NamesThatNobodyPrintsAreUnknown) {
  ASSERT_OK(fs_->CreateDirectory("/c/segments"));
  ASSERT_OK(fs_->CreateDirectory("/c/wal"));
  const std::string names[] = {
      "segments/1.vcnt",                      // too few digits
      "segments/00000000001.vcnt",            // a zero too many
      "segments/0000000000.vcnt",             // nobody's number
      "segments/99999999999999999999.vcnt",   // beyond 64 bits
      "segments/-000000001.vcnt",             //
      "segments/0000000001.vwal",             // wrong directory
      "segments/0000000042.vdel",             // a bitmap without its segment
      "segments/0000000001.0000000002.vcnt",  //
      "segments/0000000001.0000000002.0000000003.vdel",
      "segments/.vcnt",
      "segments/notes.txt",
      "wal/0000000001.vwal.bak",
  };
  for (const std::string& name : names) Touch(name);

  const auto entries = List();

  ASSERT_EQ(entries.size(), std::size(names));
  for (const std::string& name : names) {
    EXPECT_EQ(entries.at(name).kind, FileKind::kUnknown) << name;
    EXPECT_EQ(entries.at(name).id, 0u) << name;
  }
}

}  // namespace
}  // namespace varve
