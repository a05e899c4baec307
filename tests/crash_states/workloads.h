// What is crashed: short lives of small collections, which together touch the disk in every way there is.
#ifndef VARVE_TESTS_CRASH_STATES_WORKLOADS_H_
#define VARVE_TESTS_CRASH_STATES_WORKLOADS_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/crash_states/lab.h"

namespace varve::testing {

struct Workload {
  std::string name;
  std::function<void(Lab* lab)> run;
};

const std::vector<Workload>& Workloads();
// "random:SEED": a life that the seed chooses.
Workload RandomWorkload(uint64_t seed);
// One of Workloads(), or a random one. Empty if there is none of that name.
std::optional<Workload> FindWorkload(std::string_view name);

}  // namespace varve::testing

#endif  // VARVE_TESTS_CRASH_STATES_WORKLOADS_H_
