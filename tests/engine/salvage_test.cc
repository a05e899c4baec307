// RecoveryMode::kSalvage keeps what verifies of a damaged log, says what it dropped, and leaves an ordinary collection.
#include <filesystem>
#include <fstream>
#include <string>

#include "engine/admin/verify.h"
#include "tests/support/collection_fixture.h"

namespace varve::testing {
namespace {

using ::testing::HasSubstr;

class SalvageTest : public CollectionTest {
 protected:
  // Flips a byte in the middle of the only log of a collection that was closed cleanly.
  void DamageLog() {
    for (const auto& entry : std::filesystem::directory_iterator(path() + "/wal")) {
      std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
      const auto middle = static_cast<std::streamoff>(entry.file_size() / 2);
      file.seekg(middle);
      const char byte = static_cast<char>(file.get() ^ 0x10);
      file.seekp(middle);
      file.put(byte);
    }
  }
};

TEST_F(SalvageTest, KeepsAllButTheDamagedBatch) {
  Create();
  for (int i = 0; i < 100; ++i) ASSERT_OK(collection_->Put(MakeRecord("k" + std::to_string(i), {1, 1, 1, 1})));
  collection_.reset();
  DamageLog();
  EXPECT_THAT(Collection::Open(path(), options_), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(".vwal")));
  options_.recovery = RecoveryMode::kSalvage;
  Reopen();
  EXPECT_GE(*collection_->Count(), 98u);
  EXPECT_LT(*collection_->Count(), 100u);
  EXPECT_FALSE(collection_->Stats().recovery.salvage_report.empty());

  options_.recovery = RecoveryMode::kStrict;
  Reopen();
  EXPECT_GE(*collection_->Count(), 98u);
  EXPECT_TRUE(collection_->Stats().recovery.salvage_report.empty());
  EXPECT_OK(collection_->Put(MakeRecord("after", {1, 1, 1, 1})));
  Reopen();
  EXPECT_OK(collection_->Get("", "after"));
  bool kept = false;
  for (const auto& entry : std::filesystem::directory_iterator(path() + "/lost+found")) {
    kept = kept || entry.path().extension() == ".vwal";
  }
  EXPECT_TRUE(kept) << "the damaged log is evidence";
}

TEST_F(SalvageTest, GoesOnWithoutTheSegmentOfABulkLoadThatIsGone) {
  Create();
  for (int i = 0; i < 20; ++i) ASSERT_OK(collection_->Put(MakeRecord("k" + std::to_string(i), {1, 1, 1, 1})));
  std::string copy;
  {
    BulkLoadOptions options;
    options.progress = [&](uint64_t) {
      // Behind the log record and before the manifest names the segment; called in the build too.
      std::filesystem::remove_all(temp_ / "killed");
      copy = CopyAsIfKilled("killed");
    };
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<BulkLoad> load, collection_->NewBulkLoad(options));
    for (int i = 10; i < 30; ++i) ASSERT_OK(load->Add(MakeRecord("k" + std::to_string(i), {2, 2, 2, 2})));
    ASSERT_OK(load->Finish());
  }
  collection_.reset();
  for (const bool gone : {true, false}) {
    SCOPED_TRACE(gone);
    std::filesystem::remove_all(path());
    std::filesystem::copy(copy, path(), std::filesystem::copy_options::recursive);
    for (const auto& entry : std::filesystem::directory_iterator(path() + "/segments")) {
      if (gone) {
        std::filesystem::remove(entry.path());
      } else {
        std::filesystem::resize_file(entry.path(), entry.file_size() / 2);
      }
    }
    ASSERT_OK_AND_ASSIGN(const VerifyReport report, VerifyPath(path(), {}));
    ASSERT_EQ(report.damage.size(), 1U) << "verify reads what the log names";
    EXPECT_THAT(report.damage[0].file, HasSubstr(".vcnt"));
    options_.recovery = RecoveryMode::kStrict;
    EXPECT_THAT(Collection::Open(path(), options_), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(".vcnt")));
    options_.recovery = RecoveryMode::kSalvage;
    Reopen();
    // Nothing has died for rows that are not there.
    EXPECT_EQ(collection_->Count().value_or(0), 20U);
    EXPECT_EQ(collection_->Get("", "k15")->vectors[0].second[0], 1);
    ASSERT_EQ(collection_->Stats().recovery.salvage_report.size(), 1U);
    EXPECT_THAT(collection_->Stats().recovery.salvage_report[0], HasSubstr("20 of 20 live rows"));
    options_.recovery = RecoveryMode::kStrict;
    Reopen();
    EXPECT_EQ(collection_->Count().value_or(0), 20U);
    EXPECT_TRUE(collection_->Stats().recovery.salvage_report.empty());
    collection_.reset();
  }
}

}  // namespace
}  // namespace varve::testing
