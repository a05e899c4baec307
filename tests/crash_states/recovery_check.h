// Opens what a crash left as often and in as many ways as an owner may, and says what is there and what is wrong.
#ifndef VARVE_TESTS_CRASH_STATES_RECOVERY_CHECK_H_
#define VARVE_TESTS_CRASH_STATES_RECOVERY_CHECK_H_

#include <optional>
#include <string>
#include <vector>

#include "tests/crash_states/gated_executor.h"
#include "tests/crash_states/ledger.h"
#include "varve/clock.h"
#include "varve/crash_disk.h"
#include "varve/disk_trace.h"
#include "varve/fault_file_system.h"
#include "varve/options.h"

namespace varve::testing {

// What of a workload does not depend on the moment of the crash.
struct RecoverySetting {
  std::vector<Ledger> ledgers;
  std::string database;  // empty: there is none
  bool needs_salvage = false;
  Options options;  // but for the file system
  GatedExecutor* executor = nullptr;
  std::vector<DiskFault> lies;  // of the disk that it recovers on
};

// Of a life that has ended.
class Lab;
RecoverySetting MakeRecoverySetting(Lab* lab);

// What was found in one collection's directory.
struct Found {
  bool exists = false;
  Content content;
  Sequence next_sequence = 0;  // of the first write after the recovery
};

struct Findings {
  std::string complaint;     // empty: nothing is wrong with it, whatever should be there
  std::vector<Found> found;  // in the order of the ledgers
  // What the openings for writing did to the disk, with some writes behind each, and their ledgers: of what was there.
  DiskTrace trace;
  std::vector<Ledger> ledgers;
};

// Changes the disk. `begun` is a trace of which the disk has everything: the death of the process, not a loss of power;
// empty: all that the disk has is durable.
Findings CheckRecovery(const RecoverySetting& setting, FileSystem* disk, const DiskTrace* begun);

// What was found, against what may be there after a crash at `point`. Empty if it is right.
std::string Judge(const std::vector<Ledger>& ledgers, const Findings& findings, size_t point, bool killed);

}  // namespace varve::testing

#endif  // VARVE_TESTS_CRASH_STATES_RECOVERY_CHECK_H_
