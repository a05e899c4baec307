// From a manifest to the files that it names: whether they are there, and what is to be replayed behind them.
#ifndef VARVE_ENGINE_VERSION_MANIFEST_FILES_H_
#define VARVE_ENGINE_VERSION_MANIFEST_FILES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/version/file_names.h"
#include "manifest.pb.h"
#include "segment/segment.h"
#include "varve/file_system.h"
#include "wal/log_recovery.h"

namespace varve {

// What the manifest says of one of its segments. Requires: a manifest that was decoded (its hex fields are good).
absl::StatusOr<SegmentExpectation> ExpectSegment(const pb::Manifest& manifest, const pb::SegmentEntry& entry);

// Whether every segment and bitmap of the manifest is there with the right length, number, footer CRC or CRC. Costs
// O(1) per segment, and the whole of each bitmap. Errors: DataLoss that lists each missing or damaged file; any other
// failure to read as it is.
absl::Status CheckNamedFiles(FileSystem* fs, const std::string& directory, const pb::Manifest& manifest);

// The replay that belongs to the manifest, of the logs among `entries` (ListCollection's).
absl::StatusOr<ReplayRequest> MakeReplayRequest(const std::string& directory,
                                                const std::vector<DirectoryEntry>& entries,
                                                const pb::Manifest& manifest);

}  // namespace varve

#endif  // VARVE_ENGINE_VERSION_MANIFEST_FILES_H_
