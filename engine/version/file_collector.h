// Removes the files of a collection that nothing needs.
#ifndef VARVE_ENGINE_VERSION_FILE_COLLECTOR_H_
#define VARVE_ENGINE_VERSION_FILE_COLLECTOR_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "manifest.pb.h"
#include "varve/file_system.h"
#include "varve/types.h"

namespace varve {

struct CollectionGarbage {
  const pb::Manifest* manifest = nullptr;  // published, and embedded in the newest checkpoint
  // Files that are being made, or that a reader pins, are left alone.
  std::function<bool(FileId id)> in_use;
  // Logs below this number are garbage too; 0: leave the logs alone.
  FileId first_needed_log = 0;
  // Move to lost+found/ instead of removing: after a fallback or a salvage.
  bool keep_in_lost_and_found = false;
};

// Removes older checkpoints (the two newest stay), logs, bitmaps and segments, in this order, and left-over .tmp files.
// A file that cannot be removed stays for the next time.
void RemoveGarbage(FileSystem* fs, const std::string& directory, const CollectionGarbage& garbage);

// A file that was moved to lost+found/ is durably gone from its folder once this has returned and the folder is synced.
absl::Status SyncLostAndFound(FileSystem* fs, const std::string& directory);

}  // namespace varve

#endif  // VARVE_ENGINE_VERSION_FILE_COLLECTOR_H_
