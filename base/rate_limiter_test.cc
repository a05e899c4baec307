#include "varve/rate_limiter.h"

#include "gtest/gtest.h"
#include "varve/clock.h"

namespace varve {
namespace {

struct FakeClock final : Clock {
  int64_t WallMicros() override { return now; }
  int64_t MonotonicMicros() override { return now; }
  int64_t now = 1'000'000'000;
};

TEST(RateLimiter, BooksBehindWhatWasBooked) {
  FakeClock clock;
  RateLimiter limiter(1'000'000, &clock);
  EXPECT_EQ(limiter.Book(100'000), 0);  // the burst
  EXPECT_EQ(limiter.Book(50'000), 0);   // at the moment when the burst is spent
  EXPECT_EQ(limiter.Book(1), 50'000);
  clock.now += 50'001;
  EXPECT_EQ(limiter.Book(10), 0);
  EXPECT_EQ(limiter.Book(10), 10);
}

TEST(RateLimiter, APauseGivesNoMoreThanTheBurst) {
  FakeClock clock;
  RateLimiter limiter(1000, &clock);
  clock.now += 3'600'000'000;
  EXPECT_EQ(limiter.Book(100), 0);
  EXPECT_EQ(limiter.Book(1000), 0);
  EXPECT_EQ(limiter.Book(1), 1'000'000);
}

TEST(RateLimiter, ZeroNeverWaits) {
  FakeClock clock;
  RateLimiter limiter(0, &clock);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(limiter.Book(uint64_t{1} << 60), 0);
  limiter.SetRate(10);
  EXPECT_EQ(limiter.rate(), 10U);
  (void)limiter.Book(1000);
  EXPECT_GT(limiter.Book(1), 0);
}

}  // namespace
}  // namespace varve
