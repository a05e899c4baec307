// Looks for a mistake that was made on purpose.
#ifndef VARVE_TESTS_CRASH_STATES_FIND_FLAW_H_
#define VARVE_TESTS_CRASH_STATES_FIND_FLAW_H_

#include <cstdint>
#include <string>

#include "tests/crash_states/flaws.h"

namespace varve::testing {

struct FlawReport {
  std::string failure;  // that shows it; empty: it was not found
  uint64_t tried = 0;   // states and deaths, failing calls or groups, up to it
};

// By the flaw's lane, in its workloads, until one shows it.
FlawReport FindFlaw(const Flaw& flaw, uint64_t most_states);

}  // namespace varve::testing

#endif  // VARVE_TESTS_CRASH_STATES_FIND_FLAW_H_
