#include "engine/background/merge_policy.h"

#include "gtest/gtest.h"

namespace varve {
namespace {

pb::SegmentEntry Entry(FileId id, uint64_t rows, uint64_t live_rows) {
  pb::SegmentEntry entry;
  entry.set_id(id);
  entry.set_rows(rows);
  entry.set_live_rows(live_rows);
  return entry;
}

std::vector<FileId> Pick(const std::vector<pb::SegmentEntry>& entries, bool full) {
  std::vector<const pb::SegmentEntry*> pointers;
  for (const pb::SegmentEntry& entry : entries) pointers.push_back(&entry);
  return PickMerge(pointers, full);
}

TEST(MergePolicy, FullTakesAllButASingleSegmentWithoutDeadRows) {
  EXPECT_EQ(Pick({Entry(1, 10, 10), Entry(2, 1000, 1000)}, true), (std::vector<FileId>{1, 2}));
  EXPECT_EQ(Pick({Entry(1, 10, 10)}, true), std::vector<FileId>{});
  EXPECT_EQ(Pick({Entry(1, 10, 9)}, true), std::vector<FileId>{1});
  EXPECT_EQ(Pick({}, true), std::vector<FileId>{});
}

TEST(MergePolicy, RewritesASegmentWithManyDeadRows) {
  EXPECT_EQ(Pick({Entry(1, 100, 90), Entry(2, 100, 69)}, false), std::vector<FileId>{2});
  EXPECT_EQ(Pick({Entry(1, 100, 70)}, false), std::vector<FileId>{});
}

TEST(MergePolicy, FoldsFourOfOneTierAndTheSmallestFirst) {
  EXPECT_EQ(Pick({Entry(1, 100, 100), Entry(2, 100, 100), Entry(3, 100, 100), Entry(4, 90000, 90000)}, false),
            std::vector<FileId>{});
  EXPECT_EQ(Pick({Entry(1, 9000, 9000), Entry(2, 9000, 9000), Entry(3, 9000, 9000), Entry(4, 9000, 9000),
                  Entry(5, 70, 70), Entry(6, 70, 70), Entry(7, 70, 70), Entry(8, 70, 70)},
                 false),
            (std::vector<FileId>{5, 6, 7, 8}));
}

}  // namespace
}  // namespace varve
