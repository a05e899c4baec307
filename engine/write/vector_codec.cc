#include "engine/write/vector_codec.h"

#include <cmath>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"
#include "base/status.h"
#include "simd/distance.h"

namespace varve {
namespace {

absl::Status Bad(const FieldSpec& field, const std::string& what) {
  return InvalidArgument("field \"" + field.name + "\": " + what);
}

absl::Status CheckDimension(const FieldSpec& field, size_t given) {
  if (given == field.dimension) return absl::OkStatus();
  return Bad(field, "vector has dimension " + std::to_string(given) + ", expected " + std::to_string(field.dimension));
}

// Stores integral floats of [min, max] as T.
template <typename T>
absl::Status EncodeIntegers(const FieldSpec& field, const std::vector<float>& values, float min, float max, char* out) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (!(values[i] >= min && values[i] <= max) || values[i] != std::nearbyint(values[i])) {
      return Bad(field, "component " + std::to_string(i) + " is " + std::to_string(values[i]) +
                            ", expected an integer of " + std::to_string(static_cast<int>(min)) + " to " +
                            std::to_string(static_cast<int>(max)));
    }
    StoreUnaligned(out + i * sizeof(T), static_cast<T>(values[i]));
  }
  return absl::OkStatus();
}

absl::Status EncodeBits(const FieldSpec& field, const std::vector<float>& values, char* out) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] != 0.0f && values[i] != 1.0f) {
      return Bad(field, "component " + std::to_string(i) + " is " + std::to_string(values[i]) + ", expected 0 or 1");
    }
    if (values[i] == 1.0f) out[i / 8] = static_cast<char>(out[i / 8] | (1 << (i % 8)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> EncodeFloats(const FieldSpec& field, const std::vector<float>& values) {
  RETURN_IF_ERROR(CheckDimension(field, values.size()));
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) return Bad(field, "component " + std::to_string(i) + " is NaN or infinite");
  }
  std::string bytes(field.vector_bytes(), '\0');
  switch (field.element) {
    case ElementType::kF32:
      std::memcpy(bytes.data(), values.data(), bytes.size());
      break;
    case ElementType::kF16:
    case ElementType::kBF16:
      for (size_t i = 0; i < values.size(); ++i) {
        const bool f16 = field.element == ElementType::kF16;
        StoreUnaligned(bytes.data() + 2 * i, f16 ? F16FromF32(values[i]) : Bf16FromF32(values[i]));
      }
      break;
    case ElementType::kI8:
      RETURN_IF_ERROR(EncodeIntegers<int8_t>(field, values, -128, 127, bytes.data()));
      break;
    case ElementType::kU8:
      RETURN_IF_ERROR(EncodeIntegers<uint8_t>(field, values, 0, 255, bytes.data()));
      break;
    case ElementType::kBits:
      RETURN_IF_ERROR(EncodeBits(field, values, bytes.data()));
      break;
  }
  return bytes;
}

}  // namespace

absl::StatusOr<std::string> EncodeVector(const FieldSpec& field, const VectorValue& value) {
  std::string bytes;
  if (!value.is_bytes()) {
    ASSIGN_OR_RETURN(bytes, EncodeFloats(field, value.floats()));
  } else {
    if (value.element() != field.element) {
      return Bad(field, "bytes are " + std::string(ElementTypeName(value.element())) + ", expected " +
                            std::string(ElementTypeName(field.element)));
    }
    if (value.bytes().size() != field.vector_bytes()) {
      return Bad(field, "vector has " + std::to_string(value.bytes().size()) + " bytes, expected " +
                            std::to_string(field.vector_bytes()) + " (dimension " + std::to_string(field.dimension) +
                            ")");
    }
    bytes = std::string(value.bytes());
    // Bits behind the last dimension would count as differences.
    if (field.element == ElementType::kBits && field.dimension % 8 != 0) {
      const unsigned last = static_cast<unsigned char>(bytes.back());
      if ((last >> (field.dimension % 8)) != 0) return Bad(field, "bits behind the last dimension are not zero");
    }
  }
  // Conversion to f16 may overflow, and bytes may hold anything: what is stored must be finite.
  if (field.element == ElementType::kF32 || field.element == ElementType::kF16 || field.element == ElementType::kBF16) {
    const std::vector<float> stored = DecodeVector(field, AsBytes(bytes));
    for (size_t i = 0; i < stored.size(); ++i) {
      if (!std::isfinite(stored[i])) return Bad(field, "component " + std::to_string(i) + " is NaN or infinite");
    }
  }
  if (field.metric == Metric::kCosine) {
    const float norm = VectorNorm(bytes.data(), field.element, field.dimension);
    if (!(norm > 0)) return Bad(field, "the zero vector has no direction to compare by cosine");
    if (!std::isfinite(norm)) return Bad(field, "the vector's norm overflows");
  }
  return bytes;
}

std::vector<float> DecodeVector(const FieldSpec& field, absl::Span<const std::byte> bytes) {
  std::vector<float> values(field.dimension);
  for (size_t i = 0; i < values.size(); ++i) {
    switch (field.element) {
      case ElementType::kF32:
        values[i] = LoadUnaligned<float>(bytes.data() + 4 * i);
        break;
      case ElementType::kF16:
        values[i] = F32FromF16(LoadUnaligned<uint16_t>(bytes.data() + 2 * i));
        break;
      case ElementType::kBF16:
        values[i] = F32FromBf16(LoadUnaligned<uint16_t>(bytes.data() + 2 * i));
        break;
      case ElementType::kI8:
        values[i] = static_cast<float>(LoadUnaligned<int8_t>(bytes.data() + i));
        break;
      case ElementType::kU8:
        values[i] = static_cast<float>(LoadUnaligned<uint8_t>(bytes.data() + i));
        break;
      case ElementType::kBits:
        values[i] = static_cast<float>((static_cast<unsigned>(bytes[i / 8]) >> (i % 8)) & 1);
        break;
    }
  }
  return values;
}

}  // namespace varve
