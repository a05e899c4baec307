// Takes an input apart: numbers first, bytes last. What is missing reads as zeros. Thread-compatible.
#ifndef VARVE_TESTS_FUZZ_FUZZ_INPUT_H_
#define VARVE_TESTS_FUZZ_FUZZ_INPUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace varve::fuzz {

class FuzzInput {
 public:
  explicit FuzzInput(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  requires std::is_arithmetic_v<T> T Number() {
    T value{};
    const std::string_view bytes = Bytes(sizeof(T));
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }
  uint8_t Byte() { return Number<uint8_t>(); }
  // At most `length` bytes.
  std::string_view Bytes(size_t length) {
    const std::string_view taken = bytes_.substr(0, std::min(length, bytes_.size()));
    bytes_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view Rest() { return Bytes(bytes_.size()); }
  bool empty() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
};

}  // namespace varve::fuzz

#endif  // VARVE_TESTS_FUZZ_FUZZ_INPUT_H_
