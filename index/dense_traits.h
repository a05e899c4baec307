// Metrics and element types that types comparing full dense vectors take: all that simd/ has kernels for.
#ifndef VARVE_INDEX_DENSE_TRAITS_H_
#define VARVE_INDEX_DENSE_TRAITS_H_

#include "varve/types.h"

namespace varve {

inline constexpr Metric kDenseMetrics[] = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine, Metric::kL1,
                                           Metric::kHamming};
inline constexpr ElementType kDenseElements[] = {ElementType::kF32, ElementType::kF16, ElementType::kBF16,
                                                 ElementType::kI8,  ElementType::kU8,  ElementType::kBits};
inline constexpr CompressionType kNoCompression[] = {CompressionType::kNone};

}  // namespace varve

#endif  // VARVE_INDEX_DENSE_TRAITS_H_
