// The Walsh-Hadamard transform: with random signs before it, a rotation that costs n log n. Thread-safe.
#ifndef VARVE_SIMD_WALSH_HADAMARD_H_
#define VARVE_SIMD_WALSH_HADAMARD_H_

#include <cstddef>

namespace varve {

// Transforms `count` values in place, without scaling: twice applied it multiplies them by `count`. Requires: `count`
// is a power of two.
void WalshHadamard(float* values, size_t count);

}  // namespace varve

#endif  // VARVE_SIMD_WALSH_HADAMARD_H_
