// A scan goes on where it ended: by place, by cursor, over several namespaces, and whatever is written meanwhile.
#include <string>
#include <vector>

#include "tests/support/collection_fixture.h"

namespace varve::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ScanCursorTest : public CollectionTest {
 protected:
  void Fill() {
    Create();
    for (const std::string& ns : {std::string(), std::string("m"), std::string("n\xff", 2)}) {
      for (int i = 0; i < 7; ++i) {
        RecordInput record = MakeRecord("k" + std::to_string(i), {1, 2, 3, 4});
        record.ns = ns;
        ASSERT_OK(collection_->Put(record));
        if (i != 3) continue;
        ASSERT_OK(collection_->Flush().status());
      }
    }
  }
  std::vector<std::string> Scan(const ScanRequest& request) {
    std::vector<std::string> places;
    EXPECT_OK(collection_->Scan(request, [&](const Record& record) {
      places.push_back(record.ns.substr(0, 1) + "/" + record.key);
      return true;
    }));
    return places;
  }
  std::vector<std::string> ScanByPages(ScanRequest request, uint64_t limit, const ReadOptions& options = {}) {
    std::vector<std::string> places;
    request.limit = limit;
    do {
      absl::StatusOr<ScanPage> page = collection_->ReadPage(request, options);
      EXPECT_OK(page);
      if (!page.ok()) break;
      EXPECT_LE(page->records.size(), limit);
      for (const Record& record : page->records) places.push_back(record.ns.substr(0, 1) + "/" + record.key);
      request.cursor = page->cursor;
    } while (!request.cursor.empty());
    return places;
  }
};

TEST_F(ScanCursorTest, AfterIsExclusiveAndSoIsTo) {
  Fill();
  ScanRequest request;
  request.after = RecordPlace{"", "k5"};
  request.to = RecordPlace{"m", "k2"};
  EXPECT_THAT(Scan(request), ElementsAre("/k6", "m/k0", "m/k1"));
  request.ns = "m";
  EXPECT_THAT(Scan(request), ElementsAre("m/k0", "m/k1"));
  request.after = RecordPlace{"m", "k0x"};
  EXPECT_THAT(Scan(request), ElementsAre("m/k1"));
  request.ns = "";
  EXPECT_THAT(Scan(request), IsEmpty());
  request = {};
  request.from = "k6";
  request.after = RecordPlace{"", "k1"};
  request.to = RecordPlace{"m", ""};
  EXPECT_THAT(Scan(request), ElementsAre("/k6"));
  request.to = RecordPlace{"", ""};
  EXPECT_THAT(Scan(request), IsEmpty());
}

TEST_F(ScanCursorTest, PagesAreTheWholeScan) {
  Fill();
  std::vector<ScanRequest> requests(5);
  requests[1].ns = "m";
  requests[2].prefix = "k3";
  requests[3].ns = "n\xff";
  requests[3].from = "k2";
  requests[3].to = RecordPlace{"n\xff", "k6"};
  requests[4].after = RecordPlace{"", "k4"};
  for (const ScanRequest& request : requests) {
    for (const uint64_t limit : {1, 2, 3, 100}) {
      EXPECT_EQ(ScanByPages(request, limit), Scan(request));
    }
  }
}

TEST_F(ScanCursorTest, GoesOnAfterWritesAndARestart) {
  Fill();
  ScanRequest request;
  request.ns = "";
  request.limit = 3;
  ASSERT_OK_AND_ASSIGN(const ScanPage first, collection_->ReadPage(request));
  request.cursor = first.cursor;
  // The record that the cursor stands on goes, others come before and behind it.
  ASSERT_OK(collection_->Delete("", "k2"));
  ASSERT_OK(collection_->Put(MakeRecord("k1x", {1, 1, 1, 1})));
  ASSERT_OK(collection_->Put(MakeRecord("k2x", {1, 1, 1, 1})));
  Reopen();
  request.limit = 2;
  ASSERT_OK_AND_ASSIGN(const ScanPage second, collection_->ReadPage(request));
  ASSERT_EQ(second.records.size(), 2u);
  EXPECT_EQ(second.records[0].key, "k2x");
  EXPECT_EQ(second.records[1].key, "k3");
}

TEST_F(ScanCursorTest, WithASnapshotAllPagesAreOfOneState) {
  Fill();
  ScanRequest request;
  request.ns = "m";
  ASSERT_OK_AND_ASSIGN(const Snapshot snapshot, collection_->GetSnapshot());
  const std::vector<std::string> before = Scan(request);
  request.limit = 2;
  ReadOptions options;
  options.snapshot = &snapshot;
  ASSERT_OK_AND_ASSIGN(ScanPage page, collection_->ReadPage(request, options));
  WriteBatch batch;
  batch.DeleteNamespace("m");
  ASSERT_OK(collection_->Write(batch));
  std::vector<std::string> places = {"m/" + page.records[0].key, "m/" + page.records[1].key};
  while (!page.cursor.empty()) {
    request.cursor = page.cursor;
    ASSERT_OK_AND_ASSIGN(page, collection_->ReadPage(request, options));
    for (const Record& record : page.records) places.push_back("m/" + record.key);
  }
  EXPECT_EQ(places, before);
}

TEST_F(ScanCursorTest, ForeignCursorsAreRefused) {
  Fill();
  ScanRequest request;
  request.limit = 2;
  ASSERT_OK_AND_ASSIGN(const ScanPage page, collection_->ReadPage(request));
  const auto expect_refused = [&](const std::string& cursor, const std::string& why) {
    ScanRequest bad = request;
    bad.cursor = cursor;
    EXPECT_THAT(collection_->ReadPage(bad), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(why))) << cursor;
  };
  for (size_t i = 0; i < page.cursor.size(); ++i) {
    std::string flipped = page.cursor;
    flipped[i] = flipped[i] == '0' ? '1' : '0';
    expect_refused(flipped, "cursor");
  }
  expect_refused(page.cursor.substr(2), "not one that a scan gave");
  expect_refused("x", "not one that a scan gave");
  expect_refused(page.cursor + page.cursor, "not one that a scan gave");
  request.prefix = "k";
  expect_refused(page.cursor, "another scan");
}

}  // namespace
}  // namespace varve::testing
