#include "varve/options.h"

#include "gtest/gtest.h"

namespace varve {
namespace {

TEST(SyncMode, EveryNameIsReadBackAsItsMode) {
  for (const SyncMode& mode : {SyncMode::PerOp(), SyncMode::OnFlush(), SyncMode::EveryN(1),
                               SyncMode::EveryN(0xFFFF'FFFF'FFFF'FFFF), SyncMode::Interval(250)}) {
    EXPECT_EQ(ParseSyncMode(SyncModeName(mode)), mode) << SyncModeName(mode);
  }
}

TEST(SyncMode, NamesAreThoseOfTheCommandLine) {
  EXPECT_EQ(SyncModeName(SyncMode::PerOp()), "per_op");
  EXPECT_EQ(SyncModeName(SyncMode::EveryN(100)), "every:100");
  EXPECT_EQ(SyncModeName(SyncMode::Interval(20)), "interval:20");
  EXPECT_EQ(SyncModeName(SyncMode::OnFlush()), "on_flush");
}

TEST(SyncMode, RefusesAnythingElse) {
  for (const char* text : {"", "per-op", "per_op ", "every", "every:", "every:0", "every:-1", "every:+1", "every: 1",
                           "every:1x", "every:18446744073709551616", "interval:0", "interval:1.5", "on_flush:1"}) {
    EXPECT_EQ(ParseSyncMode(text), std::nullopt) << text;
  }
}

TEST(Options, DefaultsAreTheSafeOnes) {
  const Options options;
  EXPECT_FALSE(options.sync.has_value());
  EXPECT_EQ(options.verify_checksums, VerifyChecksums::kOnTouch);
  EXPECT_EQ(options.io, IoMode::kMapped);
  EXPECT_EQ(options.recovery, RecoveryMode::kStrict);
  EXPECT_EQ(SyncMode(), SyncMode::PerOp());
}

}  // namespace
}  // namespace varve
