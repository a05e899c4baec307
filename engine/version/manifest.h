// The manifest: which files a collection consists of, as of one generation. Encoding, publication, and the fallback
// when manifest.json is missing or damaged. Format: docs/file_format.md, "Manifest".
#ifndef VARVE_ENGINE_VERSION_MANIFEST_H_
#define VARVE_ENGINE_VERSION_MANIFEST_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "manifest.pb.h"
#include "varve/file_system.h"

namespace varve {

inline constexpr uint64_t kMaxManifestBytes = 64u << 20;

// The file's bytes: `{"checksum":"xxxxxxxx",` and the rest of the message's JSON.
absl::StatusOr<std::string> EncodeManifest(const pb::Manifest& manifest);
// Looks at nothing but the checksum until it matches; then version and feature lists; then the rest, strictly, and what
// must hold within it (ids below next_file_id, no segment twice, hex fields, sequences in order).
// Errors: DataLoss naming `file`; Unimplemented for a newer version or an unknown feature to read.
absl::StatusOr<pb::Manifest> DecodeManifest(std::string_view bytes, std::string_view file);

// Reads and decodes `name` (kManifestName or kManifestBackupName) alone, without any fallback.
// Errors: as DecodeManifest; NotFound, and what else reading a file gives.
absl::StatusOr<pb::Manifest> ReadManifestFile(FileSystem* fs, const std::string& directory, std::string_view name);

struct ManifestPublication {
  absl::Status status;
  // Whether the new generation may have become visible: a failure then is final (the writer is poisoned), else soft.
  bool may_be_visible = false;
};
// Publishes manifest.json, then manifest.json.1 with the same bytes, then syncs the directory once.
ManifestPublication PublishManifest(FileSystem* fs, const std::string& directory, const pb::Manifest& manifest);

struct LoadedManifest {
  // As stored, but for what readable candidates of later generations witness: durable position, last_sequence,
  // next_file_id and clock_reading are never below theirs.
  pb::Manifest manifest;
  std::string source;               // "manifest.json", or the name of the file that stood in for it
  std::string fallback_reason;      // why manifest.json was not used; empty if it was
  uint64_t largest_generation = 0;  // seen in any readable candidate
};
enum class ManifestChoice : uint8_t {
  kComplete,  // a stand-in counts only if all that it names is there
  kSalvage,   // if none is complete, the newest that can be read
};
// Reads manifest.json, falling back as the format says: on ENOENT or damage, to the candidate of the highest generation
// of which every file is there with the right length and footer CRC and from which the logs run without a gap.
// Errors: NotFound if there is no manifest and nothing else of a collection; DataLoss listing what is missing; any
// other failure to read (EACCES, EMFILE, ENOMEM) as it is, without falling back; Unimplemented for a newer version.
absl::StatusOr<LoadedManifest> LoadManifest(FileSystem* fs, const std::string& directory,
                                            ManifestChoice choice = ManifestChoice::kComplete);

// OK if the directory holds a collection, or what is left of one. Errors: NotFound if there is no directory;
// FailedPrecondition if it holds something else or nothing.
absl::Status CheckIsCollection(FileSystem* fs, const std::string& directory);

}  // namespace varve

#endif  // VARVE_ENGINE_VERSION_MANIFEST_H_
