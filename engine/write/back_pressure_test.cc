#include "engine/write/back_pressure.h"

#include "gtest/gtest.h"

namespace varve {
namespace {

TEST(BackPressure, NothingIsSlowedInOrdinaryTimes) {
  const WriteDelay delay = DelayFor({.frozen_memtables = 0, .memtable_fill = 0.99, .segments = 32});
  EXPECT_EQ(delay.reason, StallReason::kNone);
  EXPECT_EQ(delay.microseconds, 0);
  EXPECT_FALSE(delay.wait);
}

TEST(BackPressure, TheLastMemtableFillsEverMoreSlowly) {
  EXPECT_EQ(DelayFor({.frozen_memtables = 1, .memtable_fill = 0.5}).microseconds, 0);
  const WriteDelay half = DelayFor({.frozen_memtables = 1, .memtable_fill = 0.75});
  EXPECT_EQ(half.reason, StallReason::kMemtables);
  EXPECT_EQ(half.microseconds, 500);
  EXPECT_EQ(DelayFor({.frozen_memtables = 1, .memtable_fill = 1}).microseconds, 1000);
  EXPECT_EQ(DelayFor({.frozen_memtables = 1, .max_frozen_memtables = 2, .memtable_fill = 1}).microseconds, 0);
}

TEST(BackPressure, TooManySegmentsSlowAndThenStop) {
  EXPECT_EQ(DelayFor({.segments = 10, .max_segments = 10}).microseconds, 0);
  const WriteDelay slow = DelayFor({.segments = 15, .max_segments = 10, .merges_run = true});
  EXPECT_EQ(slow.reason, StallReason::kSegments);
  EXPECT_EQ(slow.microseconds, 5000);
  EXPECT_FALSE(slow.wait);
  EXPECT_TRUE(DelayFor({.segments = 21, .max_segments = 10, .merges_run = true}).wait);
}

TEST(BackPressure, NobodyWaitsForMergesThatDoNotRun) {
  const WriteDelay delay = DelayFor({.segments = 1000, .max_segments = 10, .merges_run = false});
  EXPECT_FALSE(delay.wait);
  EXPECT_EQ(delay.microseconds, 10'000);
}

}  // namespace
}  // namespace varve
