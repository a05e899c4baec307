#include "engine/admin/verify.h"

#include <algorithm>
#include <string>
#include <vector>

#include "engine/admin/collection_test_support.h"
#include "tests/support/status_matchers.h"
#include "varve/fault_file_system.h"

namespace varve {
namespace {

using ::testing::_;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::StatusIs;

class VerifyTest : public testing::StoredCollectionTest {
 protected:
  VerifyReport Verify(const std::string& path = "/c") {
    VerifyOptions options;
    options.file_system = fs();
    options.deep = true;
    auto report = VerifyPath(path, options);
    EXPECT_OK(report);
    return report.ok() ? *std::move(report) : VerifyReport();
  }
  // The names of the damaged files, each once, in order.
  static std::vector<std::string> Damaged(const VerifyReport& report) {
    std::vector<std::string> files;
    for (const VerifyDamage& damage : report.damage) files.push_back(damage.file);
    std::sort(files.begin(), files.end());
    files.erase(std::unique(files.begin(), files.end()), files.end());
    return files;
  }
  static std::string Print(const VerifyReport& report) {
    std::string text;
    for (const VerifyDamage& damage : report.damage) {
      text += damage.file + " @" + std::to_string(damage.offset) + " [" + damage.section + "] " + damage.what + "\n";
    }
    for (const std::string& warning : report.warnings) text += "warning: " + warning + "\n";
    return text;
  }
  // Every `step`-th byte of a file, flipped alone, must be found in that file.
  void ExpectEveryFlipIsFound(const std::string& name, size_t step) {
    const std::string good = Read(name);
    for (size_t i = 0; i < good.size(); i += step) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
      Write(name, bad);
      const VerifyReport report = Verify();
      ASSERT_FALSE(report.ok) << name << " byte " << i;
      ASSERT_THAT(Damaged(report), Contains(name)) << "byte " << i << "\n" << Print(report);
    }
    Write(name, good);
    EXPECT_TRUE(Verify().ok);
  }
};

TEST_F(VerifyTest, AGoodCollectionIsGoodAndCountedWhole) {
  const VerifyReport report = Verify();

  EXPECT_TRUE(report.ok) << Print(report);
  EXPECT_THAT(report.warnings, IsEmpty());
  EXPECT_EQ(report.files, 9u);
  uint64_t bytes = 0;
  for (const std::string& name :
       {std::string("manifest.json"), std::string("manifest.json.1"), SegmentName(1), SegmentName(3), BitmapName(1, 2),
        LogName(4), LogName(5), CheckpointName(6), CheckpointName(7)}) {
    bytes += Read(name).size();
  }
  EXPECT_EQ(report.bytes, bytes);
}

TEST_F(VerifyTest, FindsEveryFlippedByteOfManifests) {
  ExpectEveryFlipIsFound("manifest.json", 7);
  ExpectEveryFlipIsFound("manifest.json.1", 11);
}
TEST_F(VerifyTest, FindsEveryFlippedByteOfCheckpoints) {
  ExpectEveryFlipIsFound(CheckpointName(6), 5);
  ExpectEveryFlipIsFound(CheckpointName(7), 5);
}
TEST_F(VerifyTest, FindsEveryFlippedByteOfLogs) {
  ExpectEveryFlipIsFound(LogName(4), 1);
  ExpectEveryFlipIsFound(LogName(5), 1);
}
TEST_F(VerifyTest, FindsEveryFlippedByteOfBitmaps) { ExpectEveryFlipIsFound(BitmapName(1, 2), 1); }
TEST_F(VerifyTest, FindsEveryFlippedByteOfSegments) {
  ExpectEveryFlipIsFound(SegmentName(1), 17);
  ExpectEveryFlipIsFound(SegmentName(3), 97);
}

TEST_F(VerifyTest, FindsEveryTruncatedFile) {
  for (const std::string& name : {std::string("manifest.json"), std::string("manifest.json.1"), SegmentName(1),
                                  BitmapName(1, 2), LogName(4), LogName(5), CheckpointName(7)}) {
    const std::string good = Read(name);
    for (const size_t length : {size_t{0}, size_t{1}, good.size() / 2, good.size() - 1}) {
      Write(name, good.substr(0, length));
      EXPECT_THAT(Damaged(Verify()), Contains(name)) << length;
    }
    Write(name, good);
  }
  EXPECT_TRUE(Verify().ok);
}

TEST_F(VerifyTest, EveryNamedFileThatIsMissingIsDamage) {
  for (const std::string& name : {SegmentName(1), SegmentName(3), BitmapName(1, 2), CheckpointName(7)}) {
    const std::string bytes = Read(name);
    Remove(name);
    const VerifyReport report = Verify();
    EXPECT_THAT(Damaged(report), ElementsAre(name));
    EXPECT_EQ(report.damage[0].what, "missing");
    Write(name, bytes);
  }
  Remove(LogName(4));
  const VerifyReport report = Verify();
  ASSERT_FALSE(report.ok);
  EXPECT_THAT(report.damage[0].what, HasSubstr("log 4"));
}

TEST_F(VerifyTest, AMissingManifestThatAnotherStandsInForIsAWarning) {
  Remove("manifest.json");
  const VerifyReport report = Verify();
  EXPECT_TRUE(report.ok) << Print(report);
  EXPECT_THAT(report.warnings, Contains(HasSubstr("manifest.json.1 stands in")));
}

TEST_F(VerifyTest, ADamagedManifestThatAnotherStandsInForIsBoth) {
  Write("manifest.json", "{}");
  const VerifyReport report = Verify();
  EXPECT_THAT(Damaged(report), ElementsAre("manifest.json"));
  EXPECT_THAT(report.warnings, Contains(HasSubstr("manifest.json.1 stands in")));
}

TEST_F(VerifyTest, WithoutAnyManifestEachFileIsStillChecked) {
  for (const std::string& name :
       {std::string("manifest.json"), std::string("manifest.json.1"), CheckpointName(6), CheckpointName(7)}) {
    Remove(name);
  }
  std::string log = Read(LogName(4));
  log[200] ^= 1;
  Write(LogName(4), log);
  std::string segment = Read(SegmentName(3));
  segment[100] ^= 1;
  Write(SegmentName(3), segment);

  const VerifyReport report = Verify();

  EXPECT_FALSE(report.ok);
  EXPECT_THAT(Damaged(report), ::testing::IsSupersetOf({std::string("manifest.json"), SegmentName(3), LogName(4)}))
      << Print(report);
}

TEST_F(VerifyTest, WhatACrashLeavesIsAWarning) {
  ASSERT_OK(testing::WriteTestSegment(fs(), "/c", 20, {"q"}, 1));
  Write("segments/0000000021.vcnt.tmp.tmp", "half");
  ASSERT_OK(fs()->Rename("/c/segments/0000000021.vcnt.tmp.tmp", "/c/segments/0000000021.vcnt.tmp"));
  Write("notes.txt", "mine");

  const VerifyReport report = Verify();

  EXPECT_TRUE(report.ok) << Print(report);
  EXPECT_THAT(report.warnings, ElementsAre("segments/0000000020.vcnt: no manifest names it",
                                           "segments/0000000021.vcnt.tmp: left by a write that was not finished",
                                           "notes.txt: not a file of a collection"));
}

TEST_F(VerifyTest, DamageInAFileThatNobodyNamesIsFoundToo) {
  ASSERT_OK(testing::WriteTestSegment(fs(), "/c", 20, {"q"}, 1));
  std::string bytes = Read(SegmentName(20));
  bytes[bytes.size() / 2] ^= 1;
  Write(SegmentName(20), bytes);
  EXPECT_THAT(Damaged(Verify()), ElementsAre(SegmentName(20)));
}

TEST_F(VerifyTest, ATornTailIsAWarningThatSaysHowMuch) {
  manifest_.clear_closed_log();
  Publish(3, 8);
  Remove(CheckpointName(6));
  Write(LogName(5), Read(LogName(5)) + std::string(100, 'x'));

  const VerifyReport report = Verify();

  EXPECT_TRUE(report.ok) << Print(report);
  EXPECT_THAT(report.warnings, ElementsAre(HasSubstr("torn tail of 100 bytes")));
}

TEST_F(VerifyTest, TheSameBehindACleanCloseIsDamage) {
  Write(LogName(5), Read(LogName(5)) + std::string(100, 'x'));
  EXPECT_THAT(Damaged(Verify()), ElementsAre(LogName(5)));
}

TEST_F(VerifyTest, AnOlderLogThatNobodyNeedsIsNamedAndItsDamageFound) {
  manifest_.set_wal_sequence(10);
  Publish(3, 8);
  Publish(4, 9);
  Remove(CheckpointName(6));
  Remove(CheckpointName(7));
  const VerifyReport report = Verify();
  EXPECT_TRUE(report.ok) << Print(report);
  EXPECT_THAT(report.warnings, ElementsAre(LogName(4) + ": no manifest needs it"));

  std::string bytes = Read(LogName(4));
  bytes[bytes.size() - 20] ^= 1;
  Write(LogName(4), bytes);
  EXPECT_THAT(Damaged(Verify()), ElementsAre(LogName(4)));
}

TEST_F(VerifyTest, AKeyLiveInTwoSegmentsIsDamage) {
  manifest_.mutable_segments(0)->clear_bitmap();
  manifest_.mutable_segments(0)->set_live_rows(5);
  manifest_.set_total_vectors(7);
  Publish(3, 8);
  Publish(4, 9);  // so that no checkpoint that is kept names the bitmap
  Remove(BitmapName(1, 2));
  Remove(CheckpointName(6));
  Remove(CheckpointName(7));

  const VerifyReport report = Verify();

  ASSERT_EQ(report.damage.size(), 1u) << Print(report);
  EXPECT_THAT(report.damage[0].what, HasSubstr("key \"b\""));
}

TEST_F(VerifyTest, CountsThatAreNotThoseOfTheFilesAreDamage) {
  manifest_.set_total_vectors(7);
  Publish(3, 8);
  EXPECT_THAT(Verify().damage[0].section, "total_vectors");
  manifest_.mutable_segments(1)->set_live_rows(1);
  manifest_.set_total_vectors(5);
  Publish(4, 9);
  EXPECT_THAT(Verify().damage[0].what, HasSubstr("live_rows"));
  manifest_.mutable_segments(1)->set_live_rows(2);
  manifest_.set_total_vectors(6);
  manifest_.mutable_segments(1)->set_smallest_sequence(5);
  Publish(5, 10);
  EXPECT_THAT(Verify().damage[0].what, HasSubstr("smallest_sequence"));
  manifest_.mutable_segments(1)->set_smallest_sequence(6);
  manifest_.set_dimension(99);
  Publish(6, 11);
  EXPECT_THAT(Verify().damage[0].section, "config");
}

TEST_F(VerifyTest, SwappedFilesAreDamage) {
  const std::string a = Read(SegmentName(1));
  const std::string b = Read(SegmentName(3));
  Write(SegmentName(1), b);
  Write(SegmentName(3), a);
  EXPECT_THAT(Damaged(Verify()), ElementsAre(SegmentName(1), SegmentName(3)));
}

TEST_F(VerifyTest, ABitmapOfAnotherGenerationIsDamage) {
  pb::SegmentEntry entry = manifest_.segments(0);
  ASSERT_OK(testing::WriteTestBitmap(fs(), "/c", 2, {1, 2}, &entry));
  EXPECT_THAT(Damaged(Verify()), ElementsAre(BitmapName(1, 2)));
}

TEST_F(VerifyTest, BesideAWriterTheTailOfTheLogIsLeftOutAndItSaysSo) {
  manifest_.clear_closed_log();
  Publish(3, 8);
  Write(LogName(5), Read(LogName(5)) + std::string(100, 'x'));
  Write("segments/0000000021.vcnt", "in the making");
  ASSERT_OK_AND_ASSIGN(const auto lock, fs()->Lock("/c/LOCK", "pid 2"));

  const VerifyReport report = Verify();

  EXPECT_TRUE(report.ok) << Print(report);
  EXPECT_THAT(report.warnings, ElementsAre(HasSubstr("a writer is at work")));
}

// A writer removes them behind its publication, when the new manifest may have been read already.
TEST_F(VerifyTest, LogsThatALiveWriterRemovesOnceTheyAreListedAreNotMissing) {
  manifest_.set_wal_sequence(13);
  manifest_.clear_closed_log();
  Publish(3, 8);
  Publish(4, 9);
  Remove(CheckpointName(6));
  Remove(CheckpointName(7));
  const std::vector<std::string> logs = {LogName(4), LogName(5)};
  const std::vector<std::string> contents = {Read(logs[0]), Read(logs[1])};
  ASSERT_OK_AND_ASSIGN(const auto lock, fs()->Lock("/c/LOCK", "pid 2"));
  // It may list more than once before it opens them.
  for (int moment = 1; moment <= 3; ++moment) {
    for (size_t i = 0; i < logs.size(); ++i) Write(logs[i], contents[i]);
    int listings = 0;
    FaultFileSystem disk(fs());
    disk.OnListed([&](const std::string& directory) {
      if (!directory.ends_with("/wal") || ++listings != moment) return;
      for (const std::string& log : logs) Remove(log);
    });
    VerifyOptions options;
    options.file_system = &disk;

    ASSERT_OK_AND_ASSIGN(const VerifyReport report, VerifyPath("/c", options));

    EXPECT_TRUE(report.ok) << "moment " << moment << "\n" << Print(report);
  }
}

TEST_F(VerifyTest, ADirectoryInPlaceOfAFileIsDamageAndTheRestIsVerified) {
  for (const std::string& name : {std::string("manifest.json"), std::string("manifest.json.1"), SegmentName(1),
                                  BitmapName(1, 2), LogName(4), CheckpointName(7)}) {
    const std::string good = Read(name);
    const std::string other = Read(SegmentName(3));
    Remove(name);
    ASSERT_OK(fs()->CreateDirectory("/c/" + name));
    Write(SegmentName(3), other.substr(0, other.size() - 1));
    EXPECT_THAT(Damaged(Verify()), ::testing::AllOf(Contains(name), Contains(SegmentName(3)))) << name;
    ASSERT_OK(fs()->RemoveDirectory("/c/" + name));
    Write(name, good);
    Write(SegmentName(3), other);
  }
}

TEST_F(VerifyTest, AManifestOfAnotherCollectionIsDamage) {
  const std::string uuid = manifest_.collection_uuid();
  const std::string good = Read("manifest.json");
  manifest_.set_collection_uuid(std::string(32, 'e'));
  Publish(3, 8);
  Write("manifest.json", good);
  manifest_.set_collection_uuid(uuid);
  EXPECT_THAT(Damaged(Verify()), Contains("manifest.json.1"));
}

TEST_F(VerifyTest, OneFileAlone) {
  for (const std::string& name : {std::string("manifest.json"), std::string("manifest.json.1"), SegmentName(1),
                                  BitmapName(1, 2), LogName(4), LogName(5), CheckpointName(7)}) {
    const std::string good = Read(name);
    const VerifyReport report = Verify("/c/" + name);
    EXPECT_TRUE(report.ok) << name << Print(report);
    EXPECT_EQ(report.files, 1u);
    EXPECT_EQ(report.bytes, good.size());
    std::string bad = good;
    bad[60] ^= 1;
    Write(name, bad);
    const VerifyReport damaged = Verify("/c/" + name);
    EXPECT_THAT(Damaged(damaged), ElementsAre("/c/" + name));
  }
}

TEST_F(VerifyTest, AFileUnderAnotherNameIsToldByItsContent) {
  Write("copy", Read(BitmapName(1, 2)));
  EXPECT_TRUE(Verify("/c/copy").ok);
  Write("copy", "something else");
  VerifyOptions options;
  options.file_system = fs();
  EXPECT_THAT(VerifyPath("/c/copy", options), StatusIs(absl::StatusCode::kFailedPrecondition, _));
}

TEST_F(VerifyTest, WhatIsNoCollectionIsRefused) {
  VerifyOptions options;
  options.file_system = fs();
  EXPECT_THAT(VerifyPath("/missing", options), StatusIs(absl::StatusCode::kNotFound, _));
  ASSERT_OK(fs()->CreateDirectory("/empty"));
  EXPECT_THAT(VerifyPath("/empty", options), StatusIs(absl::StatusCode::kFailedPrecondition, _));
}

}  // namespace
}  // namespace varve
