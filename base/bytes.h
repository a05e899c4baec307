// Little-endian fixed and varint coding: a writer that appends to a string, and a reader that never leaves its bounds.
// Thread-compatible.
#ifndef VARVE_BASE_BYTES_H_
#define VARVE_BASE_BYTES_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/types/span.h"

namespace varve {

static_assert(std::endian::native == std::endian::little, "the formats are used in place, little-endian");

// Reads a T at `source`, which need not be aligned. Requires: sizeof(T) readable bytes.
template <typename T>
requires std::is_trivially_copyable_v<T> T LoadUnaligned(const void* source) {
  T value;
  std::memcpy(&value, source, sizeof(T));
  return value;
}

template <typename T>
requires std::is_trivially_copyable_v<T>
void StoreUnaligned(void* target, T value) { std::memcpy(target, &value, sizeof(T)); }

inline std::string_view AsChars(absl::Span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline absl::Span<const std::byte> AsBytes(std::string_view chars) {
  return {reinterpret_cast<const std::byte*>(chars.data()), chars.size()};
}

// a + b and a * b, false if they do not fit.
[[nodiscard]] inline bool CheckedAdd(uint64_t a, uint64_t b, uint64_t* sum) {
  return !__builtin_add_overflow(a, b, sum);
}
[[nodiscard]] inline bool CheckedMul(uint64_t a, uint64_t b, uint64_t* product) {
  return !__builtin_mul_overflow(a, b, product);
}

constexpr uint64_t AlignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

inline constexpr size_t kMaxVarintBytes = 10;

class ByteWriter {
 public:
  template <typename T>
  requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void Fixed(T value) { buffer_.append(reinterpret_cast<const char*>(&value), sizeof(T)); }
  void Varint(uint64_t value);
  void Bytes(std::string_view bytes) { buffer_.append(bytes); }
  // A varint length, then the bytes.
  void LengthPrefixed(std::string_view bytes) {
    Varint(bytes.size());
    Bytes(bytes);
  }
  void Zeros(size_t count) { buffer_.append(count, '\0'); }
  void AlignTo(size_t alignment) { Zeros(AlignUp(buffer_.size(), alignment) - buffer_.size()); }

  size_t size() const { return buffer_.size(); }
  const std::string& str() const { return buffer_; }
  std::string Take() { return std::move(buffer_); }

 private:
  std::string buffer_;
};

// Every read returns false, and changes nothing, if it would leave the bounds or the varint is malformed.
class ByteReader {
 public:
  explicit ByteReader(std::string_view data) : data_(data) {}
  explicit ByteReader(absl::Span<const std::byte> data) : data_(AsChars(data)) {}

  template <typename T>
  requires std::is_arithmetic_v<T>
  [[nodiscard]] bool Fixed(T* value) {
    if (remaining() < sizeof(T)) return false;
    std::memcpy(value, data_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return true;
  }
  // Refuses encodings longer than ten bytes or beyond 64 bits.
  [[nodiscard]] bool Varint(uint64_t* value);
  [[nodiscard]] bool Bytes(size_t length, std::string_view* bytes);
  [[nodiscard]] bool LengthPrefixed(std::string_view* bytes);
  [[nodiscard]] bool Skip(size_t length);

  size_t position() const { return position_; }
  size_t remaining() const { return data_.size() - position_; }

 private:
  std::string_view data_;
  size_t position_ = 0;
};

}  // namespace varve

#endif  // VARVE_BASE_BYTES_H_
