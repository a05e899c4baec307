// The kernels of one metric and element type on one instruction set, as the kernel families hand them to distance.cc.
#ifndef VARVE_SIMD_DISTANCE_KERNELS_H_
#define VARVE_SIMD_DISTANCE_KERNELS_H_

#include <cstddef>

#include "simd/distance.h"
#include "varve/types.h"

namespace varve {

// Pointers straight to the functions of one instruction set, so that a call through one costs no further look-up. All
// null if the combination is not built.
struct DistanceKernels {
  DistanceFunction pair = nullptr;
  BatchDistanceFunction batch = nullptr;
  MatrixDistanceFunction matrix = nullptr;
};

// The square of the Euclidean norm, summed in double precision.
using SquaredNormFunction = double (*)(const void* vector, size_t dim);

// Per element type, the kernels for the instruction set that is active now. Thread-safe.
DistanceKernels F32Kernels(Metric metric);
DistanceKernels F16Kernels(Metric metric);
DistanceKernels Bf16Kernels(Metric metric);
DistanceKernels I8Kernels(Metric metric);
DistanceKernels U8Kernels(Metric metric);
DistanceKernels BitsKernels(Metric metric);

SquaredNormFunction F32SquaredNorm();
SquaredNormFunction F16SquaredNorm();
SquaredNormFunction Bf16SquaredNorm();

}  // namespace varve

#endif  // VARVE_SIMD_DISTANCE_KERNELS_H_
