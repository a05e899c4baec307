// Every place from which a life calls the disk, failed in every way in which that call may fail.
#ifndef VARVE_TESTS_CRASH_STATES_FAULT_POINTS_H_
#define VARVE_TESTS_CRASH_STATES_FAULT_POINTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/crash_states/flaws.h"
#include "tests/crash_states/workloads.h"
#include "varve/fault_file_system.h"

namespace varve::testing {

inline constexpr std::string_view kErrorLane = "error";

// One place is a kind of call, on a kind of file, in a kind of step; a life may come by it many times.
struct FaultPoint {
  DiskCall call = DiskCall::kStat;
  std::string site;  // "write /c/wal/#.vwal in put k#"
  size_t index = 0;  // of the call, among those of the life: one of the times that it comes by, chosen by the seed
  std::string how;   // "EIO/once", "ENOSPC+part/forever": a part of the bytes is written
};

std::vector<FaultPoint> FindFaultPoints(const Workload& workload, uint64_t seed);

struct FaultReport {
  bool reached = false;   // the call was made, from that place
  std::string complaint;  // empty: nothing is wrong
};

// Lives with the fault, then without it, and recovers from its end and from a loss of power before it.
FaultReport TryFault(const Workload& workload, const FaultPoint& point, const Flaw* flaw = nullptr);

// "error SEED WORKLOAD INDEX HOW", and how to replay it.
std::string FaultLine(uint64_t seed, const Workload& workload, const FaultPoint& point);
// The point of such a line; an empty `how` if there is none.
FaultPoint PointOf(const Workload& workload, size_t index, const std::string& how);

}  // namespace varve::testing

#endif  // VARVE_TESTS_CRASH_STATES_FAULT_POINTS_H_
