#include "engine/search/filter_compiler.h"

#include <memory>
#include <string>

#include "base/memory_file_system.h"
#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/sample_segment.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::varve::testing::SampleSegment;
using ::varve::testing::StatusIs;

// Answers every document alike, and may do something at one of them.
class CountingProgram final : public FilterProgram {
 public:
  absl::StatusOr<bool> Matches(std::string_view /*metadata*/) override {
    if (++calls == cancel_at) cancellation->Cancel();
    if (calls == fail_at) return DataLoss("metadata: damaged");
    return calls % 2 == 0;
  }
  uint32_t calls = 0;
  uint32_t cancel_at = 0;
  uint32_t fail_at = 0;
  Cancellation* cancellation = nullptr;
};

class FilterCompilerTest : public ::testing::Test {
 protected:
  static constexpr uint32_t kRows = 5000;

  void SetUp() override {
    const SampleSegment sample = testing::MakeSample(3, {.rows = kRows, .expiry = false, .fields = false});
    ASSERT_OK(testing::WriteSample(fs_.get(), "s", sample));
    ASSERT_OK_AND_ASSIGN(std::shared_ptr<const Segment> segment,
                         Segment::Open(fs_.get(), "s", std::nullopt, VerifyChecksums::kOnTouch, IoMode::kMapped));
    ASSERT_OK_AND_ASSIGN(part_.handle, SegmentHandle::Make(std::move(segment), schema_));
    part_.deaths = std::make_shared<RowDeaths>(kRows);
    point_.visible = 100;
  }
  SlotFilter Live(RowId first, RowId last) { return MakeSlotFilter(part_, point_, first, last).value(); }

  const std::unique_ptr<FileSystem> fs_ = NewMemoryFileSystem();
  const Schema schema_;
  SegmentPart part_;
  ReadPoint point_;
  CountingProgram program_;
};

TEST_F(FilterCompilerTest, ReadsOnlyLiveRowsOfTheRange) {
  for (RowId row = 1000; row < 1100; ++row) part_.deaths->Kill(row, /*killer=*/row < 1050 ? 100 : 101);
  ASSERT_OK_AND_ASSIGN(const MatchingRows matching, FindMatchingRows(part_, Live(900, 1200), &program_, nullptr));
  EXPECT_EQ(program_.calls, 250u);
  EXPECT_EQ(matching.live, 250u);
  EXPECT_EQ(matching.count, 125u);
  EXPECT_EQ(matching.rows.Count(), 125u);
  EXPECT_EQ(matching.rows.CountRange(900, 1200), 125u);
  EXPECT_EQ(matching.rows.CountRange(1000, 1050), 0u);
}

TEST_F(FilterCompilerTest, EndsSoonWhenItIsCancelled) {
  Cancellation cancellation;
  program_.cancellation = &cancellation;
  program_.cancel_at = 1500;
  EXPECT_THAT(FindMatchingRows(part_, Live(0, kRows), &program_, &cancellation),
              StatusIs(absl::StatusCode::kCancelled, HasSubstr("s")));
  EXPECT_LT(program_.calls, 3000u);
}

TEST_F(FilterCompilerTest, DamageNamesFileAndRow) {
  program_.fail_at = 42;
  EXPECT_THAT(FindMatchingRows(part_, Live(0, kRows), &program_, nullptr),
              StatusIs(absl::StatusCode::kDataLoss, AllOf(HasSubstr("s: row 41"), HasSubstr("metadata: damaged"))));
}

}  // namespace
}  // namespace varve
