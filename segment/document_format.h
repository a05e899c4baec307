// The layout of section DOCUMENTS: the metadata JSON and the payload bytes of every row, in blocks that are compressed
// by themselves, so that reading one row costs one block. Format: docs/file_format.md, "Documents". All integers
// little-endian. Thread-safe.
//
//   offset size field
//        0    8 rows
//        8    8 blocks
//       16    8 index_offset   of the index, from the section's start; a multiple of 8
//       24   40 zeros
//       64      the blocks' stored bytes, one behind the other; then zeros up to the index, which ends the section
//
// An index entry, one per block, ascending:
//        0    8 offset         of the stored bytes, from the section's start
//        8    4 stored_bytes
//       12    4 plain_bytes    equal to stored_bytes: stored as they are; else an lz4 block
//       16    4 first_row      the block holds the rows from here up to the next block's first
//       20    4 zero
//
// The plain bytes of a block: for each row two varints, the lengths of its metadata and its payload; then for each row
// its metadata and its payload.
#ifndef VARVE_SEGMENT_DOCUMENT_FORMAT_H_
#define VARVE_SEGMENT_DOCUMENT_FORMAT_H_

#include <cstddef>
#include <cstdint>

#include "varve/types.h"

namespace varve {

inline constexpr uint64_t kDocumentHeaderBytes = 64;
inline constexpr uint64_t kDocumentIndexEntryBytes = 24;

// A block is closed when it has this many plain bytes: large enough for lz4 to find repetition between rows, small
// enough that decoding it costs about 10 us. A longer row has a block of its own.
inline constexpr uint64_t kDocumentBlockBytes = 16 << 10;
// And at this many rows, so that a row is found soon among many empty ones.
inline constexpr uint32_t kMaxRowsPerDocumentBlock = 1024;
// A log record, and so every write, is at most 64 MiB.
inline constexpr size_t kMaxPayloadBytes = size_t{64} << 20;
inline constexpr uint64_t kMaxDocumentBlockBytes = kMaxMetadataBytes + kMaxPayloadBytes + kDocumentBlockBytes;

struct DocumentHeader {
  uint64_t rows = 0;
  uint64_t blocks = 0;
  uint64_t index_offset = 0;
};

struct DocumentIndexEntry {
  uint64_t offset = 0;
  uint32_t stored_bytes = 0;
  uint32_t plain_bytes = 0;
  uint32_t first_row = 0;
  uint32_t zero = 0;
};
static_assert(sizeof(DocumentIndexEntry) == kDocumentIndexEntryBytes);

}  // namespace varve

#endif  // VARVE_SEGMENT_DOCUMENT_FORMAT_H_
