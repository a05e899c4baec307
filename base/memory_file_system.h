// Files in memory with the semantics of POSIX: names point to inodes, so hard links, rename over a file and removal of
// an open or mapped file behave as on disk. For tests, simulation, and collections that need not outlive the process.
#ifndef VARVE_BASE_MEMORY_FILE_SYSTEM_H_
#define VARVE_BASE_MEMORY_FILE_SYSTEM_H_

#include <memory>

#include "varve/file_system.h"

namespace varve {

// Thread-safe. Has a root directory "/" and nothing else; relative paths start at the root.
std::unique_ptr<FileSystem> NewMemoryFileSystem();

}  // namespace varve

#endif  // VARVE_BASE_MEMORY_FILE_SYSTEM_H_
