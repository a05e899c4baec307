#include "engine/version/manifest.h"

#include <functional>
#include <memory>
#include <string>

#include "base/crc32c.h"
#include "base/memory_file_system.h"
#include "base/publish.h"
#include "engine/version/file_names.h"
#include "engine/version/state_test_support.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::_;
using testing::EmptyManifest;
using ::testing::HasSubstr;
using testing::StatusIs;

// A manifest with a value in every kind of field.
pb::Manifest FullManifest() {
  pb::Manifest manifest = EmptyManifest();
  manifest.set_next_file_id(50);
  manifest.set_generation(9);
  manifest.set_last_sequence(5'000'000'000'000'000'000u);
  manifest.set_wal_sequence(40);
  manifest.set_durable_sequence(44);
  manifest.set_durable_log(8);
  manifest.set_durable_offset(4096);
  manifest.set_checkpoint_id(7);
  manifest.set_created_at(-1);
  manifest.mutable_closed_log()->set_number(8);
  manifest.mutable_closed_log()->set_length(4096);
  manifest.mutable_closed_log()->set_last_sequence(44);
  for (const uint64_t id : {3u, 4u}) {
    pb::SegmentEntry* segment = manifest.add_segments();
    segment->set_id(id);
    segment->set_rows(10);
    segment->set_live_rows(8);
    segment->set_bytes(100000);
    segment->set_footer_crc("0a1b2c3d");
    segment->set_smallest_sequence(1);
    segment->set_largest_sequence(20);
    segment->mutable_bitmap()->set_file_id(id + 10);
    segment->mutable_bitmap()->set_crc("ffffffff");
    segment->mutable_bitmap()->set_length(80);
    segment->mutable_bitmap()->set_dead(2);
  }
  manifest.set_total_vectors(16);
  return manifest;
}

std::string Encode(const pb::Manifest& manifest) {
  auto bytes = EncodeManifest(manifest);
  EXPECT_OK(bytes);
  return bytes.ok() ? *bytes : std::string();
}

// Replaces `from` by `to` and puts the right checksum in: a file as another build, or an adversary, would write it.
std::string Forge(std::string bytes, const std::string& from, const std::string& to) {
  const size_t at = bytes.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  bytes.replace(at, from.size(), to);
  bytes.replace(13, 8, "00000000");
  return bytes.replace(13, 8, Crc32cToHex(ComputeCrc32c(bytes)));
}

TEST(Manifest, RoundTrips) {
  const pb::Manifest manifest = FullManifest();
  const std::string bytes = Encode(manifest);
  ASSERT_OK_AND_ASSIGN(const pb::Manifest decoded, DecodeManifest(bytes, "manifest.json"));
  EXPECT_EQ(decoded.SerializeAsString(), manifest.SerializeAsString());
}

TEST(Manifest, BeginsWithTheChecksumOfItsBytes) {
  std::string bytes = Encode(FullManifest());
  ASSERT_GT(bytes.size(), 23u);
  EXPECT_EQ(bytes.substr(0, 13), R"({"checksum":")");
  EXPECT_EQ(bytes.substr(21, 2), R"(",)");
  const std::string stored = bytes.substr(13, 8);
  bytes.replace(13, 8, "00000000");
  EXPECT_EQ(stored, Crc32cToHex(ComputeCrc32c(bytes)));
}

TEST(Manifest, PrintsOriginalNamesAndAllPrimitiveFieldsWithoutWhiteSpace) {
  const std::string bytes = Encode(EmptyManifest());
  EXPECT_THAT(bytes, HasSubstr(R"("wal_sequence":"0")"));
  EXPECT_THAT(bytes, HasSubstr(R"("segments":[])"));
  EXPECT_THAT(bytes, HasSubstr(R"("index_type":"FLAT")"));
  EXPECT_EQ(bytes.find(' '), std::string::npos);
  EXPECT_EQ(bytes.find('\n'), std::string::npos);
}

TEST(Manifest, EveryFlippedBitIsDamage) {
  std::string bytes = Encode(FullManifest());
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
      ASSERT_THAT(DecodeManifest(bytes, "manifest.json"),
                  StatusIs(absl::StatusCode::kDataLoss, HasSubstr("manifest.json")))
          << "byte " << i << " bit " << bit;
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
    }
  }
}

TEST(Manifest, EveryTruncationIsDamage) {
  const std::string bytes = Encode(FullManifest());
  for (size_t length = 0; length < bytes.size(); ++length) {
    ASSERT_THAT(DecodeManifest(std::string_view(bytes).substr(0, length), "manifest.json"),
                StatusIs(absl::StatusCode::kDataLoss, _));
  }
}

TEST(Manifest, TakesNumbersAsNumbersToo) {
  const std::string bytes = Forge(Encode(FullManifest()), R"("wal_sequence":"40")", R"("wal_sequence":40)");
  ASSERT_OK_AND_ASSIGN(const pb::Manifest decoded, DecodeManifest(bytes, "manifest.json"));
  EXPECT_EQ(decoded.wal_sequence(), 40u);
}

TEST(Manifest, ANewerVersionIsUnimplementedWhateverElseItHolds) {
  std::string bytes = Forge(Encode(FullManifest()), R"("version":1)", R"("version":2)");
  EXPECT_THAT(DecodeManifest(bytes, "m"), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("version 2")));
  bytes = Forge(bytes, R"("segments":[)", R"("segments":["of another shape",)");
  EXPECT_THAT(DecodeManifest(bytes, "m"), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("version 2")));
}

TEST(Manifest, AnUnknownFeatureToReadIsUnimplementedByName) {
  const std::string bytes =
      Forge(Encode(FullManifest()), R"("features_to_read":[])", R"("features_to_read":["time travel"])");
  EXPECT_THAT(DecodeManifest(bytes, "m"), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("time travel")));
}

TEST(Manifest, AnUnknownFeatureToWriteIsTheWritersBusiness) {
  const std::string bytes =
      Forge(Encode(FullManifest()), R"("features_to_write":[])", R"("features_to_write":["time travel"])");
  ASSERT_OK_AND_ASSIGN(const pb::Manifest decoded, DecodeManifest(bytes, "m"));
  EXPECT_EQ(decoded.features_to_write(0), "time travel");
}

TEST(Manifest, UnknownFieldsAndEnumeratorsAreUnimplemented) {
  const std::string bytes = Encode(FullManifest());
  for (const std::string& forged : {Forge(bytes, R"("version":1)", R"("version":1,"colour":"red")"),
                                    Forge(bytes, R"("id":"3")", R"("id":"3","colour":"red")"),
                                    Forge(bytes, R"("index_type":"FLAT")", R"("index_type":"MAGIC")"),
                                    Forge(bytes, R"("index_type":"FLAT")", R"("index_type":99)")}) {
    EXPECT_THAT(DecodeManifest(forged, "m"), StatusIs(absl::StatusCode::kUnimplemented, _)) << forged;
  }
}

TEST(Manifest, WhatIsNoManifestUnderAGoodChecksumIsDamage) {
  const std::string bytes = Encode(FullManifest());
  for (const std::string& forged :
       {Forge(bytes, R"("version":1)", R"("version":0)"), Forge(bytes, R"("version":1,)", ""),
        Forge(bytes, R"("version":1)", R"("version":[1])"), Forge(bytes, R"("segments":[)", R"("segments":[[)"),
        Forge(bytes, R"("segments":[)", R"("segments":["x",)"),
        Forge(bytes, R"("wal_sequence":"40")", R"("wal_sequence":"-1")"),
        Forge(bytes, R"("wal_sequence":"40")", R"("wal_sequence":"18446744073709551616")")}) {
    EXPECT_THAT(DecodeManifest(forged, "m"), StatusIs(absl::StatusCode::kDataLoss, _)) << forged;
  }
}

TEST(Manifest, ErrorsNeverShowTheLogSecret) {
  const std::string bytes = Encode(FullManifest());
  for (const std::string& forged :
       {Forge(bytes, R"("log_secret":")", R"("log_secret":"x)"), Forge(bytes, R"("log_secret":")", R"("log_secret":)"),
        Forge(bytes, R"("log_secret":)", R"("log_secret":[],"secret":)")}) {
    const auto decoded = DecodeManifest(forged, "m");
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.status().message().find("ffeeddcc"), std::string::npos) << decoded.status();
  }
}

struct BrokenRule {
  const char* what;
  std::function<void(pb::Manifest*)> break_it;
};

TEST(Manifest, WhatDoesNotHoldTogetherIsNeitherWrittenNorRead) {
  const BrokenRule rules[] = {
      {"uuid", [](pb::Manifest* m) { m->set_collection_uuid("xyz"); }},
      {"upper-case uuid", [](pb::Manifest* m) { m->set_collection_uuid(std::string(32, 'A')); }},
      {"secret", [](pb::Manifest* m) { m->set_log_secret(""); }},
      {"instance", [](pb::Manifest* m) { m->set_instance("0"); }},
      {"generation", [](pb::Manifest* m) { m->set_generation(0); }},
      {"wal_sequence above last", [](pb::Manifest* m) { m->set_last_sequence(39); }},
      {"durable above last", [](pb::Manifest* m) { m->set_durable_sequence(m->last_sequence() + 1); }},
      {"closed above last", [](pb::Manifest* m) { m->mutable_closed_log()->set_last_sequence(~0ull); }},
      {"closed log", [](pb::Manifest* m) { m->mutable_closed_log()->set_number(50); }},
      {"durable log", [](pb::Manifest* m) { m->set_durable_log(50); }},
      {"checkpoint", [](pb::Manifest* m) { m->set_checkpoint_id(50); }},
      {"segment id", [](pb::Manifest* m) { m->mutable_segments(0)->set_id(50); }},
      {"segment id 0", [](pb::Manifest* m) { m->mutable_segments(0)->set_id(0); }},
      {"segment twice", [](pb::Manifest* m) { m->mutable_segments(0)->set_id(4); }},
      {"bitmap of a segment's number",
       [](pb::Manifest* m) { m->mutable_segments(0)->mutable_bitmap()->set_file_id(4); }},
      {"bitmap of the checkpoint's number",
       [](pb::Manifest* m) { m->mutable_segments(0)->mutable_bitmap()->set_file_id(7); }},
      {"rows", [](pb::Manifest* m) { m->mutable_segments(0)->set_rows(0x1'0000'0000u); }},
      {"live rows", [](pb::Manifest* m) { m->mutable_segments(0)->set_live_rows(11); }},
      {"dead rows", [](pb::Manifest* m) { m->mutable_segments(0)->mutable_bitmap()->set_dead(11); }},
      {"footer crc", [](pb::Manifest* m) { m->mutable_segments(0)->set_footer_crc("0a1b2c3"); }},
      {"bitmap crc", [](pb::Manifest* m) { m->mutable_segments(0)->mutable_bitmap()->set_crc("0a1b2c3X"); }},
      {"sequences", [](pb::Manifest* m) { m->mutable_segments(0)->set_smallest_sequence(21); }},
      {"sequences above last", [](pb::Manifest* m) { m->mutable_segments(0)->set_largest_sequence(~0ull); }},
      {"ingest above last", [](pb::Manifest* m) { m->mutable_segments(0)->set_ingest_sequence(~0ull); }},
      {"version", [](pb::Manifest* m) { m->set_version(0); }},
  };
  for (const BrokenRule& rule : rules) {
    pb::Manifest manifest = FullManifest();
    rule.break_it(&manifest);
    EXPECT_THAT(EncodeManifest(manifest), StatusIs(absl::StatusCode::kInternal, _)) << rule.what;
  }
  const std::string bytes = Encode(FullManifest());
  EXPECT_THAT(DecodeManifest(Forge(bytes, R"("id":"3")", R"("id":"4")"), "m"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("twice")));
  EXPECT_THAT(DecodeManifest(Forge(bytes, R"("next_file_id":"50")", R"("next_file_id":"12")"), "m"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("next_file_id")));
}

TEST(Manifest, AttachmentsAreNotBuiltYet) {
  pb::Manifest manifest = FullManifest();
  manifest.mutable_segments(0)->add_attachments();
  EXPECT_FALSE(EncodeManifest(manifest).ok());
}

class PublishManifestTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(fs_->CreateDirectory("/c")); }
  std::unique_ptr<FileSystem> fs_ = NewMemoryFileSystem();
};

TEST_F(PublishManifestTest, WritesBothCopiesAndLeavesNothingElse) {
  const ManifestPublication published = PublishManifest(fs_.get(), "/c", FullManifest());

  EXPECT_OK(published.status);
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> names, fs_->List("/c"));
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("manifest.json", "manifest.json.1"));
  for (const std::string_view name : {kManifestName, kManifestBackupName}) {
    ASSERT_OK_AND_ASSIGN(const pb::Manifest read, ReadManifestFile(fs_.get(), "/c", name));
    EXPECT_EQ(read.generation(), 9u);
  }
}

TEST_F(PublishManifestTest, AManifestThatDoesNotHoldTogetherChangesNothing) {
  pb::Manifest manifest = FullManifest();
  manifest.set_generation(0);
  const ManifestPublication published = PublishManifest(fs_.get(), "/c", manifest);
  EXPECT_FALSE(published.status.ok());
  EXPECT_FALSE(published.may_be_visible);
  EXPECT_THAT(fs_->List("/c"), testing::IsOk());
  EXPECT_TRUE(fs_->List("/c")->empty());
}

TEST_F(PublishManifestTest, AFailureBeforeTheRenameIsSoftAndLeavesTheOldGeneration) {
  ASSERT_OK(PublishManifest(fs_.get(), "/c", FullManifest()).status);
  ASSERT_OK(fs_->CreateDirectory("/c/manifest.json.1.tmp"));  // so that the second file cannot be made
  pb::Manifest next = FullManifest();
  next.set_generation(10);

  const ManifestPublication published = PublishManifest(fs_.get(), "/c", next);

  EXPECT_FALSE(published.status.ok());
  EXPECT_FALSE(published.may_be_visible);
  ASSERT_OK_AND_ASSIGN(const pb::Manifest read, ReadManifestFile(fs_.get(), "/c", kManifestName));
  EXPECT_EQ(read.generation(), 9u);
  EXPECT_THAT(fs_->Stat("/c/manifest.json.tmp"), StatusIs(absl::StatusCode::kNotFound, _));
}

}  // namespace
}  // namespace varve
