// One record: a key in a namespace with its vectors, metadata and times. A value type.
#ifndef VARVE_RECORD_H_
#define VARVE_RECORD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "varve/types.h"

namespace varve {

// A vector as the caller has it: floats (converted to the field's element type when written), or bytes that already
// have the field's element type (dimension x element size, row-major, little-endian).
class VectorValue {
 public:
  VectorValue() = default;
  VectorValue(std::vector<float> values) : floats_(std::move(values)) {}  // NOLINT(google-explicit-constructor)
  VectorValue(ElementType element, std::string bytes) : element_(element), bytes_(std::move(bytes)), is_bytes_(true) {}

  bool is_bytes() const { return is_bytes_; }
  ElementType element() const { return element_; }
  const std::vector<float>& floats() const { return floats_; }
  std::string_view bytes() const { return bytes_; }

 private:
  ElementType element_ = ElementType::kF32;
  std::vector<float> floats_;
  std::string bytes_;
  bool is_bytes_ = false;
};

struct NamedVector {
  std::string field;  // empty: the collection's first dense field
  VectorValue value;
};

// What a caller writes.
struct RecordInput {
  std::string ns;   // namespace: 0 to 1,024 bytes
  std::string key;  // 1 to 65,536 bytes
  std::vector<NamedVector> vectors;
  std::string metadata;                // a JSON object as text; empty: none
  std::string payload;                 // opaque bytes, given back as they are
  std::optional<int64_t> ttl_seconds;  // from the time of the write; empty: never expires
};

// What Get and Scan give.
struct Record {
  std::string ns;
  std::string key;
  std::vector<std::pair<std::string, std::vector<float>>> vectors;  // (field, components), in the schema's order
  std::string metadata;                                             // JSON text; empty: none
  std::string payload;
  int64_t expires_at_ms = kNeverExpires;  // milliseconds since 1970
  int64_t created_at_us = 0;              // microseconds since 1970: when the key was first put
  int64_t updated_at_us = 0;              // when it was last written
  Sequence sequence = 0;                  // of its last write; a condition for WriteBatch's if_sequence
};

}  // namespace varve

#endif  // VARVE_RECORD_H_
