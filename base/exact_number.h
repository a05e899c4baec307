// Numbers of JSON compared by their exact value: 64-bit integers, signed and unsigned, and doubles, without the
// rounding that a conversion of one into the other would bring. A value type.
#ifndef VARVE_BASE_EXACT_NUMBER_H_
#define VARVE_BASE_EXACT_NUMBER_H_

#include <compare>
#include <cstdint>
#include <utility>
#include <variant>

namespace varve {

class ExactNumber {
 public:
  // One form per value: int64_t; above its range uint64_t; a double only where the value is no 64-bit integer.
  using Form = std::variant<int64_t, uint64_t, double>;

  explicit ExactNumber(int64_t value) : form_(value) {}
  explicit ExactNumber(uint64_t value);
  // Requires: not NaN.
  explicit ExactNumber(double value);

  const Form& form() const { return form_; }

  friend bool operator==(const ExactNumber&, const ExactNumber&) = default;
  friend std::strong_ordering operator<=>(const ExactNumber& a, const ExactNumber& b);
  template <typename H>
  friend H AbslHashValue(H state, const ExactNumber& number) {
    return H::combine(std::move(state), number.form_);
  }

 private:
  Form form_;
};

}  // namespace varve

#endif  // VARVE_BASE_EXACT_NUMBER_H_
