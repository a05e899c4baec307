// Synthetic data: points around random centres, each cluster with a spread of its own. The same seed gives the same
// points on every machine.
#ifndef VARVE_BENCH_CLUSTERED_H_
#define VARVE_BENCH_CLUSTERED_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

#include "base/random.h"

namespace varve::bench {

// Enough clusters that a search must find the right one, few enough that each has many rows.
inline constexpr uint32_t kRowsPerCluster = 200;

inline double Gaussian(Random* random) {
  // Box-Muller; 1 - u keeps the logarithm finite.
  const double radius = std::sqrt(-2.0 * std::log(1.0 - random->Uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * random->Uniform());
}

struct Clusters {
  uint32_t dimension;
  std::vector<float> centres;  // count x dimension
  std::vector<float> spreads;  // count

  Clusters(uint32_t count, uint32_t dim, Random* random) : dimension(dim) {
    for (uint32_t c = 0; c < count; ++c) {
      for (uint32_t d = 0; d < dim; ++d) centres.push_back(static_cast<float>(Gaussian(random)));
      spreads.push_back(static_cast<float>(0.3 + 0.5 * random->Uniform()));
    }
  }

  // As many as data of so many rows should have.
  static Clusters ForRows(uint32_t rows, uint32_t dim, Random* random) {
    return Clusters(rows / kRowsPerCluster + 1, dim, random);
  }

  void Draw(Random* random, std::vector<float>* point) const {
    const size_t cluster = random->Below(spreads.size());
    for (uint32_t d = 0; d < dimension; ++d) {
      (*point)[d] = centres[cluster * dimension + d] + spreads[cluster] * static_cast<float>(Gaussian(random));
    }
  }
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_CLUSTERED_H_
