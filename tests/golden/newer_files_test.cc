// A file of a later version, or with what this build must not pass over, is refused by name: each kind of file, through
// the door. (The manifest's own are in tests/engine/newer_version_test.cc, a database's in database_test.cc.)
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "engine/version/file_names.h"
#include "engine/version/manifest.h"
#include "gtest/gtest.h"
#include "segment.pb.h"
#include "segment/segment_footer.h"
#include "tests/damage/corpus.h"
#include "tests/support/status_matchers.h"
#include "wal/log_format.h"

namespace varve::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class NewerFilesTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK_AND_ASSIGN(corpus_, MakeCorpus(*FindCell("hnsw-f32-l2"), 3)); }

  // Changes every file whose name ends so.
  void Change(const std::string& ending, const std::function<void(std::string*)>& change) {
    size_t changed = 0;
    for (auto& [name, bytes] : corpus_.files) {
      if (!name.ends_with(ending)) continue;
      change(&bytes);
      ++changed;
    }
    ASSERT_GT(changed, 0u) << ending;
  }
  void ExpectRefused(const std::string& ending, const std::string& what) {
    const std::unique_ptr<FileSystem> fs = Restore(corpus_.files);
    ManualClock clock(ReadingTime());
    const auto refused = StatusIs(absl::StatusCode::kUnimplemented, AllOf(HasSubstr(ending), HasSubstr(what)));
    EXPECT_THAT(Collection::OpenReadOnly(kCorpusDirectory, ReaderOptions(fs.get(), &clock)), refused);
    EXPECT_THAT(Collection::Open(kCorpusDirectory, WriterOptions(fs.get(), &clock)), refused);
    Options salvage = WriterOptions(fs.get(), &clock);
    salvage.recovery = RecoveryMode::kSalvage;
    EXPECT_THAT(Collection::Open(kCorpusDirectory, salvage), refused) << "what is newer is not damaged";
  }

  // The checksum of all before the last four bytes, in these.
  static void MakeLastChecksum(std::string* bytes) {
    const size_t end = bytes->size() - sizeof(uint32_t);
    StoreUnaligned(bytes->data() + end, ComputeCrc32c(std::string_view(*bytes).substr(0, end)));
  }
  static void MakeFooterChecksum(std::string* bytes, uint64_t header_offset) {
    const size_t end = bytes->size() - sizeof(uint32_t);
    StoreUnaligned(bytes->data() + end,
                   ComputeCrc32c(std::string_view(*bytes).substr(header_offset, end - header_offset)));
  }

  Corpus corpus_;
};

TEST_F(NewerFilesTest, Segment) {
  Change(".vcnt", [](std::string* bytes) {
    const SegmentFooter footer = *DecodeSegmentFooter(*bytes, "");
    (*bytes)[bytes->size() - SegmentFooter::kEncodedBytes + SegmentFooterLayout::kFormatVersion] = 2;
    MakeFooterChecksum(bytes, footer.header_offset);
  });
  ExpectRefused(".vcnt", "version 2");
}

TEST_F(NewerFilesTest, RequiredSectionOfASegment) {
  Change(".vcnt", [](std::string* bytes) {
    const SegmentFooter footer = *DecodeSegmentFooter(*bytes, "");
    const size_t length = bytes->size() - SegmentFooter::kEncodedBytes - footer.header_offset;
    pb::SegmentHeader header;
    ASSERT_TRUE(header.ParseFromString(bytes->substr(footer.header_offset, length)));
    for (pb::Section& section : *header.mutable_sections()) {
      if (section.kind() == pb::TIMES) section.set_kind(static_cast<pb::SectionKind>(99));
    }
    const std::string changed = header.SerializeAsString();
    ASSERT_EQ(changed.size(), length);
    bytes->replace(footer.header_offset, length, changed);
    MakeFooterChecksum(bytes, footer.header_offset);
  });
  // The manifest of such a collection names these files.
  pb::Manifest manifest = *DecodeManifest(corpus_.files.at("manifest.json"), "");
  for (pb::SegmentEntry& entry : *manifest.mutable_segments()) {
    const std::string& bytes = corpus_.files.at(SegmentName(entry.id()));
    entry.set_footer_crc(Crc32cToHex(DecodeSegmentFooter(bytes, "")->checksum));
  }
  corpus_.files["manifest.json"] = corpus_.files["manifest.json.1"] = *EncodeManifest(manifest);
  ExpectRefused(".vcnt", "kind 99");
}

TEST_F(NewerFilesTest, DeletionBitmap) {
  Change(".vdel", [](std::string* bytes) {
    (*bytes)[4] = 2;
    MakeLastChecksum(bytes);
  });
  ExpectRefused(".vdel", "version 2");
}

TEST_F(NewerFilesTest, Log) {
  Change(".vwal", [](std::string* bytes) {
    (*bytes)[4] = 2;
    std::string header = bytes->substr(0, kLogHeaderBytes);
    MakeLastChecksum(&header);
    bytes->replace(0, kLogHeaderBytes, header);
  });
  ExpectRefused(".vwal", "version 2");
}

TEST_F(NewerFilesTest, RecordOfALog) {
  Change(".vwal", [](std::string* bytes) {
    const LogHeader log = *DecodeLogHeader(bytes->substr(0, kLogHeaderBytes), "");
    const Crc32c seed = LogRecordSeed(log.secret, log.number);
    const uint64_t offset = FirstRecordOffset(log.pad_to);
    LogRecordHeader header;
    Crc32c crc{};
    ASSERT_TRUE(DecodeLogRecordHeader(bytes->data() + offset, seed, offset, &header, &crc));
    header.type = 9;
    EncodeLogRecordHeader(header, seed, offset, bytes->data() + offset);
  });
  ExpectRefused(".vwal", "type 9");
}

TEST_F(NewerFilesTest, CheckpointThatStandsInForTheManifest) {
  Change(".vckp", [](std::string* bytes) {
    (*bytes)[4] = 2;
    MakeLastChecksum(bytes);
  });
  {
    const std::unique_ptr<FileSystem> fs = Restore(corpus_.files);
    ManualClock clock(ReadingTime());
    EXPECT_OK(Collection::OpenReadOnly(kCorpusDirectory, ReaderOptions(fs.get(), &clock))) << "it is not needed";
  }
  corpus_.files.erase("manifest.json");
  corpus_.files.erase("manifest.json.1");
  ExpectRefused(".vckp", "version 2");
}

}  // namespace
}  // namespace varve::testing
