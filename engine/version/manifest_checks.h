// What must hold within a manifest, wherever it is stored (manifest.json, a checkpoint): checked before it is written
// and after it is read. Thread-safe.
#ifndef VARVE_ENGINE_VERSION_MANIFEST_CHECKS_H_
#define VARVE_ENGINE_VERSION_MANIFEST_CHECKS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "manifest.pb.h"

namespace varve {

// Whether this build may read what a manifest of this version and these features describes.
// Errors: Unimplemented, naming `file` and the version or feature; DataLoss for version 0.
absl::Status CheckManifestVersion(uint64_t version, const std::vector<std::string>& features_to_read,
                                  std::string_view file);

// Hex fields, file numbers (below next_file_id, no number twice), sequences in order, row counts. The schema is not
// looked at beyond its enumerators being known: DecodeSchema does that.
// Errors: DataLoss naming `file`; Unimplemented for an enumerator of a later build, or attachments.
absl::Status CheckManifest(const pb::Manifest& manifest, std::string_view file);

}  // namespace varve

#endif  // VARVE_ENGINE_VERSION_MANIFEST_CHECKS_H_
