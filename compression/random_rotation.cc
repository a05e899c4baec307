#include "compression/random_rotation.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/bytes.h"
#include "base/random.h"
#include "simd/walsh_hadamard.h"

namespace varve {

RandomRotation::RandomRotation(size_t dimension, uint64_t seed)
    : dimension_(dimension), padded_(AlignUp(std::max<size_t>(dimension, 1), 64)), span_(std::bit_floor(padded_)) {
  Random random(seed);
  const float scale = 1.0f / std::sqrt(static_cast<float>(span_));
  factors_.resize(kRounds * span_);
  for (float& factor : factors_) factor = (random.Next() & 1) != 0 ? scale : -scale;
}

void RandomRotation::Apply(const float* vector, float* rotated) const {
  std::copy(vector, vector + dimension_, rotated);
  std::fill(rotated + dimension_, rotated + padded_, 0.0f);
  for (int round = 0; round < kRounds; ++round) {
    float* values = rotated + (round % 2 == 0 ? 0 : padded_ - span_);
    const float* factors = factors_.data() + static_cast<size_t>(round) * span_;
    for (size_t i = 0; i < span_; ++i) values[i] *= factors[i];
    WalshHadamard(values, span_);
  }
}

}  // namespace varve
