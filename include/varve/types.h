// Names and numbers shared by the whole of Varve: the enumerations that reach the disk, and the limits of the format.
//
// Every value here is part of the file format (docs/file_format.md, "Values on disk"): numbers are never reused.
#ifndef VARVE_TYPES_H_
#define VARVE_TYPES_H_

#include <cstddef>
#include <cstdint>
#include <limits>

namespace varve {

// Number of a record within one segment or memtable: rows are numbered from 0 in the order of (namespace, key).
using RowId = uint32_t;
// Number of one vector of one field within one segment. Equal to the row unless rows lack the field or have several.
using SlotId = uint32_t;
// Order of writes; 0 is before the first write.
using Sequence = uint64_t;
using FieldId = uint32_t;
// Segments, bitmaps, checkpoints and logs are numbered from one counter and never share or reuse a number.
using FileId = uint64_t;

inline constexpr RowId kNoRow = 0xFFFFFFFF;
inline constexpr SlotId kNoSlot = 0xFFFFFFFF;
inline constexpr Sequence kMaxSequence = std::numeric_limits<Sequence>::max();
// The expiry, in milliseconds since 1970, of a record that never expires.
inline constexpr int64_t kNeverExpires = std::numeric_limits<int64_t>::max();

// How two vectors are compared. Distances are smaller for nearer vectors: kL2 is squared Euclidean, kInnerProduct is
// minus the inner product, kCosine is 1 - cosine, kL1 the sum of absolute differences, kHamming differing bits.
enum class Metric : uint8_t { kL2 = 1, kInnerProduct = 2, kCosine = 3, kL1 = 4, kHamming = 5 };

// How one component of a stored vector is represented. kBits packs eight dimensions into a byte, the first dimension in
// the lowest bit.
enum class ElementType : uint8_t { kF32 = 1, kF16 = 2, kBF16 = 3, kI8 = 4, kU8 = 5, kBits = 6 };

enum class IndexType : uint8_t {
  kAuto = 0,  // in a schema: IndexPolicy chooses; never valid in a segment
  kHnsw = 1,
  kDiskAnn = 2,
  kIvfPq = 3,
  kScann = 4,
  kSng = 5,
  kLearnedSparse = 6,
  kFlat = 7,
};

enum class CompressionType : uint8_t {
  kUnspecified = 0,
  kNone = 1,
  kProductQuantization = 2,
  kScalarQuantization = 3,
  kBinaryQuantization = 4,
  kRabitq = 5,
  kTurboquant = 6,
};

enum class FieldKind : uint8_t { kDense = 1, kMultiVector = 2, kSparse = 3, kText = 4 };

// Limits of the format and of the API. Input beyond them is InvalidArgument; a file beyond them is DataLoss.
inline constexpr uint32_t kFormatVersion = 1;
inline constexpr uint32_t kMaxDimension = 65'535;
inline constexpr size_t kMaxKeyBytes = 65'536;
inline constexpr size_t kMaxNamespaceBytes = 1'024;
inline constexpr size_t kMaxFieldNameBytes = 128;
inline constexpr size_t kMaxFields = 64;
inline constexpr size_t kMaxMetadataBytes = 16u << 20;
inline constexpr size_t kMaxJsonDepth = 64;
inline constexpr uint32_t kMaxRowsPerSegment = 0xFFFFFFFE;

// Bytes of one vector of `dimension` components.
constexpr size_t VectorBytes(ElementType element, uint32_t dimension) {
  switch (element) {
    case ElementType::kF32:
      return size_t{4} * dimension;
    case ElementType::kF16:
    case ElementType::kBF16:
      return size_t{2} * dimension;
    case ElementType::kI8:
    case ElementType::kU8:
      return dimension;
    case ElementType::kBits:
      return (size_t{dimension} + 7) / 8;
  }
  return 0;
}

}  // namespace varve

#endif  // VARVE_TYPES_H_
