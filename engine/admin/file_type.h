// What kind of file lies at a path.
#ifndef VARVE_ENGINE_ADMIN_FILE_TYPE_H_
#define VARVE_ENGINE_ADMIN_FILE_TYPE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "varve/file_system.h"

namespace varve {

enum class StoredFileType : uint8_t { kSegment, kBitmap, kLog, kCheckpoint, kManifest };

// By its name (".vcnt" ...), so that a file whose first bytes are damaged is still told; by its first bytes if the name
// says nothing. Errors: NotFound; FailedPrecondition if it is no file of a collection.
absl::StatusOr<StoredFileType> TellFileType(FileSystem* fs, const std::string& path);

}  // namespace varve

#endif  // VARVE_ENGINE_ADMIN_FILE_TYPE_H_
