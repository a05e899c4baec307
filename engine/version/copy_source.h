// What a copy of a collection is made from: one generation with all its files, held open, so that a writer may remove
// them meanwhile.
#ifndef VARVE_ENGINE_VERSION_COPY_SOURCE_H_
#define VARVE_ENGINE_VERSION_COPY_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "manifest.pb.h"
#include "varve/file_system.h"

namespace varve {

// A value type, but for the open file.
struct OpenFile {
  std::string name;  // relative to the collection
  std::unique_ptr<RandomAccessFile> file;
  uint64_t size = 0;  // when it was opened
  // Of a log whose length does not yet tell how far it reaches: what it held when it was opened. Else empty.
  std::string contents;
};

struct CopySource {
  pb::Manifest manifest;
  uint64_t largest_generation = 0;  // that was ever given, as far as the directory tells
  bool writer_is_live = false;
  std::vector<OpenFile> files;  // segments and bitmaps: all that the manifest names
  std::vector<OpenFile> logs;   // all there are; among them those that the manifest needs
  // Segments that the manifest does not name; among them those that the logs name as far as they reached when opened.
  std::vector<OpenFile> unnamed;
};

// `pinned`: nothing is removed meanwhile, so that one look is enough; else it looks again while a writer moves on.
// Every write that was acknowledged before the call lies in what was opened.
// Errors: NotFound, FailedPrecondition (not a collection), DataLoss, Unimplemented, Unavailable.
absl::StatusOr<CopySource> OpenCopySource(FileSystem* fs, const std::string& directory, bool pinned);

}  // namespace varve

#endif  // VARVE_ENGINE_VERSION_COPY_SOURCE_H_
