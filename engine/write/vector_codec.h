// Vectors between the caller's form (floats, or bytes of an element type) and the stored bytes of a field.
#ifndef VARVE_ENGINE_WRITE_VECTOR_CODEC_H_
#define VARVE_ENGINE_WRITE_VECTOR_CODEC_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/record.h"
#include "varve/schema.h"

namespace varve {

// The bytes to store, or to search with.
// Errors: InvalidArgument naming the field: wrong dimension, a NaN or infinite component, a value that the element type
// cannot hold (integers are not rounded; bits are 0 or 1), a zero vector in a field compared by cosine.
absl::StatusOr<std::string> EncodeVector(const FieldSpec& field, const VectorValue& value);

// The components as floats; exact for every element type. Requires: field.vector_bytes() bytes.
std::vector<float> DecodeVector(const FieldSpec& field, absl::Span<const std::byte> bytes);

}  // namespace varve

#endif  // VARVE_ENGINE_WRITE_VECTOR_CODEC_H_
