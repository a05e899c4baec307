// A damaged collection salvaged into a new one: what `varve repair` does. docs/recovery.md, "Salvage".
#ifndef VARVE_ENGINE_REPAIR_H_
#define VARVE_ENGINE_REPAIR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/clock.h"
#include "varve/file_system.h"
#include "varve/stats.h"

namespace varve {

struct RepairOptions {
  FileSystem* file_system = nullptr;  // null: the operating system's
  Clock* clock = nullptr;
};

struct RepairReport {
  RecoveryInfo recovery;                // what the salvage kept and dropped, by file
  uint64_t rows = 0;                    // live in the new collection
  std::vector<std::string> unreadable;  // files with sectors that gave an error, a line each
};

// Copies all files of `directory`, which is not changed, salvages the copy (RecoveryMode::kSalvage), and gives what was
// kept the name `destination`, which must not exist or be an empty directory. The new collection appears when it is
// whole and durable, and takes an identity of its own when it is first opened for writing. On the way
// DESTINATION.salvage and DESTINATION.tmp are made, which must not exist: what a crash leaves there is the user's to
// remove. Errors: NotFound; FailedPrecondition (not a collection, or open for writing); AlreadyExists; InvalidArgument
// (destination within directory); DataLoss if no manifest
// can be read; Unimplemented for a newer format.
absl::StatusOr<RepairReport> RepairCollection(const std::string& directory, const std::string& destination,
                                              const RepairOptions& options);

}  // namespace varve

#endif  // VARVE_ENGINE_REPAIR_H_
