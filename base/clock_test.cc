#include "base/clock.h"

#include "gtest/gtest.h"

namespace varve {
namespace {

TEST(SystemClock, KnowsTheCenturyAndNeverGoesBack) {
  Clock* const clock = Clock::Default();
  EXPECT_EQ(clock, Clock::Default());
  EXPECT_GT(clock->WallMicros(), 1'600'000'000'000'000);
  int64_t before = clock->MonotonicMicros();
  for (int i = 0; i < 1000; ++i) {
    const int64_t now = clock->MonotonicMicros();
    ASSERT_GE(now, before);
    before = now;
  }
}

TEST(ManualClock, MovesWhenItIsTold) {
  ManualClock clock(1000);
  EXPECT_EQ(clock.WallMicros(), 1000);
  EXPECT_EQ(clock.MonotonicMicros(), 0);
  clock.Advance(50);
  EXPECT_EQ(clock.WallMicros(), 1050);
  EXPECT_EQ(clock.MonotonicMicros(), 50);
  clock.SetWall(10);
  EXPECT_EQ(clock.WallMicros(), 10);
  EXPECT_EQ(clock.MonotonicMicros(), 50);
}

}  // namespace
}  // namespace varve
