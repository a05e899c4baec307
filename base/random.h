// A small, fast, seeded generator with the same output on every machine (the standard's distributions differ).
#ifndef VARVE_BASE_RANDOM_H_
#define VARVE_BASE_RANDOM_H_

#include <cstdint>

namespace varve {

// Scrambles 64 bits; the finaliser of SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators",
// OOPSLA 2014).
constexpr uint64_t Mix64(uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

// SplitMix64. Thread-compatible.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    const uint64_t value = Mix64(state_);
    state_ += 0x9E3779B97F4A7C15;
    return value;
  }
  // Below `bound`, which must not be 0.
  uint64_t Below(uint64_t bound) { return static_cast<uint64_t>((static_cast<__uint128_t>(Next()) * bound) >> 64); }
  // In [0, 1).
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

 private:
  uint64_t state_;
};

}  // namespace varve

#endif  // VARVE_BASE_RANDOM_H_
