// Lives of collections that a seed chooses.
#ifndef VARVE_TESTS_CRASH_STATES_RANDOM_LIFE_H_
#define VARVE_TESTS_CRASH_STATES_RANDOM_LIFE_H_

#include <cstdint>

#include "tests/crash_states/lab.h"

namespace varve::testing {

// Some calls of every kind, in some sync mode, with some options.
void LiveAtRandom(Lab* lab, uint64_t seed);

}  // namespace varve::testing

#endif  // VARVE_TESTS_CRASH_STATES_RANDOM_LIFE_H_
