// What the process has allocated through operator new, so that a file that makes a reader ask for too much is found
// before the machine is short of memory. The counting operators are linked into every program that has this file.
#ifndef VARVE_TESTS_DAMAGE_ALLOCATION_METER_H_
#define VARVE_TESTS_DAMAGE_ALLOCATION_METER_H_

#include <cstdint>

namespace varve::testing {

// Between Begin and Peak: the most bytes that were allocated at a time, beyond those at Begin. Thread-safe, but one
// measurement at a time.
class AllocationMeter {
 public:
  static void Begin();
  static uint64_t Peak();
};

}  // namespace varve::testing

#endif  // VARVE_TESTS_DAMAGE_ALLOCATION_METER_H_
