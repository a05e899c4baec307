#include "base/row_deaths.h"

#include <atomic>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

using Deaths = std::vector<std::pair<uint32_t, uint64_t>>;

Deaths Collect(const RowDeaths& deaths) {
  Deaths found;
  deaths.ForEach([&](uint32_t row, uint64_t killer) { found.emplace_back(row, killer); });
  return found;
}

TEST(RowDeaths, AllLiveAtFirst) {
  const RowDeaths deaths(5000);
  EXPECT_TRUE(deaths.empty());
  EXPECT_EQ(deaths.rows(), 5000u);
  EXPECT_EQ(deaths.KillerOf(4999), 0u);
  EXPECT_FALSE(deaths.IsDead(0, 1'000'000));
  EXPECT_EQ(Collect(deaths), Deaths());
  EXPECT_TRUE(RowDeaths(0).empty());
}

TEST(RowDeaths, ARowIsDeadFromItsKillerOn) {
  RowDeaths deaths(5000);
  deaths.Kill(1024, 17);
  EXPECT_FALSE(deaths.empty());
  EXPECT_FALSE(deaths.IsDead(1024, 16));
  EXPECT_TRUE(deaths.IsDead(1024, 17));
  EXPECT_FALSE(deaths.IsDead(1023, 100));
}

TEST(RowDeaths, ARowDiesOnce) {
  RowDeaths deaths(100);
  deaths.Kill(1, 5);
  deaths.Kill(1, 6);
  deaths.KillRange(0, 3, 7);
  deaths.Kill(2, 8);
  deaths.KillRange(0, 100, 9);
  EXPECT_EQ(deaths.KillerOf(0), 7u);
  EXPECT_EQ(deaths.KillerOf(1), 5u);
  EXPECT_EQ(deaths.KillerOf(2), 7u);
  EXPECT_EQ(deaths.KillerOf(3), 9u);
}

TEST(RowDeaths, AnEmptyRangeKillsNothing) {
  RowDeaths deaths(100);
  deaths.KillRange(50, 50, 5);
  EXPECT_TRUE(deaths.empty());
}

TEST(RowDeaths, VisitsDeathsInOrderOfRows) {
  RowDeaths deaths(3000);
  deaths.Kill(2999, 4);
  deaths.Kill(0, 5);
  deaths.KillRange(1022, 1026, 6);
  deaths.Kill(2000, 7);
  EXPECT_EQ(Collect(deaths), (Deaths{{0, 5}, {1022, 6}, {1023, 6}, {1024, 6}, {1025, 6}, {2000, 7}, {2999, 4}}));
}

TEST(RowDeaths, AgreesWithAMapOfFirstDeaths) {
  constexpr uint32_t kRows = 4000;
  Random random(3);
  RowDeaths deaths(kRows);
  std::map<uint32_t, uint64_t> oracle;
  for (uint64_t killer = 1; killer <= 600; ++killer) {
    if (random.Below(20) == 0) {
      const auto first = static_cast<uint32_t>(random.Below(kRows));
      const auto last = static_cast<uint32_t>(std::min<uint64_t>(kRows, first + random.Below(200)));
      deaths.KillRange(first, last, killer);
      for (uint32_t row = first; row < last; ++row) oracle.emplace(row, killer);
    } else {
      const auto row = static_cast<uint32_t>(random.Below(kRows));
      deaths.Kill(row, killer);
      oracle.emplace(row, killer);
    }
  }
  EXPECT_EQ(Collect(deaths), Deaths(oracle.begin(), oracle.end()));
  for (uint32_t row = 0; row < kRows; ++row) {
    const auto found = oracle.find(row);
    ASSERT_EQ(deaths.KillerOf(row), found == oracle.end() ? 0 : found->second);
  }
}

// What the engine relies on: a reader that has seen a sequence made visible sees exactly the deaths up to it, while the
// writer goes on.
TEST(RowDeaths, AReaderSeesExactlyTheDeathsUpToItsSequence) {
  constexpr uint32_t kRows = 3000;
  constexpr uint64_t kWrites = 2000;
  // The plan, made before: who kills each row first.
  struct Write {
    uint32_t first;
    uint32_t last;
  };
  Random random(5);
  std::vector<Write> writes;
  std::vector<uint64_t> killers(kRows, 0);
  for (uint64_t sequence = 1; sequence <= kWrites; ++sequence) {
    const auto first = static_cast<uint32_t>(random.Below(kRows - 40));
    const uint32_t last = first + (random.Below(50) == 0 ? 40 : 1);
    writes.push_back({first, last});
    for (uint32_t row = first; row < last; ++row) {
      if (killers[row] == 0) killers[row] = sequence;
    }
  }

  RowDeaths deaths(kRows);
  std::atomic<uint64_t> visible{0};
  std::vector<std::thread> readers;
  std::atomic<uint64_t> mistakes{0};
  for (uint64_t seed = 0; seed < 2; ++seed) {
    readers.emplace_back([&, seed] {
      Random own(100 + seed);
      uint64_t seen = 0;
      while (seen < kWrites) {
        seen = visible.load(std::memory_order_acquire);
        for (int i = 0; i < 50; ++i) {
          const auto row = static_cast<uint32_t>(own.Below(kRows));
          const bool dead = killers[row] != 0 && killers[row] <= seen;
          if (deaths.IsDead(row, seen) != dead) ++mistakes;
        }
        uint64_t early = 0;
        deaths.ForEach([&](uint32_t row, uint64_t killer) {
          if (killer != killers[row]) ++mistakes;
          if (killer <= seen) ++early;
        });
        if (seen == kWrites && early == 0) ++mistakes;
      }
    });
  }
  for (uint64_t sequence = 1; sequence <= kWrites; ++sequence) {
    const Write& write = writes[sequence - 1];
    if (write.last == write.first + 1) {
      deaths.Kill(write.first, sequence);
    } else {
      deaths.KillRange(write.first, write.last, sequence);
    }
    visible.store(sequence, std::memory_order_release);
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(mistakes, 0u);
}

TEST(RowDeaths, SaysHowMuchItHoldsAndWhoPaysForIt) {
  MemoryBudget budget(1 << 20);
  {
    RowDeaths deaths(10'000, &budget);
    EXPECT_EQ(deaths.kills() + deaths.ranges() + deaths.bytes(), 0u);
    deaths.Kill(1, 5);
    deaths.Kill(1, 6);
    deaths.Kill(2, 7);
    deaths.Kill(5000, 8);
    deaths.KillRange(6000, 7000, 9);
    EXPECT_EQ(deaths.kills(), 3u);
    EXPECT_EQ(deaths.ranges(), 1u);
    EXPECT_EQ(deaths.bytes(), 2 * 1024 * sizeof(uint64_t));
    EXPECT_EQ(budget.used(MemoryBudget::Use::kMemtables), deaths.bytes());
  }
  EXPECT_EQ(budget.used(MemoryBudget::Use::kMemtables), 0u);
}

}  // namespace
}  // namespace varve
