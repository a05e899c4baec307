// Distances between dense vectors, by the best instruction set that the processor has (Highway's dynamic dispatch).
//
// Every kernel reads exactly the bytes of its vectors, which need not be aligned. Sums are kept in several lanes, so
// that results differ from a scalar loop by rounding; on one processor a pair of vectors always has the same bits,
// whether compared alone, in a batch or in a matrix. Distances of non-finite input are unspecified but never trap.
// Thread-safe.
#ifndef VARVE_SIMD_DISTANCE_H_
#define VARVE_SIMD_DISTANCE_H_

#include <cstddef>
#include <cstdint>

#include "varve/types.h"

namespace varve {

// Compares a prepared query with one stored vector. kL2: squared Euclidean. kInnerProduct: minus the inner product.
// kCosine: minus the inner product too (see below). kL1. kHamming: differing bits, of any element type's bytes.
// `dim` counts components (bits for kBits). Integer kernels are exact as long as the result fits a float.
using DistanceFunction = float (*)(const void* a, const void* b, size_t dim);

// The kernel for a metric and element type; both arguments have that element type. Null if the combination is not
// built: kHamming goes with kBits alone, and kBits with kHamming alone.
//
// Cosine needs inverse norms: distance = 1 - dot(a, b) * inverse_norm(a) * inverse_norm(b), so the kernel for kCosine
// returns -dot and the caller scales it (index/dense_distance.h does).
DistanceFunction GetDistanceFunction(Metric metric, ElementType element);

// Writes the distances of one query to `count` vectors, given by address. Reads ahead so that misses overlap.
using BatchDistanceFunction = void (*)(const void* query, const void* const* vectors, size_t count, size_t dim,
                                       float* distances);
BatchDistanceFunction GetBatchDistanceFunction(Metric metric, ElementType element);

// Writes the distances of `query_count` queries (row-major, contiguous) to `count` contiguous row-major vectors:
// distances[q * count + v]. For exact scans with several queries at once.
using MatrixDistanceFunction = void (*)(const void* queries, size_t query_count, const void* vectors, size_t count,
                                        size_t dim, float* distances);
MatrixDistanceFunction GetMatrixDistanceFunction(Metric metric, ElementType element);

// The Euclidean norm of one vector, in double precision sums.
float VectorNorm(const void* vector, ElementType element, size_t dim);

// f32 to f16 or bf16 (round to nearest even) and back.
uint16_t F16FromF32(float value);
float F32FromF16(uint16_t bits);
uint16_t Bf16FromF32(float value);
float F32FromBf16(uint16_t bits);

// The instruction set in use ("AVX3_DL", "AVX2", "SSE4" ...), and those compiled in, space separated.
const char* ActiveTargetName();
const char* CompiledTargetNames();

}  // namespace varve

#endif  // VARVE_SIMD_DISTANCE_H_
