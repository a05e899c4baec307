// LoadManifest: when it falls back, and to what.
#include <memory>
#include <string>
#include <vector>

#include "base/memory_file_system.h"
#include "engine/version/checkpoint.h"
#include "engine/version/manifest.h"
#include "engine/version/state_test_support.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::_;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::StatusIs;

// Segment 1 (sequences 1 and 2, row 0 dead in bitmap 2) is named by all generations; log 3 holds sequences 3 and 4.
// Generation 1 is in checkpoint 4; generation 2 in checkpoint 5, manifest.json and manifest.json.1.
class LoadManifestTest : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::MakeDirectories(fs(), "/c");
    ASSERT_OK_AND_ASSIGN(pb::SegmentEntry entry, testing::WriteTestSegment(fs(), "/c", 1, {"a", "b"}, 1));
    ASSERT_OK(testing::WriteTestBitmap(fs(), "/c", 2, {0}, &entry));
    ASSERT_OK_AND_ASSIGN(log_end_, testing::WriteTestLog(fs(), "/c", 3, 3, {"x", "y"}));
    manifest_ = testing::EmptyManifest();
    *manifest_.add_segments() = entry;
    manifest_.set_total_vectors(1);
    manifest_.set_wal_sequence(2);
    manifest_.set_last_sequence(4);
    manifest_.set_next_file_id(6);
    manifest_.set_checkpoint_id(4);
    Checkpoint();
    manifest_.set_generation(2);
    manifest_.set_checkpoint_id(5);
    Publish();
  }

  void Checkpoint() {
    pb::Checkpoint checkpoint;
    *checkpoint.mutable_manifest() = manifest_;
    ASSERT_OK(WriteCheckpoint(fs(), "/c", manifest_.checkpoint_id(), checkpoint));
  }
  void Publish() {
    Checkpoint();
    ASSERT_OK(PublishManifest(fs(), "/c", manifest_).status);
  }
  void Damage(const std::string& name) {
    ASSERT_OK_AND_ASSIGN(std::string bytes, ReadWholeFile(fs(), "/c/" + name, 1 << 20));
    bytes[bytes.size() / 2] ^= 1;
    ASSERT_OK(PublishFile(fs(), "/c/" + name, bytes));
  }
  void Remove(const std::string& name) { ASSERT_OK(fs()->RemoveFile("/c/" + name)); }
  FileSystem* fs() { return fs_.get(); }

  std::unique_ptr<FileSystem> fs_ = NewMemoryFileSystem();
  pb::Manifest manifest_;
  LogEnd log_end_;
};

TEST_F(LoadManifestTest, TakesManifestJson) {
  ASSERT_OK_AND_ASSIGN(const LoadedManifest loaded, LoadManifest(fs(), "/c"));
  EXPECT_EQ(loaded.source, "manifest.json");
  EXPECT_EQ(loaded.fallback_reason, "");
  EXPECT_EQ(loaded.largest_generation, 2u);
  EXPECT_EQ(loaded.manifest.SerializeAsString(), manifest_.SerializeAsString());
}

TEST_F(LoadManifestTest, SaysTheLargestGenerationThatItHasSeen) {
  manifest_.set_generation(8);
  manifest_.set_checkpoint_id(6);
  manifest_.set_next_file_id(7);
  Checkpoint();  // a publication that got no further
  ASSERT_OK_AND_ASSIGN(const LoadedManifest loaded, LoadManifest(fs(), "/c"));
  EXPECT_EQ(loaded.manifest.generation(), 2u);
  EXPECT_EQ(loaded.largest_generation, 8u);
  EXPECT_EQ(loaded.manifest.next_file_id(), 7u);
}

TEST_F(LoadManifestTest, FallsBackWhenTheManifestIsDamagedOrMissing) {
  Damage("manifest.json");
  ASSERT_OK_AND_ASSIGN(const LoadedManifest damaged, LoadManifest(fs(), "/c"));
  EXPECT_EQ(damaged.source, "manifest.json.1");
  EXPECT_THAT(damaged.fallback_reason, HasSubstr("checksum"));
  EXPECT_EQ(damaged.manifest.generation(), 2u);

  Remove("manifest.json");
  ASSERT_OK_AND_ASSIGN(const LoadedManifest missing, LoadManifest(fs(), "/c"));
  EXPECT_EQ(missing.source, "manifest.json.1");
  EXPECT_NE(missing.fallback_reason, "");
}

TEST_F(LoadManifestTest, FallsBackToTheNewestCheckpointByGeneration) {
  Remove("manifest.json");
  Damage("manifest.json.1");
  ASSERT_OK_AND_ASSIGN(const LoadedManifest loaded, LoadManifest(fs(), "/c"));
  EXPECT_EQ(loaded.source, CheckpointName(5));
  EXPECT_EQ(loaded.manifest.generation(), 2u);
}

TEST_F(LoadManifestTest, GoesOnToAnOlderCheckpointWhoseLogsRunToTheEnd) {
  Remove("manifest.json");
  Remove("manifest.json.1");
  Damage(CheckpointName(5));
  ASSERT_OK_AND_ASSIGN(const LoadedManifest loaded, LoadManifest(fs(), "/c"));
  EXPECT_EQ(loaded.source, CheckpointName(4));
}

TEST_F(LoadManifestTest, DoesNotTakeACandidateWhoseFilesAreMissingOrDamaged) {
  // Generation 3 names a segment that is damaged; generation 2 has all that it needs in the log.
  ASSERT_OK_AND_ASSIGN(const pb::SegmentEntry entry, testing::WriteTestSegment(fs(), "/c", 7, {"z"}, 4));
  *manifest_.add_segments() = entry;
  manifest_.set_generation(3);
  manifest_.set_checkpoint_id(8);
  manifest_.set_next_file_id(9);
  manifest_.set_total_vectors(2);
  Publish();
  Remove("manifest.json");
  ASSERT_OK_AND_ASSIGN(std::string bytes, ReadWholeFile(fs(), "/c/" + SegmentName(7), 1 << 20));
  bytes.back() ^= 1;
  ASSERT_OK(PublishFile(fs(), "/c/" + SegmentName(7), bytes));

  ASSERT_OK_AND_ASSIGN(const LoadedManifest damaged, LoadManifest(fs(), "/c"));
  EXPECT_EQ(damaged.source, CheckpointName(5));
  EXPECT_EQ(damaged.largest_generation, 3u);
  EXPECT_EQ(damaged.manifest.next_file_id(), 9u);

  Remove(SegmentName(7));
  ASSERT_OK_AND_ASSIGN(const LoadedManifest missing, LoadManifest(fs(), "/c"));
  EXPECT_EQ(missing.source, CheckpointName(5));
}

TEST_F(LoadManifestTest, ABitmapThatIsMissingOrAnotherRulesACandidateOut) {
  Remove("manifest.json");
  Remove(BitmapName(1, 2));
  EXPECT_THAT(LoadManifest(fs(), "/c"), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(BitmapName(1, 2))));
  pb::SegmentEntry entry = manifest_.segments(0);
  ASSERT_OK(testing::WriteTestBitmap(fs(), "/c", 2, {0, 1}, &entry));
  EXPECT_THAT(LoadManifest(fs(), "/c"), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(BitmapName(1, 2))));
}

TEST_F(LoadManifestTest, NeverTakesAShorterStore) {
  // Generation 3 has flushed the log into segment 7, and the log is gone. Without segment 7 the older generations still
  // have all their own files, but not what was acknowledged after them.
  ASSERT_OK_AND_ASSIGN(const pb::SegmentEntry entry, testing::WriteTestSegment(fs(), "/c", 7, {"x", "y"}, 3));
  *manifest_.add_segments() = entry;
  manifest_.set_generation(3);
  manifest_.set_checkpoint_id(8);
  manifest_.set_next_file_id(9);
  manifest_.set_wal_sequence(4);
  Publish();
  Remove(LogName(3));
  ASSERT_OK(LoadManifest(fs(), "/c"));
  Remove("manifest.json");
  ASSERT_OK(LoadManifest(fs(), "/c"));

  Remove(SegmentName(7));
  EXPECT_THAT(LoadManifest(fs(), "/c"), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(SegmentName(7))));
}

TEST_F(LoadManifestTest, AGapInTheLogsRulesACandidateOut) {
  ASSERT_OK_AND_ASSIGN(const LogEnd next, testing::WriteTestLog(fs(), "/c", 9, 5, {"z"}, log_end_));
  ASSERT_EQ(next.last_sequence, 5u);
  Remove("manifest.json");
  ASSERT_OK(LoadManifest(fs(), "/c"));
  Remove(LogName(3));
  EXPECT_THAT(LoadManifest(fs(), "/c"),
              StatusIs(absl::StatusCode::kDataLoss, AllOf(HasSubstr("manifest.json"), HasSubstr("log 3"))));
}

TEST_F(LoadManifestTest, CarriesTheDurablePositionOfANewerGenerationOver) {
  // A publication that synced the log, wrote its checkpoint, and got no further: the log is known to be durable.
  manifest_.set_generation(3);
  manifest_.set_checkpoint_id(8);
  manifest_.set_next_file_id(9);
  manifest_.set_durable_sequence(4);
  manifest_.set_durable_log(3);
  manifest_.set_durable_offset(log_end_.length);
  Checkpoint();
  ASSERT_OK_AND_ASSIGN(const LoadedManifest loaded, LoadManifest(fs(), "/c"));
  EXPECT_EQ(loaded.source, "manifest.json");
  EXPECT_EQ(loaded.manifest.durable_sequence(), 4u);
  EXPECT_EQ(loaded.manifest.durable_log(), 3u);
  EXPECT_EQ(loaded.manifest.durable_offset(), log_end_.length);
}

TEST_F(LoadManifestTest, NothingUsableIsDataLossThatListsWhatIsMissing) {
  for (const std::string& name :
       {std::string("manifest.json"), std::string("manifest.json.1"), CheckpointName(4), CheckpointName(5)}) {
    Damage(name);
  }
  EXPECT_THAT(LoadManifest(fs(), "/c"),
              StatusIs(absl::StatusCode::kDataLoss, AllOf(HasSubstr("manifest.json: "), HasSubstr("manifest.json.1: "),
                                                          HasSubstr(CheckpointName(4)), HasSubstr(CheckpointName(5)))));
}

TEST_F(LoadManifestTest, AMissingManifestBesideOtherFilesIsDamage) {
  for (const std::string& name :
       {std::string("manifest.json"), std::string("manifest.json.1"), CheckpointName(4), CheckpointName(5)}) {
    Remove(name);
  }
  EXPECT_THAT(LoadManifest(fs(), "/c"), StatusIs(absl::StatusCode::kDataLoss, _));
  Remove(SegmentName(1));
  Remove(BitmapName(1, 2));
  EXPECT_THAT(LoadManifest(fs(), "/c"), StatusIs(absl::StatusCode::kDataLoss, _));
  Remove(LogName(3));
  EXPECT_THAT(LoadManifest(fs(), "/c"), StatusIs(absl::StatusCode::kNotFound, _));
}

TEST_F(LoadManifestTest, AFailedCreateIsNoCollection) {
  testing::MakeDirectories(fs(), "/d");
  ASSERT_OK(PublishFile(fs(), "/d/LOCK", ""));
  ASSERT_OK(PublishFile(fs(), "/d/manifest.json.tmp", "{"));
  EXPECT_THAT(LoadManifest(fs(), "/d"), StatusIs(absl::StatusCode::kNotFound, _));
  EXPECT_THAT(LoadManifest(fs(), "/e"), StatusIs(absl::StatusCode::kNotFound, _));
}

TEST_F(LoadManifestTest, ANewerVersionIsNotFallenBackFrom) {
  pb::Manifest newer = manifest_;
  newer.add_features_to_write("harmless");
  ASSERT_OK_AND_ASSIGN(std::string bytes, EncodeManifest(newer));
  bytes.replace(bytes.find(R"("version":1)"), 11, R"("version":2)");
  bytes.replace(13, 8, "00000000");
  bytes.replace(13, 8, Crc32cToHex(ComputeCrc32c(bytes)));
  ASSERT_OK(PublishFile(fs(), "/c/manifest.json", bytes));
  EXPECT_THAT(LoadManifest(fs(), "/c"), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("version 2")));
  ASSERT_OK(PublishFile(fs(), "/c/manifest.json.1", bytes));
  Remove("manifest.json");
  EXPECT_THAT(LoadManifest(fs(), "/c"), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("version 2")));
}

TEST_F(LoadManifestTest, ADirectoryInItsPlaceIsDamage) {
  Remove("manifest.json");
  ASSERT_OK(fs()->CreateDirectory("/c/manifest.json"));
  ASSERT_OK_AND_ASSIGN(const LoadedManifest loaded, LoadManifest(fs(), "/c"));
  EXPECT_EQ(loaded.source, "manifest.json.1");
  EXPECT_THAT(loaded.fallback_reason, HasSubstr("manifest.json"));
}

TEST_F(LoadManifestTest, AnyOtherFailureToReadIsPassedOnWithoutFallingBack) {
  ASSERT_OK(PublishFile(fs(), "/d", "a file, not a directory"));
  EXPECT_THAT(LoadManifest(fs(), "/d"), StatusIs(absl::StatusCode::kInternal, HasSubstr("/d/manifest.json")));
}

TEST_F(LoadManifestTest, ACheckpointUnderAnothersNameIsNoCandidate) {
  ASSERT_OK_AND_ASSIGN(const std::string bytes, ReadWholeFile(fs(), "/c/" + CheckpointName(5), 1 << 20));
  ASSERT_OK(PublishFile(fs(), "/c/" + CheckpointName(4), bytes));
  Remove(CheckpointName(5));
  Remove("manifest.json");
  Remove("manifest.json.1");
  EXPECT_THAT(LoadManifest(fs(), "/c"), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("holds checkpoint 5")));
}

}  // namespace
}  // namespace varve
