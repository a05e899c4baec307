// Files of a later version are refused by name, never misread.
#include <fstream>
#include <string>

#include "base/crc32c.h"
#include "base/publish.h"
#include "tests/support/collection_fixture.h"

namespace varve::testing {
namespace {

using ::testing::HasSubstr;

class NewerVersionTest : public CollectionTest {
 protected:
  void Fill() {
    Create();
    ASSERT_OK(collection_->Put(MakeRecord("k", {1, 1, 1, 1})));
    collection_.reset();
  }
  // Changes the text of both manifests, as a later version might have written it, and makes their checksums right.
  void ChangeManifest(const std::string& from, const std::string& to) {
    constexpr size_t kChecksumAt = 13;  // behind {"checksum":"
    for (const char* name : {"manifest.json", "manifest.json.1"}) {
      ASSERT_OK_AND_ASSIGN(std::string bytes, ReadWholeFile(FileSystem::Default(), path() + "/" + name, 1 << 20));
      const size_t at = bytes.find(from);
      ASSERT_NE(at, std::string::npos) << bytes;
      bytes.replace(at, from.size(), to);
      bytes.replace(kChecksumAt, 8, "00000000");
      bytes.replace(kChecksumAt, 8, Crc32cToHex(ComputeCrc32c(bytes)));
      std::ofstream(path() + "/" + name, std::ios::binary) << bytes;
    }
  }
  void ExpectRefused(const std::string& what) {
    EXPECT_THAT(Collection::Open(path(), options_), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr(what)));
    EXPECT_THAT(Collection::OpenReadOnly(path()), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr(what)));
  }
};

TEST_F(NewerVersionTest, Manifest) {
  Fill();
  ChangeManifest(R"("version":1)", R"("version":2)");
  ExpectRefused("version 2");
}

TEST_F(NewerVersionTest, FeatureToRead) {
  Fill();
  ChangeManifest(R"("features_to_read":[])", R"("features_to_read":["time_travel"])");
  ExpectRefused("time_travel");
}

TEST_F(NewerVersionTest, FeatureToWriteLetsReadersIn) {
  Fill();
  ChangeManifest(R"("features_to_write":[])", R"("features_to_write":["odd_pages"])");
  EXPECT_THAT(Collection::Open(path(), options_), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("odd_pages")));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collection> reader, Collection::OpenReadOnly(path()));
  EXPECT_EQ(*reader->Count(), 1u);
}

}  // namespace
}  // namespace varve::testing
