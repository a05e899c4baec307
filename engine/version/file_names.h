// Names of the files of a collection, and back. Numbers are printed with ten digits or more.
#ifndef VARVE_ENGINE_VERSION_FILE_NAMES_H_
#define VARVE_ENGINE_VERSION_FILE_NAMES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/file_system.h"
#include "varve/types.h"

namespace varve {

inline constexpr std::string_view kManifestName = "manifest.json";
inline constexpr std::string_view kManifestBackupName = "manifest.json.1";
inline constexpr std::string_view kLockName = "LOCK";
inline constexpr std::string_view kLogDirectory = "wal";
inline constexpr std::string_view kSegmentDirectory = "segments";
inline constexpr std::string_view kCheckpointDirectory = "checkpoint";
inline constexpr std::string_view kLostAndFoundDirectory = "lost+found";

std::string LogName(FileId log);                        // "wal/0000000007.vwal"
std::string SegmentName(FileId segment);                // "segments/0000000001.vcnt"
std::string BitmapName(FileId segment, FileId bitmap);  // "segments/0000000001.0000000042.vdel"
std::string CheckpointName(FileId checkpoint);          // "checkpoint/0000000005.vckp"

enum class FileKind : uint8_t { kLog, kSegment, kBitmap, kAttachment, kCheckpoint, kTemporary, kUnknown };

// A file found in one of the three directories of a collection.
struct DirectoryEntry {
  FileKind kind = FileKind::kUnknown;
  std::string name;    // relative to the collection, "segments/0000000001.vcnt"
  FileId id = 0;       // its own number (a bitmap's: the file id); of a temporary file too, if its name has one
  FileId segment = 0;  // bitmaps and attachments: the segment it belongs to
};

// Everything in wal/, segments/ and checkpoint/ (which may be missing), by name, and .tmp files of the directory
// itself.
absl::StatusOr<std::vector<DirectoryEntry>> ListCollection(FileSystem* fs, const std::string& directory);

}  // namespace varve

#endif  // VARVE_ENGINE_VERSION_FILE_NAMES_H_
