// Deletion bitmap files: which rows of a segment are dead as of a publication. Immutable; a newer one replaces an older
// one through the manifest. Format: docs/file_format.md, "Deletion bitmap".
#ifndef VARVE_SEGMENT_DELETION_BITMAP_H_
#define VARVE_SEGMENT_DELETION_BITMAP_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "base/crc32c.h"
#include "base/row_set.h"
#include "base/uuid.h"
#include "varve/file_system.h"
#include "varve/types.h"

namespace varve {

struct DeletionBitmapHeader {
  Uuid collection;
  FileId segment = 0;
  FileId file_id = 0;
  uint32_t rows = 0;
  uint32_t dead = 0;
  Sequence durable_sequence = 0;
};

struct PublishedBitmap {
  uint64_t bytes = 0;
  Crc32c crc{};
};

// Publishes the file (all steps). `dead.bound()` is the segment's row count; header.dead is filled in here.
absl::StatusOr<PublishedBitmap> WriteDeletionBitmap(FileSystem* fs, const std::string& path, DeletionBitmapHeader header,
                                                    const RowSet& dead);

struct LoadedBitmap {
  DeletionBitmapHeader header;
  RowSet dead;
  uint64_t bytes = 0;
  Crc32c crc{};
};

// Reads and checks the whole file. The caller compares header, length and CRC with the manifest.
// Errors: NotFound; DataLoss; Unimplemented for a newer version.
absl::StatusOr<LoadedBitmap> ReadDeletionBitmap(FileSystem* fs, const std::string& path);

}  // namespace varve

#endif  // VARVE_SEGMENT_DELETION_BITMAP_H_
