// What every benchmark needs of a program: to end on an error, to read a flag, to look at a clock.
#ifndef VARVE_BENCH_PROGRAM_H_
#define VARVE_BENCH_PROGRAM_H_

#include <errno.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "absl/status/status.h"

namespace varve::bench {

// Ends the program with a message unless the status is OK.
inline void CheckOk(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, status.ToString().c_str());
  std::exit(1);
}

inline double Seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// The number behind "--NAME=" in `argument`, if that is what it is.
inline bool ReadFlag(const std::string& argument, const std::string& name, uint32_t* value) {
  const std::string prefix = "--" + name + "=";
  if (!argument.starts_with(prefix)) return false;
  *value = static_cast<uint32_t>(std::strtoul(argument.c_str() + prefix.size(), nullptr, 10));
  return true;
}

}  // namespace varve::bench

#endif  // VARVE_BENCH_PROGRAM_H_
