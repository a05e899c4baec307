#include "simd/distance.h"

#include <bit>
#include <cmath>

#include "simd/distance_kernels.h"

namespace varve {
namespace {

DistanceKernels KernelsFor(Metric metric, ElementType element) {
  switch (element) {
    case ElementType::kF32:
      return F32Kernels(metric);
    case ElementType::kF16:
      return F16Kernels(metric);
    case ElementType::kBF16:
      return Bf16Kernels(metric);
    case ElementType::kI8:
      return I8Kernels(metric);
    case ElementType::kU8:
      return U8Kernels(metric);
    case ElementType::kBits:
      return BitsKernels(metric);
  }
  return {};
}

// The squared norm of an integer vector: minus its product with itself.
double IntegerSquaredNorm(ElementType element, const void* vector, size_t dim) {
  return -static_cast<double>(KernelsFor(Metric::kInnerProduct, element).pair(vector, vector, dim));
}

double SetBits(const void* vector, size_t dim) {
  const uint8_t* bytes = static_cast<const uint8_t*>(vector);
  int64_t count = 0;
  for (size_t i = 0; i < dim; ++i) count += (bytes[i / 8] >> (i % 8)) & 1;
  return static_cast<double>(count);
}

double SquaredNormOf(const void* vector, ElementType element, size_t dim) {
  switch (element) {
    case ElementType::kF32:
      return F32SquaredNorm()(vector, dim);
    case ElementType::kF16:
      return F16SquaredNorm()(vector, dim);
    case ElementType::kBF16:
      return Bf16SquaredNorm()(vector, dim);
    case ElementType::kI8:
    case ElementType::kU8:
      return IntegerSquaredNorm(element, vector, dim);
    case ElementType::kBits:
      return SetBits(vector, dim);
  }
  return 0;
}

}  // namespace

DistanceFunction GetDistanceFunction(Metric metric, ElementType element) { return KernelsFor(metric, element).pair; }

BatchDistanceFunction GetBatchDistanceFunction(Metric metric, ElementType element) {
  return KernelsFor(metric, element).batch;
}

MatrixDistanceFunction GetMatrixDistanceFunction(Metric metric, ElementType element) {
  return KernelsFor(metric, element).matrix;
}

float VectorNorm(const void* vector, ElementType element, size_t dim) {
  return static_cast<float>(std::sqrt(SquaredNormOf(vector, element, dim)));
}

uint16_t F16FromF32(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (bits >> 16) & 0x8000;
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return static_cast<uint16_t>(sign | 0x7E00 | ((magnitude >> 13) & 0x3FF));  // NaN
  if (magnitude >= 0x477FF000) return static_cast<uint16_t>(sign | 0x7C00);  // rounds to 65,536 or more: infinity
  if (magnitude < 0x38800000) {
    // Below 2^-14, the smallest normal f16. Adding 0.5 makes the f32 adder round to multiples of 2^-24.
    const float rounded = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(rounded) - 0x3F000000));
  }
  // Round to nearest, ties to even, then move the exponent's bias from 127 to 15.
  const uint32_t odd = (magnitude >> 13) & 1;
  return static_cast<uint16_t>(sign | ((magnitude + 0xFFF + odd - (112u << 23)) >> 13));
}

float F32FromF16(uint16_t bits) {
  const uint32_t sign = (bits & 0x8000u) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1F;
  const uint32_t mantissa = bits & 0x3FF;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000 | (mantissa << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  const float magnitude = static_cast<float>(mantissa) * 0x1.0p-24f;  // zero or subnormal
  return sign == 0 ? magnitude : -magnitude;
}

uint16_t Bf16FromF32(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return static_cast<uint16_t>((bits >> 16) | 0x40);  // NaN stays NaN
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

float F32FromBf16(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

}  // namespace varve
