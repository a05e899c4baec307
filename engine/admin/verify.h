// Reads and checks every byte of a collection, or of one of its files, and what the files say of each other. Never
// writes; works beside a live writer.
#ifndef VARVE_ENGINE_ADMIN_VERIFY_H_
#define VARVE_ENGINE_ADMIN_VERIFY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/file_system.h"

namespace varve {

struct VerifyDamage {
  std::string file;  // relative to the collection
  uint64_t offset = 0;
  std::string section;
  std::string what;
};

struct VerifyReport {
  bool ok = true;
  uint64_t files = 0;
  uint64_t bytes = 0;
  std::vector<VerifyDamage> damage;
  std::vector<std::string> warnings;  // a torn tail, a used fallback, an unnamed file
};

struct VerifyOptions {
  FileSystem* file_system = nullptr;  // null: the operating system's
  bool deep = false;                  // also what costs more than a pass (reachability in graphs)
};

// `path`: a collection's directory, or one file of it (segment, log, checkpoint, manifest, bitmap).
// Errors: NotFound, FailedPrecondition (not a collection), or a failure to read that is no damage. Damage is in the
// report, not in the status.
absl::StatusOr<VerifyReport> VerifyPath(const std::string& path, const VerifyOptions& options);

}  // namespace varve

#endif  // VARVE_ENGINE_ADMIN_VERIFY_H_
