#include "engine/admin/dump.h"

#include <simdjson.h>

#include <string>

#include "engine/admin/collection_test_support.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::_;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::StatusIs;

class DumpTest : public testing::StoredCollectionTest {
 protected:
  // The document, which must be JSON of this kind and keep the secret.
  std::string Dump(const std::string& name, const std::string& kind) {
    auto text = DumpFile("/c/" + name, fs());
    EXPECT_OK(text);
    if (!text.ok()) return "";
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    EXPECT_EQ(parser.parse(*text).get(root), simdjson::SUCCESS) << *text;
    EXPECT_THAT(*text, HasSubstr("\"kind\":\"" + kind + "\""));
    EXPECT_THAT(*text, Not(HasSubstr(testing::kSecretHex)));
    return *text;
  }
};

TEST_F(DumpTest, ShowsAManifestWithoutItsSecret) {
  EXPECT_THAT(Dump("manifest.json", "manifest"), HasSubstr("\"wal_sequence\":\"7\""));
  EXPECT_THAT(Dump("manifest.json.1", "manifest"), HasSubstr("\"generation\":\"2\""));
}

TEST_F(DumpTest, ShowsACheckpointWithoutItsSecret) {
  EXPECT_THAT(Dump(CheckpointName(7), "checkpoint"), HasSubstr("\"checkpoint_id\":\"7\""));
}

TEST_F(DumpTest, ShowsASegmentsFooterHeaderAndIndexes) {
  const std::string text = Dump(SegmentName(1), "segment");
  EXPECT_THAT(text, HasSubstr("\"doc_count\":5"));
  EXPECT_THAT(text, HasSubstr("\"kind\":\"VECTORS\""));
  EXPECT_THAT(text, HasSubstr(R"("first_key":{"namespace":"","key":"a"})"));
  EXPECT_THAT(text, HasSubstr(R"("field":"vector","type":"flat")"));
}

TEST_F(DumpTest, ShowsTheRowsOfABitmap) {
  EXPECT_THAT(Dump(BitmapName(1, 2), "deletion bitmap"), HasSubstr("\"dead_rows\":[1]"));
}

TEST_F(DumpTest, ShowsTheRecordsOfALog) {
  const std::string text = Dump(LogName(5), "log");
  EXPECT_THAT(text, HasSubstr("\"previous\":{\"number\":4"));
  EXPECT_THAT(text, HasSubstr("\"type\":\"delete\""));
  EXPECT_THAT(text, HasSubstr("\"key\":\"z\""));
  EXPECT_THAT(text, HasSubstr("\"sequence\":13"));
}

TEST_F(DumpTest, ShowsKeysThatAreNotTextInBase64) {
  ASSERT_OK(testing::WriteTestLog(fs(), "/c", 9, 14, {std::string("\xff\x00", 2), "a\"b\n"}));
  const std::string text = Dump(LogName(9), "log");
  EXPECT_THAT(text, HasSubstr("\"key_base64\":\"/wA=\""));
  EXPECT_THAT(text, HasSubstr(R"("key":"a\"b\n")"));
}

TEST_F(DumpTest, ALogWithATornTailIsShownAsFarAsItGoes) {
  Write(LogName(5), Read(LogName(5)) + std::string(100, 'x'));
  const std::string text = Dump(LogName(5), "log");
  EXPECT_THAT(text, HasSubstr("\"sequence\":13"));
  EXPECT_THAT(text, HasSubstr("\"invalid\":"));
}

TEST_F(DumpTest, RefusesWhatItCannotShow) {
  EXPECT_THAT(DumpFile("/c", fs()), StatusIs(absl::StatusCode::kFailedPrecondition, _));
  EXPECT_THAT(DumpFile("/missing", fs()), StatusIs(absl::StatusCode::kNotFound, _));
  std::string bytes = Read(SegmentName(1));
  bytes.back() ^= 1;
  Write(SegmentName(1), bytes);
  EXPECT_THAT(DumpFile("/c/" + SegmentName(1), fs()), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("vcnt")));
}

}  // namespace
}  // namespace varve
