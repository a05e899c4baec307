// The exact nearest rows of a matrix file to each query of another: the ground truth that recall is measured against.
#ifndef VARVE_CLI_EXACT_NEIGHBORS_H_
#define VARVE_CLI_EXACT_NEIGHBORS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/matrix_file.h"
#include "varve/types.h"

namespace varve::cli {

// For each row of `queries` the numbers of the min(k, base.rows()) nearest rows of `base`, nearest first, equal
// distances ordered by number. The order is that of distances summed in double precision: the SIMD kernels only choose
// the candidates, some more than k. The base is read in blocks; memory is bounded by the queries, their results and one
// block. Errors: InvalidArgument if the dimensions differ, the base has 2^31 rows or more, or the metric is kHamming
// and the files are not u8 (bits, packed).
absl::StatusOr<std::vector<std::vector<uint32_t>>> FindExactNeighbors(const MatrixFile& base, const MatrixFile& queries,
                                                                      Metric metric, size_t k, int threads);

}  // namespace varve::cli

#endif  // VARVE_CLI_EXACT_NEIGHBORS_H_
