// The operating system's files. FileSystem::Default() is one of these.
#ifndef VARVE_BASE_POSIX_FILE_SYSTEM_H_
#define VARVE_BASE_POSIX_FILE_SYSTEM_H_

#include <memory>

#include "varve/file_system.h"

namespace varve {

// Thread-safe. Opens regular files only. Files are made with mode 0644 and directories with 0755, less the umask.
std::unique_ptr<FileSystem> NewPosixFileSystem();

}  // namespace varve

#endif  // VARVE_BASE_POSIX_FILE_SYSTEM_H_
