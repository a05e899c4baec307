// Deletion bitmap files: which rows of a segment are dead as of a publication. Immutable; a newer one replaces an older
// one through the manifest. Thread-safe: free functions. Format: docs/file_format.md, "Deletion bitmap". Little-endian:
//
//   offset size field
//        0    4 magic             "VDEL"
//        4    4 format_version    1
//        8   16 collection        uuid
//       24    8 segment           id
//       32    8 file_id           the number in the file's name
//       40    4 rows              of the segment
//       44    4 dead              rows in the set
//       48    8 durable_sequence
//       56    1 encoding          1 words, 2 sorted rows; whichever is smaller, words if equal
//       57    7 zeros
//       64      words: ceil(rows / 64) x u64, bit r % 64 of word r / 64 set if row r is dead; or dead x u32, ascending
//      end    4 checksum          CRC-32C of all before it
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
absl::StatusOr<PublishedBitmap> WriteDeletionBitmap(FileSystem* fs, const std::string& path,
                                                    DeletionBitmapHeader header, const RowSet& dead);

struct LoadedBitmap {
  DeletionBitmapHeader header;
  RowSet dead;
  uint64_t bytes = 0;
  Crc32c crc{};
};

// Reads and checks the whole file. The caller compares header, length and CRC with the manifest. A bitmap for more than
// `max_rows` rows (give the segment's, where it is known) is DataLoss before anything is allocated for them.
// Errors: NotFound; DataLoss; Unimplemented for a newer version.
absl::StatusOr<LoadedBitmap> ReadDeletionBitmap(FileSystem* fs, const std::string& path,
                                                uint32_t max_rows = kMaxRowsPerSegment);

}  // namespace varve

#endif  // VARVE_SEGMENT_DELETION_BITMAP_H_
