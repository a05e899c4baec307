// Directories as trees: made with what is missing above them, removed with what they hold. Thread-safe: free functions.
#ifndef VARVE_BASE_DIRECTORIES_H_
#define VARVE_BASE_DIRECTORIES_H_

#include <string>

#include "absl/status/status.h"
#include "varve/file_system.h"

namespace varve {

// Makes the directory and those above it that are missing, and makes their names durable. One that is there is fine.
absl::Status MakeDirectories(FileSystem* fs, const std::string& directory);

// Removes a file, or a directory with all that it holds; what is not there is fine. Symbolic links are removed, never
// followed. Syncs nothing: after a crash some of it may be back.
absl::Status RemoveTree(FileSystem* fs, const std::string& path);

// `path` without the slashes at its end ("/" stays).
std::string WithoutTrailingSlashes(std::string path);

}  // namespace varve

#endif  // VARVE_BASE_DIRECTORIES_H_
