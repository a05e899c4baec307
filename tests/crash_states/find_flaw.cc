#include "tests/crash_states/find_flaw.h"

#include <sstream>
#include <vector>

#include "tests/crash_states/explorer.h"
#include "tests/crash_states/fault_groups.h"
#include "tests/crash_states/fault_points.h"
#include "tests/crash_states/workloads.h"

namespace varve::testing {
namespace {

constexpr int kGroups = 20;

void FindByCrashes(const Flaw& flaw, const Workload& workload, uint64_t most_states, FlawReport* found) {
  const ExploreReport report = Explore(workload, {.most_states = most_states, .most_failures = 1, .flaw = &flaw});
  found->tried += report.states + report.kills;
  if (!report.failures.empty()) found->failure = report.failures[0];
}

void FindByErrors(const Flaw& flaw, const Workload& workload, FlawReport* found) {
  for (const FaultPoint& point : FindFaultPoints(workload, /*seed=*/1)) {
    ++found->tried;
    const FaultReport report = TryFault(workload, point, &flaw);
    if (report.complaint.empty()) continue;
    found->failure = FaultLine(1, workload, point) + "\n  at " + point.site + ": " + report.complaint;
    return;
  }
}

}  // namespace

FlawReport FindFlaw(const Flaw& flaw, uint64_t most_states) {
  FlawReport found;
  if (flaw.lane == Flaw::Lane::kGroups) {
    for (; found.failure.empty() && found.tried < kGroups; ++found.tried) {
      found.failure = TryGroup(static_cast<int>(found.tried), &flaw);
    }
    return found;
  }
  std::istringstream names(flaw.workloads);
  for (std::string name; found.failure.empty() && names >> name;) {
    const Workload workload = *FindWorkload(name);
    if (flaw.lane == Flaw::Lane::kErrors) {
      FindByErrors(flaw, workload, &found);
    } else {
      FindByCrashes(flaw, workload, most_states, &found);
    }
  }
  return found;
}

}  // namespace varve::testing
