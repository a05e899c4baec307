// A whole copy of a collection: what a backup makes beside a live writer, and what restoring one makes of it again.
//
// The copy is of one generation of the manifest and of the complete batches that the logs held behind it when they were
// read. Its logs are copies cut behind their last complete batch, and its manifest says that they were closed there: it
// is a cleanly closed collection. Copying the logs rather than flushing them first disturbs the writer in nothing,
// builds no index, and is the same from the writer's process and from any other. The format's part in it is
// docs/file_format.md, "Copies".
#ifndef VARVE_ENGINE_VERSION_COLLECTION_COPY_H_
#define VARVE_ENGINE_VERSION_COLLECTION_COPY_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "varve/collection.h"
#include "varve/file_system.h"

namespace varve {

struct CopyRequest {
  FileSystem* fs = nullptr;
  Clock* clock = nullptr;
  std::string from;
  // Must not exist, or be an empty directory. It is made as TO.tmp, which is locked meanwhile, and renamed when all of
  // it is durable.
  std::string to;
  // Hard-link segments and bitmaps where the file system allows it.
  bool link = true;
  // The caller sees to it that no file of `from` is removed meanwhile: its writer, which is in this process, holds
  // garbage back.
  bool pinned = false;
  // Called with the bytes that were copied since the last call. May be empty.
  std::function<void(uint64_t bytes)> progress;
};

// Whether a copy of the collection `from` may be made as `to`; both without trailing slashes. Errors: NotFound and
// FailedPrecondition (`from` is no collection); AlreadyExists (`to` is not empty); InvalidArgument (`to` is empty, or
// within `from`).
absl::Status CheckMayBeCopied(FileSystem* fs, const std::string& from, const std::string& to);

// Errors: NotFound and FailedPrecondition (not a collection; another copy is being made there); AlreadyExists (`to` is
// not empty); InvalidArgument for a `to` within `from`; DataLoss; Unavailable (a writer that never pauses);
// Unimplemented. What was made of the copy is then removed.
absl::StatusOr<BackupResult> CopyCollection(const CopyRequest& request);

}  // namespace varve

#endif  // VARVE_ENGINE_VERSION_COLLECTION_COPY_H_
