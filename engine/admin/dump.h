// Decodes one file of a collection for people.
#ifndef VARVE_ENGINE_ADMIN_DUMP_H_
#define VARVE_ENGINE_ADMIN_DUMP_H_

#include <string>

#include "absl/status/statusor.h"
#include "varve/file_system.h"

namespace varve {

// The structure of a segment, log, checkpoint, manifest or deletion bitmap (told by its content) as one JSON document.
// Secrets (log_secret) are left out. Null `file_system`: the operating system's.
absl::StatusOr<std::string> DumpFile(const std::string& path, FileSystem* file_system);

}  // namespace varve

#endif  // VARVE_ENGINE_ADMIN_DUMP_H_
