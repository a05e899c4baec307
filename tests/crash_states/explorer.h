// Crashes a workload at every operation, builds the disks that may be left, and checks each.
#ifndef VARVE_TESTS_CRASH_STATES_EXPLORER_H_
#define VARVE_TESTS_CRASH_STATES_EXPLORER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/crash_states/flaws.h"
#include "tests/crash_states/workloads.h"

namespace varve::testing {

struct ExploreOptions {
  uint64_t seed = 1;
  uint64_t most_states = 1000;  // of the workload; spread evenly over its operations
  // Of the recoveries that were checked one in so many is itself crashed, at some of its operations.
  uint64_t recoveries_crashed = 12;
  size_t most_failures = 3;
  const Flaw* flaw = nullptr;  // what is wrong on purpose
};

struct ExploreReport {
  uint64_t points = 0;  // operations after which the workload was crashed
  uint64_t kills = 0;   // deaths of the process, one for each point
  uint64_t states = 0;  // distinct (point, image) after a loss of power
  uint64_t images = 0;  // distinct images, each recovered once
  uint64_t second = 0;  // of the states: crashes during the recovery from a crash
  uint64_t lost = 0;    // states in which something acknowledged, and not yet promised, was lost: loss is seen
  std::vector<std::string> failures;  // each with the line that replays it
};

// A failed workload (without any crash) is a failure too.
ExploreReport Explore(const Workload& workload, const ExploreOptions& options);

// One state: "LANE SEED WORKLOAD POINT STATE" as a failure prints it.
struct ReplayReport {
  std::string complaint;                // empty: nothing is wrong with it
  std::vector<std::string> operations;  // of the disk, up to the crash and in the recovery
};
ReplayReport Replay(std::string_view line, const Flaw* flaw = nullptr);

}  // namespace varve::testing

#endif  // VARVE_TESTS_CRASH_STATES_EXPLORER_H_
