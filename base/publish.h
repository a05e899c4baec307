// The only way a file comes into being under its final name: write NAME.tmp, fsync it, rename it, fsync the directory.
// Only when Publish has returned may anything durable refer to the file.
#ifndef VARVE_BASE_PUBLISH_H_
#define VARVE_BASE_PUBLISH_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "varve/file_system.h"

namespace varve {

inline constexpr std::string_view kTemporarySuffix = ".tmp";

// Steps 2 to 4 for a file that was written to `path`.tmp and is still open: sync, close, rename, sync the directory.
// On failure the .tmp file is removed as well as may be.
absl::Status PublishTemporary(FileSystem* fs, WritableFile* file, const std::string& path);

// All steps for a file whose contents are at hand. Without `sync_directory` the caller must sync it before the file
// counts.
absl::Status PublishFile(FileSystem* fs, const std::string& path, std::string_view contents,
                         bool sync_directory = true);

// The directory part of a path ("." if there is none).
std::string DirectoryOf(const std::string& path);
std::string JoinPath(std::string_view directory, std::string_view name);

// The whole of a file, refusing one longer than `max_bytes` with DataLoss before anything is allocated.
absl::StatusOr<std::string> ReadWholeFile(FileSystem* fs, const std::string& path, uint64_t max_bytes);

}  // namespace varve

#endif  // VARVE_BASE_PUBLISH_H_
