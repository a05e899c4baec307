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
  const int64_t* a_int = std::get_if<int64_t>(&a.form_);
  const int64_t* b_int = std::get_if<int64_t>(&b.form_);
  const uint64_t* a_uint = std::get_if<uint64_t>(&a.form_);
  const uint64_t* b_uint = std::get_if<uint64_t>(&b.form_);
  const double* a_double = std::get_if<double>(&a.form_);
  const double* b_double = std::get_if<double>(&b.form_);
  if (a_int != nullptr && b_int != nullptr) return *a_int <=> *b_int;
  if (a_uint != nullptr && b_uint != nullptr) return *a_uint <=> *b_uint;
  if (a_double != nullptr && b_double != nullptr) {
    return *a_double == *b_double ? std::strong_ordering::equal : OrderOf(*a_double < *b_double);
  }
  if (a_int != nullptr && b_double != nullptr) return CompareIntegerWithDouble(*a_int, *b_double);
  if (a_double != nullptr && b_int != nullptr) return OrderOf(std::is_gt(CompareIntegerWithDouble(*b_int, *a_double)));
  // An integer above the range of int64_t beside one within it, or beside a double that is none.
  if (a_uint != nullptr) return OrderOf(b_double != nullptr && *b_double >= kTwoTo64);
  return OrderOf(a_int != nullptr || *a_double < kTwoTo64);
}

}  // namespace varve
