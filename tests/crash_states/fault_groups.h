// Writers that share one sync, which fails.
#ifndef VARVE_TESTS_CRASH_STATES_FAULT_GROUPS_H_
#define VARVE_TESTS_CRASH_STATES_FAULT_GROUPS_H_

#include <string>

#include "tests/crash_states/flaws.h"

namespace varve::testing {

// What is wrong with who was acknowledged; empty: nothing. Rounds differ in how the sync or write of the group fails.
std::string TryGroup(int round, const Flaw* flaw = nullptr);

}  // namespace varve::testing

#endif  // VARVE_TESTS_CRASH_STATES_FAULT_GROUPS_H_
