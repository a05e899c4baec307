// How those who only read find one whole state in a directory whose writer may replace files while they look.
#ifndef VARVE_ENGINE_VERSION_BESIDE_WRITER_H_
#define VARVE_ENGINE_VERSION_BESIDE_WRITER_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/file_system.h"

namespace varve {

// Whether some process, or another object in this one, holds the collection's lock.
bool WriterIsLive(FileSystem* fs, const std::string& directory);

// The generation of the manifest in force; 0 if none can be read.
uint64_t PublishedGeneration(FileSystem* fs, const std::string& directory);

// Calls `attempt(writer_is_live)`, which gives the generation that it opened, until what it found is no effect of a
// writer at work. A file that is gone or an inconsistency is one, while a writer is there or the generation has moved.
// So is success, if the generation has moved meanwhile: a log that the older one needs may have been removed before it
// was looked for, and what it held would be missing. Should the writer never pause, the last state found stands: it is
// whole, if not the newest; and if none was found whole, the collection is unavailable, not damaged.
absl::Status TryBesideWriter(FileSystem* fs, const std::string& directory,
                             const std::function<absl::StatusOr<uint64_t>(bool writer_is_live)>& attempt);

}  // namespace varve

#endif  // VARVE_ENGINE_VERSION_BESIDE_WRITER_H_
