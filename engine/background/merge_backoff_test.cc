#include "engine/background/merge_backoff.h"

#include "gtest/gtest.h"

namespace varve {
namespace {

constexpr int64_t kSecond = 1'000'000;

TEST(MergeBackoff, LeavesOutWhatFailedForTwiceAsLongEachTime) {
  MergeBackoff backoff;
  int64_t now = 5 * kSecond;
  EXPECT_FALSE(backoff.LeavesOut(1, now));
  EXPECT_EQ(backoff.next_try_us(now), 0);
  int64_t length = 10 * kSecond;
  for (int i = 0; i < 12; ++i) {
    backoff.Failed({1, 2}, now);
    EXPECT_TRUE(backoff.LeavesOut(1, now));
    EXPECT_TRUE(backoff.LeavesOut(2, now + length - 1));
    EXPECT_FALSE(backoff.LeavesOut(2, now + length));
    EXPECT_FALSE(backoff.LeavesOut(3, now));
    EXPECT_EQ(backoff.next_try_us(now), now + length);
    now += length;
    length = std::min<int64_t>(2 * length, 3600 * kSecond);
  }
}

TEST(MergeBackoff, TriesHalfOfWhatWasTooLarge) {
  MergeBackoff backoff;
  EXPECT_EQ(backoff.max_rows(0), UINT64_MAX);
  backoff.TooLarge(1000, 0);
  EXPECT_EQ(backoff.max_rows(kSecond), 500U);
  backoff.TooLarge(400, kSecond);
  EXPECT_EQ(backoff.max_rows(2 * kSecond), 200U);
  EXPECT_EQ(backoff.next_try_us(2 * kSecond), 21 * kSecond);
  EXPECT_EQ(backoff.max_rows(21 * kSecond), UINT64_MAX) << "it is tried again";
  backoff.TooLarge(400, 21 * kSecond);
  backoff.Succeeded(200);
  EXPECT_EQ(backoff.max_rows(22 * kSecond), 200U);
  backoff.Succeeded(201);
  EXPECT_EQ(backoff.max_rows(22 * kSecond), UINT64_MAX);
  EXPECT_EQ(backoff.next_try_us(22 * kSecond), 0);
}

TEST(MergeBackoff, ForgetsSegmentsThatAreGone) {
  MergeBackoff backoff;
  backoff.Failed({1}, 0);
  backoff.Forget(ReadView());
  EXPECT_FALSE(backoff.LeavesOut(1, kSecond));
}

}  // namespace
}  // namespace varve
