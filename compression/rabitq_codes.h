// One bit per dimension of f32 vectors, and bounds on their distances from it: RaBitQ (Gao, Long, "RaBitQ: Quantizing
// High-Dimensional Vectors with a Theoretical Error Bound for Approximate Nearest Neighbor Search", SIGMOD 2024). A
// vector less a common center is rotated at random, and the signs are kept; the inner product with a query, rotated
// likewise, is then known up to an error that falls with the root of the dimension. Rows lie in blocks of 32
// (simd/sign_scan.h).
#ifndef VARVE_COMPRESSION_RABITQ_CODES_H_
#define VARVE_COMPRESSION_RABITQ_CODES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "compression/random_rotation.h"
#include "simd/sign_scan.h"
#include "varve/types.h"

namespace varve {

// Codes vectors of one field. Thread-compatible: Encode may run beside queries.
class RabitqCoder {
 public:
  // `metric`: kL2, kInnerProduct or kCosine. The center of the vectors is `center` (`dimension` floats; for kCosine of
  // vectors of length 1); the nearer it is to them, the tighter the bounds.
  RabitqCoder(Metric metric, size_t dimension, std::vector<float> center, uint64_t seed);

  static bool Knows(Metric metric);
  // Of 32 rows.
  static size_t BlockBytes(size_t dimension);

  // A vector, and 1 / its norm for kCosine. A row without a vector is within no limit but infinity.
  struct Input {
    const float* vector = nullptr;
    float inverse_norm = 1;
  };
  // Writes the block of these rows: BlockBytes() bytes, aligned for floats.
  void Encode(const std::array<Input, kSignBlockRows>& rows, std::byte* block) const;

 private:
  friend class RabitqQuery;

  struct Factors {
    float base, scale, deviation;
  };
  Factors EncodeRow(const Input& row, size_t number, uint8_t* codes) const;

  Metric metric_;
  size_t dimension_;
  std::vector<float> center_;
  RandomRotation rotation_;
};

// One query. Thread-compatible.
class RabitqQuery {
 public:
  // `inverse_norm`: of the query, for kCosine. `coder` must outlive it.
  RabitqQuery(const RabitqCoder& coder, const float* query, float inverse_norm);

  // Bit r is set for the rows of a block whose distance (simd/distance.h; for kCosine 1 - cosine) may be `limit` or
  // less. A row that is just within it is missed one time in forty, one that is well within hardly ever.
  uint32_t RowsWithin(const std::byte* block, float limit) const;

 private:
  std::vector<uint8_t> tables_;
  SignQuery query_;
};

}  // namespace varve

#endif  // VARVE_COMPRESSION_RABITQ_CODES_H_
