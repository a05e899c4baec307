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

// Damages the section of the vectors' graph or the last documents: any block will do that not all rows need.
void DamageSegments(const std::string& directory) {
  for (const auto& entry : std::filesystem::directory_iterator(directory + "/segments")) {
    if (entry.path().extension() != ".vcnt") continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    const auto place = static_cast<std::streamoff>(entry.file_size() * 3 / 4);
    file.seekg(place);
    const char byte = static_cast<char>(file.get() ^ 0x10);
    file.seekp(place);
    file.put(byte);
  }
}

TEST_F(SalvageTest, RowsOfADamagedSegmentSurviveWithoutAnyLogBehindThem) {
  constexpr int kRows = 3000;
  Schema schema = Schema::SingleVector(kDimension, Metric::kL2);
  schema.fields[0].index.type = IndexType::kHnsw;
  options_.sync = SyncMode::OnFlush();
  Create(schema);
  for (int i = 0; i < kRows; ++i) ASSERT_OK(collection_->Put(MakeRecord("k" + std::to_string(i), {1, 2, 3, 4})));
  ASSERT_OK(collection_->Delete("", "k7"));
  ASSERT_OK(collection_->Flush());
  ASSERT_OK(collection_->Close());
  collection_.reset();
  DamageSegments(path());
  options_.recovery = RecoveryMode::kSalvage;
  options_.memtable_rows = 100;  // all rows go into one segment all the same: a crash between two would lose the rest
  Reopen();
  const RecoveryInfo recovery = collection_->Stats().recovery;
  ASSERT_EQ(recovery.salvage_report.size(), 1U);
  EXPECT_THAT(recovery.salvage_report[0], HasSubstr("0 of 2999 live rows dropped"));
  EXPECT_EQ(*collection_->Count(), kRows - 1U);
  EXPECT_EQ(collection_->Stats().memtable_rows, 0U) << "no log has them";
  EXPECT_EQ(collection_->Stats().segments.size(), 1U);
  ASSERT_OK(collection_->Put(MakeRecord("later", {1, 2, 3, 4})));
  const std::string copy = CopyAsIfKilled("killed");
  options_.recovery = RecoveryMode::kStrict;
  options_.memtable_rows = 0;
  collection_.reset();
  ASSERT_OK_AND_ASSIGN(collection_, Collection::Open(copy, options_));
  EXPECT_EQ(*collection_->Count(), kRows + 0U);
  EXPECT_FALSE(collection_->Get("", "k7").ok());
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, VerifyPath(copy, {}));
  EXPECT_TRUE(report.ok);
}

TEST_F(SalvageTest, ADamagedBulkLoadThatManifestAndLogNameIsTakenOnce) {
  Schema schema = Schema::SingleVector(kDimension, Metric::kL2);
  schema.fields[0].index.type = IndexType::kHnsw;
  options_.sync = SyncMode::OnFlush();
  Create(schema);
  ASSERT_OK(collection_->Put(MakeRecord("before", {1, 1, 1, 1})));
  WriteBatch batch;
  batch.DeleteNamespace("");
  ASSERT_OK(collection_->Write(batch));
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<BulkLoad> load, collection_->NewBulkLoad({}));
    for (int i = 0; i < 2000; ++i) ASSERT_OK(load->Add(MakeRecord("k" + std::to_string(i), {2, 2, 2, 2})));
    ASSERT_OK(load->Finish());
  }
  ASSERT_OK(collection_->Delete("", "k5"));
  ASSERT_OK(collection_->Close());
  collection_.reset();
  DamageSegments(path());
  options_.recovery = RecoveryMode::kSalvage;
  Reopen();
  EXPECT_EQ(*collection_->Count(), 1999U);
  EXPECT_FALSE(collection_->Get("", "k5").ok());
  uint64_t kept = 0;
  int segments = 0;
  for (const SalvagedFile& file : collection_->Stats().recovery.salvaged) {
    if (!file.file.ends_with(".vcnt")) continue;
    ++segments;
    kept += file.rows_kept;
  }
  EXPECT_EQ(segments, 1);
  EXPECT_GE(kept, 1999U);
  EXPECT_LE(kept, 2000U);
}

}  // namespace
}  // namespace varve::testing
