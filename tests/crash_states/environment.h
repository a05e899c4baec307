// How much a lane does, as the environment says.
#ifndef VARVE_TESTS_CRASH_STATES_ENVIRONMENT_H_
#define VARVE_TESTS_CRASH_STATES_ENVIRONMENT_H_

#include <cstdint>
#include <cstdlib>

namespace varve::testing {

inline uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

}  // namespace varve::testing

#endif  // VARVE_TESTS_CRASH_STATES_ENVIRONMENT_H_
