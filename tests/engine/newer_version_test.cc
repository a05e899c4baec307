// Files of a later version are refused by name, never misread.
#include <fstream>
#include <functional>
#include <string>

#include "engine/version/manifest.h"
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
  void ChangeManifest(const std::function<void(pb::Manifest*)>& change) {
    for (const char* name : {"manifest.json", "manifest.json.1"}) {
      ASSERT_OK_AND_ASSIGN(pb::Manifest manifest, ReadManifestFile(FileSystem::Default(), path(), name));
      change(&manifest);
      ASSERT_OK_AND_ASSIGN(const std::string bytes, EncodeManifest(manifest));
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
  ChangeManifest([](pb::Manifest* manifest) { manifest->set_version(2); });
  ExpectRefused("version 2");
}

TEST_F(NewerVersionTest, FeatureToRead) {
  Fill();
  ChangeManifest([](pb::Manifest* manifest) { manifest->add_features_to_read("time_travel"); });
  ExpectRefused("time_travel");
}

TEST_F(NewerVersionTest, FeatureToWriteLetsReadersIn) {
  Fill();
  ChangeManifest([](pb::Manifest* manifest) { manifest->add_features_to_write("odd_pages"); });
  EXPECT_THAT(Collection::Open(path(), options_), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("odd_pages")));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collection> reader, Collection::OpenReadOnly(path()));
  EXPECT_EQ(*reader->Count(), 1u);
}

}  // namespace
}  // namespace varve::testing
