// A random rotation that costs n log n: four rounds of random signs and a Walsh-Hadamard transform. Where the dimension
// is no power of two, the rounds take the largest power of two at the front and at the back in turn. A value;
// thread-safe.
#ifndef VARVE_COMPRESSION_RANDOM_ROTATION_H_
#define VARVE_COMPRESSION_RANDOM_ROTATION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace varve {

class RandomRotation {
 public:
  // The same for the same dimension and seed, on every machine.
  RandomRotation(size_t dimension, uint64_t seed);

  // The dimension of what Apply writes: a multiple of 64.
  size_t padded() const { return padded_; }
  // Rotates `dimension` floats, padded with zeros, into `padded()` others; the length stays.
  void Apply(const float* vector, float* rotated) const;

 private:
  static constexpr int kRounds = 4;

  size_t dimension_;
  size_t padded_;
  size_t span_;                 // what one round mixes
  std::vector<float> factors_;  // of each round and place: a random sign, and the transform's scale
};

}  // namespace varve

#endif  // VARVE_COMPRESSION_RANDOM_ROTATION_H_
