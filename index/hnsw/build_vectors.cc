#include "index/hnsw/build_vectors.h"

#include <cstring>

#include "base/check.h"

namespace varve::hnsw {
namespace {

template <class T, class Convert>
void CopyConverted(const std::byte* from, size_t count, Convert convert, float* to) {
  for (size_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, from + i * sizeof(T), sizeof(T));
    to[i] = convert(value);
  }
}

}  // namespace

void BuildVectors::CopyForL2(uint32_t node, float* to) const {
  const std::byte* from = vectors_[node];
  switch (element_) {
    case ElementType::kF32:
      std::memcpy(to, from, dimension_ * sizeof(float));
      break;
    case ElementType::kF16:
      CopyConverted<uint16_t>(from, dimension_, F32FromF16, to);
      break;
    case ElementType::kBF16:
      CopyConverted<uint16_t>(from, dimension_, F32FromBf16, to);
      break;
    case ElementType::kI8:
      CopyConverted<int8_t>(
          from, dimension_, [](int8_t value) { return static_cast<float>(value); }, to);
      break;
    case ElementType::kU8:
      CopyConverted<uint8_t>(
          from, dimension_, [](uint8_t value) { return static_cast<float>(value); }, to);
      break;
    case ElementType::kBits:
      VARVE_CHECK(false);
  }
  if (inverse_norms_.empty()) return;
  for (size_t i = 0; i < dimension_; ++i) to[i] *= inverse_norms_[node];
}

}  // namespace varve::hnsw
