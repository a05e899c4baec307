#include "base/exact_number.h"

#include <cmath>
#include <limits>

namespace varve {
namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;
constexpr double kTwoTo64 = 18446744073709551616.0;

std::strong_ordering OrderOf(bool less) { return less ? std::strong_ordering::less : std::strong_ordering::greater; }

// Doubles that are no 64-bit integers: never equal to one, and from 2^53 on beyond all of them.
std::strong_ordering CompareIntegerWithDouble(int64_t a, double b) {
  if (b >= kTwoTo63) return std::strong_ordering::less;
  if (b < -kTwoTo63) return std::strong_ordering::greater;
  return OrderOf(a <= static_cast<int64_t>(std::floor(b)));
}

}  // namespace

ExactNumber::ExactNumber(uint64_t value) : form_(value) {
  if (value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) form_ = static_cast<int64_t>(value);
}

ExactNumber::ExactNumber(double value) : form_(value) {
  if (value != std::trunc(value)) return;
  if (value >= -kTwoTo63 && value < kTwoTo63) {
    form_ = static_cast<int64_t>(value);
  } else if (value >= kTwoTo63 && value < kTwoTo64) {
    form_ = static_cast<uint64_t>(value);
  }
}

std::strong_ordering operator<=>(const ExactNumber& a, const ExactNumber& b) {
  if (const int64_t* x = std::get_if<int64_t>(&a.form_)) {
    if (const int64_t* y = std::get_if<int64_t>(&b.form_)) return *x <=> *y;
    if (const double* y = std::get_if<double>(&b.form_)) return CompareIntegerWithDouble(*x, *y);
    return std::strong_ordering::less;  // than an integer above the range of int64_t
  }
  if (std::holds_alternative<int64_t>(b.form_)) return 0 <=> (b <=> a);
  if (const uint64_t* x = std::get_if<uint64_t>(&a.form_)) {
    if (const uint64_t* y = std::get_if<uint64_t>(&b.form_)) return *x <=> *y;
    return OrderOf(*std::get_if<double>(&b.form_) >= kTwoTo64);
  }
  if (std::holds_alternative<uint64_t>(b.form_)) return 0 <=> (b <=> a);
  const double x = *std::get_if<double>(&a.form_);
  const double y = *std::get_if<double>(&b.form_);
  return x == y ? std::strong_ordering::equal : OrderOf(x < y);
}

}  // namespace varve
