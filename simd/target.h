// Which instruction sets the kernels of simd/ can use, and how a test runs them all.
#ifndef VARVE_SIMD_TARGET_H_
#define VARVE_SIMD_TARGET_H_

#include <string>
#include <vector>

namespace varve {

// Instruction sets that are compiled in and that this processor has, best first: "AVX3_DL", "AVX3", "AVX2" ...
// Thread-safe.
std::vector<std::string> SupportedTargetNames();

// While it lives, kernels that are asked for (GetDistanceFunction and the like) are those of the named instruction set;
// kernels that somebody holds already stay what they are. For tests, one at a time; not thread-safe.
class ScopedTargetForTesting {
 public:
  // Requires: `name` is one of SupportedTargetNames().
  explicit ScopedTargetForTesting(const std::string& name);
  ~ScopedTargetForTesting();
  ScopedTargetForTesting(const ScopedTargetForTesting&) = delete;
  ScopedTargetForTesting& operator=(const ScopedTargetForTesting&) = delete;
};

}  // namespace varve

#endif  // VARVE_SIMD_TARGET_H_
