#include "engine/background/merge_policy.h"

#include "gtest/gtest.h"

namespace varve {
namespace {

using Ids = std::vector<FileId>;

Ids Inputs(const std::optional<MergePlan>& plan) { return plan.has_value() ? plan->inputs : Ids{}; }

std::vector<MergeCandidate> Segments(size_t count, uint64_t rows, FileId first = 1) {
  std::vector<MergeCandidate> segments;
  for (size_t i = 0; i < count; ++i) segments.push_back({first + i, rows, rows});
  return segments;
}

TEST(MergePolicy, FragmentsBecomeAMiddleSegmentWhenTheyAreEnough) {
  EXPECT_EQ(Inputs(PickMerge(Segments(3, 16'000), {})), Ids{});
  const auto plan = PickMerge(Segments(5, 16'000), {});
  EXPECT_EQ(Inputs(plan), (Ids{1, 2, 3, 4, 5}));
  EXPECT_EQ(plan->rows, 80'000U);
  EXPECT_EQ(plan->level, 1);
}

TEST(MergePolicy, ManyTinyFragmentsBecomeALargerOne) {
  EXPECT_EQ(Inputs(PickMerge(Segments(kFragmentsPerMerge - 1, 10), {})), Ids{});
  auto segments = Segments(kFragmentsPerMerge, 10);
  segments.push_back({99, 5'000, 5'000});
  const auto plan = PickMerge(segments, {});
  EXPECT_EQ(Inputs(plan), (Ids{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(plan->level, 0);
}

TEST(MergePolicy, MiddleSegmentsBecomeFullOnes) {
  EXPECT_EQ(Inputs(PickMerge(Segments(kSegmentsPerTier - 1, 70'000), {})), Ids{});
  const auto plan = PickMerge(Segments(kSegmentsPerTier, 70'000), {});
  EXPECT_EQ(Inputs(plan).size(), kSegmentsPerTier);
  EXPECT_EQ(plan->level, 1);
}

// A row on its way from a flush to a full segment is in two merges.
TEST(MergePolicy, BuildsTheIndexOfARowTwiceUpToAFullSegment) {
  constexpr uint64_t kFlush = 16'384;
  std::vector<MergeCandidate> segments;
  uint64_t flushed = 0;
  uint64_t indexed = 0;
  FileId next = 1;
  while (flushed < 4'000'000) {
    segments.push_back({next++, kFlush, kFlush});
    flushed += kFlush;
    while (const auto plan = PickMerge(segments, {})) {
      indexed += plan->rows;
      for (const FileId id : plan->inputs) {
        std::erase_if(segments, [id](const MergeCandidate& segment) { return segment.id == id; });
      }
      segments.push_back({next++, plan->rows, plan->rows});
    }
    EXPECT_LE(segments.size(), 20U);
  }
  EXPECT_LE(static_cast<double>(indexed) / static_cast<double>(flushed), 2.0);
}

TEST(MergePolicy, RewritesASegmentWithManyDeadRows) {
  EXPECT_EQ(Inputs(PickMerge(std::vector<MergeCandidate>{{1, 100'000, 90'000}, {2, 100'000, 69'000}}, {})), Ids{2});
  EXPECT_EQ(Inputs(PickMerge(std::vector<MergeCandidate>{{1, 100, 70}}, {})), Ids{});
  EXPECT_EQ(Inputs(PickMerge(std::vector<MergeCandidate>{{1, 100, 0}}, {})), Ids{1});
}

TEST(MergePolicy, RewritesALargeSegmentThatWasFlushedWithoutAGraph) {
  const std::vector<MergeCandidate> segments = {{1, 200'000, 200'000, 10, false}, {2, 200'000, 200'000, 10, true}};
  const std::optional<MergePlan> plan = PickMerge(segments, {});
  EXPECT_EQ(Inputs(plan), Ids{2});
  EXPECT_EQ(plan->level, 1) << "it is tried once";
  EXPECT_FALSE(PickMerge(segments, {.max_rows = 100'000}).has_value());
  EXPECT_FALSE(PickMerge(std::vector<MergeCandidate>{{1, 5'000, 5'000, 10, true}}, {}).has_value()) << "a fragment";
}

TEST(MergePolicy, FoldsTheSmallestWhenThereAreTooMany) {
  std::vector<MergeCandidate> segments;
  uint64_t rows = 40'000;
  for (FileId id = 1; id <= 6; ++id, rows *= 9) segments.push_back({id, rows, rows});
  EXPECT_EQ(Inputs(PickMerge(segments, {.max_segments = 6})), Ids{});
  EXPECT_EQ(Inputs(PickMerge(segments, {.max_segments = 4})), (Ids{1, 2, 3, 4}));
}

TEST(MergePolicy, KeepsToTheRowsThatMemoryAllows) {
  EXPECT_EQ(Inputs(PickMerge(Segments(8, 70'000), {.max_rows = 300'000})), (Ids{1, 2, 3, 4}));
  EXPECT_EQ(Inputs(PickMerge(Segments(8, 70'000), {.max_rows = 100'000})), Ids{});
  // Small middle segments, where there is no room for larger ones.
  EXPECT_EQ(Inputs(PickMerge(Segments(2, 6'000), {.max_rows = 20'000})), (Ids{1, 2}));
  EXPECT_EQ(Inputs(PickFullMerge(Segments(5, 70'000), {.max_rows = 220'000})), (Ids{1, 2, 3}));
  EXPECT_EQ(Inputs(PickFullMerge(Segments(2, 200'000), {.max_rows = 220'000})), Ids{});
}

TEST(MergePolicy, FullTakesAllButASingleSegmentWithoutDeadRows) {
  EXPECT_EQ(Inputs(PickFullMerge(std::vector<MergeCandidate>{{1, 10, 10}, {2, 1000, 1000}}, {})), (Ids{1, 2}));
  EXPECT_EQ(Inputs(PickFullMerge(Segments(1, 10), {})), Ids{});
  EXPECT_EQ(Inputs(PickFullMerge(std::vector<MergeCandidate>{{1, 10, 9}}, {})), Ids{1});
  EXPECT_EQ(Inputs(PickFullMerge({}, {})), Ids{});
}

TEST(MergePolicy, OnRequestAllFragmentsAreFolded) {
  const auto plan =
      PickRequestedMerge(std::vector<MergeCandidate>{{1, 10, 10}, {2, 9'000, 9'000}, {3, 90'000, 90'000}}, {});
  EXPECT_EQ(Inputs(plan), (Ids{1, 2}));
  EXPECT_EQ(plan->level, 1);
  EXPECT_EQ(Inputs(PickRequestedMerge(Segments(1, 10), {})), Ids{});
}

TEST(MergePolicy, FoldsNoMoreDocumentsThanFitIntoMemory) {
  std::vector<MergeCandidate> segments;
  for (FileId id = 1; id <= 10; ++id) segments.push_back({id, 1000, 1000, 100});
  const std::optional<MergePlan> plan = PickFullMerge(segments, {.max_row_bytes = 450});
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->inputs.size(), 4U);
  EXPECT_EQ(plan->row_bytes, 400U);
  EXPECT_FALSE(PickFullMerge(segments, {.max_row_bytes = 150}).has_value());
}

}  // namespace
}  // namespace varve
