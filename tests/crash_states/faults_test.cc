// Every place from which a life calls the disk, failed in every way.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/crash_states/environment.h"
#include "tests/crash_states/fault_groups.h"
#include "tests/crash_states/fault_points.h"

namespace varve::testing {
namespace {

// Longest that a life may take: what hangs is told by its line.
constexpr unsigned kSeconds = 300;
std::array<char, 200> running = {};

void TellWhatHangs(int /*signal*/) {
  (void)!::write(STDERR_FILENO, running.data(), ::strnlen(running.data(), running.size()));
  ::_exit(3);
}

struct FaultSum {
  std::set<std::string> sites;
  std::set<std::string> known;  // sites with how they fail
  std::set<DiskCall> calls;
  uint64_t points = 0;
  uint64_t tried = 0;
  uint64_t reached = 0;
};
FaultSum& Sum() {
  static FaultSum sum;
  return sum;
}

// How many of 1,000 points are tried; 1000: each. A place that several lives come by counts once, in the first of them,
// unless VARVE_TEST_FAULTS_EVERYWHERE is 1.
uint64_t Share() { return FromEnvironment("VARVE_TEST_FAULT_SHARE", 15); }
bool Everywhere() { return FromEnvironment("VARVE_TEST_FAULTS_EVERYWHERE", 0) != 0; }

class Faults : public ::testing::TestWithParam<Workload> {};

INSTANTIATE_TEST_SUITE_P(Each, Faults, ::testing::ValuesIn(Workloads()),
                         [](const auto& workload) { return workload.param.name; });

TEST_P(Faults, AreToldAndLoseNothing) {
  const Workload& workload = GetParam();
  const uint64_t seed = FromEnvironment("VARVE_TEST_SEED", 1);
  const std::vector<FaultPoint> points = FindFaultPoints(workload, seed);
  ASSERT_FALSE(points.empty()) << workload.name << " fails without any fault";
  std::signal(SIGALRM, TellWhatHangs);
  Random random(seed);
  uint64_t tried = 0;
  uint64_t reached = 0;
  uint64_t existing = 0;
  int failures = 0;
  for (const FaultPoint& point : points) {
    Sum().sites.insert(point.site);
    Sum().calls.insert(point.call);
    if (!Sum().known.insert(point.site + " " + point.how).second && !Everywhere()) continue;
    ++existing;
    if (random.Below(1000) >= Share()) continue;
    const std::string line = FaultLine(seed, workload, point);
    std::strncpy(running.data(), (line + ": takes for ever\n").c_str(), running.size() - 1);
    ::alarm(kSeconds);
    FaultReport report = TryFault(workload, point);
    // Where time matters a thread of the collection may have synced before the step that was to do it.
    for (int again = 0; again < 3 && !report.reached && report.complaint.empty(); ++again) {
      report = TryFault(workload, point);
    }
    ::alarm(0);
    ++tried;
    reached += report.reached ? 1 : 0;
    if (report.complaint.empty() && report.reached) continue;
    ADD_FAILURE() << line << "\n  at " << point.site << ": "
                  << (report.complaint.empty() ? "the call was not made any more" : report.complaint)
                  << "\n  again: VARVE_TEST_CRASH_REPLAY='" << line << "' crash_states_test --gtest_filter='*Replay*'";
    if (++failures == 5) break;
  }
  Sum().points += existing;
  Sum().tried += tried;
  Sum().reached += reached;
  if (Share() >= 1000 && failures == 0) {
    EXPECT_EQ(reached, existing);
  }
  std::cout << workload.name << ": fault points " << reached << "/" << tried << " covered, of " << existing << "\n";
}

TEST(FaultsOfGroups, AreToldToEverybodyInThem) {
  for (int round = 0; round < 24; ++round) EXPECT_EQ(TryGroup(round), "") << "round " << round;
}

class PrintSum final : public ::testing::Environment {
 public:
  void TearDown() override {
    if (Sum().tried == 0) return;
    std::cout << "In all: fault points " << Sum().reached << "/" << Sum().tried << " covered, of " << Sum().points
              << " at " << Sum().sites.size() << " places, " << Sum().calls.size() << " of " << kDiskCalls
              << " kinds of calls\n";
  }
};
const ::testing::Environment* const print_sum = ::testing::AddGlobalTestEnvironment(new PrintSum);

}  // namespace
}  // namespace varve::testing
