// The layout of the key table, section IDS: the sorted keys of a segment, a hash index from key to row, and a filter.
// Format: docs/file_format.md, "Key table". All integers little-endian. Thread-safe.
//
//   offset size field
//        0    8 rows
//        8    8 namespaces          distinct ones; each is an interval of rows
//       16    8 namespace_bytes     of all names together
//       24    8 key_bytes           of all keys together
//       32    8 seed                of HashKey
//       40    8 buckets             of the lookup table; above rows, so that one is always empty
//       48    8 filter_blocks
//       56    8 zero
//
// Then these areas, each starting on a multiple of 64 bytes with zeros before it; they end where the section ends:
//   filter             filter_blocks x 64    key_filter.h
//   lookup table       buckets x u32         open addressing, linear probing from SpreadHash(hash, buckets)
//   namespace rows     namespaces x u32      first row of each namespace, ascending; the first is 0
//   namespace ends     namespaces x u64      where each name ends in the next area
//   namespace names
//   key bases          ceil(rows / 64) x u64 where the keys of each group of 64 rows begin in the last area
//   key ends           rows x u32            where each key ends, counted from its group's base
//   keys
//
// A bucket holds the row in its low bits, as many as `rows` needs (LookupRowBits), and the hash's low bits above it, so
// that few probes compare a wrong key. An empty bucket has all bits set; no row's number has all its bits set, since it
// is below `rows`.
#ifndef VARVE_SEGMENT_KEY_TABLE_FORMAT_H_
#define VARVE_SEGMENT_KEY_TABLE_FORMAT_H_

#include <bit>
#include <cstdint>
#include <optional>

namespace varve {

inline constexpr uint64_t kKeyTableHeaderBytes = 64;
inline constexpr uint64_t kKeyTableAlignment = 64;
inline constexpr uint64_t kKeysPerGroup = 64;
inline constexpr uint32_t kEmptyBucket = 0xFFFFFFFF;

struct KeyTableHeader {
  uint64_t rows = 0;
  uint64_t namespaces = 0;
  uint64_t namespace_bytes = 0;
  uint64_t key_bytes = 0;
  uint64_t seed = 0;
  uint64_t buckets = 0;
  uint64_t filter_blocks = 0;
};

// Offsets of the areas from the section's start.
struct KeyTableLayout {
  uint64_t filter = 0;
  uint64_t buckets = 0;
  uint64_t namespace_rows = 0;
  uint64_t namespace_ends = 0;
  uint64_t namespace_names = 0;
  uint64_t key_bases = 0;
  uint64_t key_ends = 0;
  uint64_t keys = 0;
  uint64_t end = 0;
};

// Empty if the counts cannot be those of a key table (beyond the format's limits, or at odds with each other).
std::optional<KeyTableLayout> ComputeKeyTableLayout(const KeyTableHeader& header);

// At three quarters full, a key that is there is found in two to three probes.
constexpr uint64_t LookupBucketCount(uint64_t rows) { return rows == 0 ? 0 : rows + rows / 3 + 1; }

constexpr int LookupRowBits(uint64_t rows) { return static_cast<int>(std::bit_width(rows)); }

// The bucket of a row with this hash.
constexpr uint32_t LookupEntry(uint64_t hash, uint32_t row, int row_bits) {
  return static_cast<uint32_t>((hash << row_bits) | row);
}

}  // namespace varve

#endif  // VARVE_SEGMENT_KEY_TABLE_FORMAT_H_
