// Every workload, crashed at every operation.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>

#include "gtest/gtest.h"
#include "tests/crash_states/environment.h"
#include "tests/crash_states/explorer.h"
#include "tests/crash_states/regress.h"

namespace varve::testing {
namespace {

// How many disks are asked for in all: half of them of the fixed lives, which have no more than they have, half of
// random ones.
uint64_t MostStates() { return FromEnvironment("VARVE_TEST_CRASH_STATES", 1000); }

// Of all tests of this process.
ExploreReport& Sum() {
  static ExploreReport sum;
  return sum;
}

void ExploreAndReport(const Workload& workload, uint64_t most_states) {
  ExploreOptions options;
  options.seed = FromEnvironment("VARVE_TEST_SEED", 1);
  options.most_states = most_states;
  const ExploreReport report = Explore(workload, options);
  for (const std::string& failure : report.failures) ADD_FAILURE() << failure;
  std::cout << workload.name << ": " << report.points << " crash points, " << report.kills << " deaths, "
            << report.states << " distinct states (" << report.second << " of them crashes in a recovery), "
            << report.images << " distinct images, " << report.lost << " with an allowed loss\n";
  Sum().points += report.points;
  Sum().kills += report.kills;
  Sum().states += report.states;
  Sum().second += report.second;
  Sum().lost += report.lost;
}

class CrashStates : public ::testing::TestWithParam<Workload> {};

INSTANTIATE_TEST_SUITE_P(Each, CrashStates, ::testing::ValuesIn(Workloads()),
                         [](const auto& workload) { return workload.param.name; });

TEST_P(CrashStates, LoseNothingThatWasPromised) { ExploreAndReport(GetParam(), MostStates() / 2 / Workloads().size()); }

TEST(CrashStatesOfRandomLives, LoseNothingThatWasPromised) {
  const uint64_t seed = FromEnvironment("VARVE_TEST_SEED", 1);
  const uint64_t most = Sum().states + MostStates() / 2;
  for (uint64_t i = 0; Sum().states < most && !HasFailure(); ++i) {
    ExploreAndReport(RandomWorkload(seed * 1'000'000 + i), std::min<uint64_t>(most - Sum().states, 1500));
  }
  EXPECT_GT(Sum().lost, 0u) << "a laboratory that never sees an allowed loss would not see another one";
}

class PrintSum final : public ::testing::Environment {
 public:
  void TearDown() override {
    if (Sum().points == 0) return;
    std::cout << "In all " << Sum().points << " crash points, " << Sum().kills << " deaths, " << Sum().states
              << " distinct states (" << Sum().second << " of them crashes in a recovery), " << Sum().lost
              << " with an allowed loss\n";
  }
};
const ::testing::Environment* const print_sum = ::testing::AddGlobalTestEnvironment(new PrintSum);

class Regress : public ::testing::TestWithParam<RegressCase> {};

INSTANTIATE_TEST_SUITE_P(Each, Regress, ::testing::ValuesIn(kRegressCases));

TEST_P(Regress, WhatOnceFailedIsRight) {
  EXPECT_EQ(Replay(GetParam().line).complaint, "") << GetParam().line << ": " << GetParam().what;
}

// VARVE_TEST_CRASH_REPLAY='power 1 merge 118 first:3/512': the line that a failure prints.
TEST(CrashStatesReplay, OfOneState) {
  const char* const line = std::getenv("VARVE_TEST_CRASH_REPLAY");
  if (line == nullptr) GTEST_SKIP() << "VARVE_TEST_CRASH_REPLAY names no state";
  const char* const flaw = std::getenv("VARVE_TEST_CRASH_FLAW");
  const ReplayReport report = Replay(line, flaw == nullptr ? nullptr : FindFlawByName(flaw));
  EXPECT_EQ(report.complaint, "");
  for (const std::string& operation : report.operations) std::cout << operation << "\n";
}

}  // namespace
}  // namespace varve::testing
