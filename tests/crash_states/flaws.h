// Mistakes made on purpose, to see that they are found: disks that lie, and, in builds with the option `seeded_bugs`,
// mistakes in the engine itself.
#ifndef VARVE_TESTS_CRASH_STATES_FLAWS_H_
#define VARVE_TESTS_CRASH_STATES_FLAWS_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/seeded_bug.h"
#include "varve/fault_file_system.h"

namespace varve::testing {

struct Flaw {
  std::string name;
  std::string what;
  std::string workloads;        // that are to show it, separated by spaces; none for groups
  std::vector<DiskFault> lies;  // as if the engine left a call out
  SeededBug bug = SeededBug::kNone;
  enum class Lane { kCrashes, kErrors, kGroups } lane = Lane::kCrashes;
};

// Those that this build has.
const std::vector<Flaw>& Flaws();
const Flaw* FindFlawByName(std::string_view name);

// While it lives the engine has the flaw's mistake. Null: none.
class FlawScope {
 public:
  explicit FlawScope(const Flaw* flaw) { SetSeededBug(flaw == nullptr ? SeededBug::kNone : flaw->bug); }
  ~FlawScope() { SetSeededBug(SeededBug::kNone); }
  FlawScope(const FlawScope&) = delete;
  FlawScope& operator=(const FlawScope&) = delete;
};

}  // namespace varve::testing

#endif  // VARVE_TESTS_CRASH_STATES_FLAWS_H_
