// Checkpoint files: a whole manifest in a file of its own, from which a lost manifest.json is recovered.
// Format: docs/file_format.md, "Checkpoint".
#ifndef VARVE_ENGINE_VERSION_CHECKPOINT_H_
#define VARVE_ENGINE_VERSION_CHECKPOINT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "manifest.pb.h"
#include "varve/file_system.h"
#include "varve/types.h"

namespace varve {

// Publishes checkpoint/ID.vckp (all steps).
absl::Status WriteCheckpoint(FileSystem* fs, const std::string& directory, FileId id, const pb::Checkpoint& checkpoint);

// Errors: NotFound; DataLoss; Unimplemented for a newer version.
absl::StatusOr<pb::Checkpoint> ReadCheckpoint(FileSystem* fs, const std::string& path);

}  // namespace varve

#endif  // VARVE_ENGINE_VERSION_CHECKPOINT_H_
