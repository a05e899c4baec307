// Distances to compare other distances with. A pure function.
#ifndef VARVE_CLI_EXACT_DISTANCE_H_
#define VARVE_CLI_EXACT_DISTANCE_H_

#include "absl/types/span.h"
#include "varve/types.h"

namespace varve::cli {

// The distance as types.h defines it, summed in double precision: exact for integers. The cosine distance to a vector
// without direction is 1. Requires: equal sizes; for kHamming one component per bit.
double ExactDistance(Metric metric, absl::Span<const float> a, absl::Span<const float> b);

}  // namespace varve::cli

#endif  // VARVE_CLI_EXACT_DISTANCE_H_
