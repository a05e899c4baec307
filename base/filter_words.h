// What the spellings of filters are made of. Pure functions; thread-safe.
#ifndef VARVE_BASE_FILTER_WORDS_H_
#define VARVE_BASE_FILTER_WORDS_H_

#include <algorithm>
#include <array>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "varve/filter.h"

namespace varve {

// The reserved words of the SQL-like spelling. A field of such a name stands in double quotes.
inline constexpr std::array<std::string_view, 7> kFilterWords = {"AND", "OR", "NOT", "IN", "NULL", "TRUE", "FALSE"};

// Case does not matter.
inline bool IsFilterWord(std::string_view name) {
  return std::any_of(kFilterWords.begin(), kFilterWords.end(), [name](std::string_view word) {
    return absl::EqualsIgnoreCase({word.data(), word.size()}, {name.data(), name.size()});
  });
}

inline bool BeginsFilterName(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

inline bool ContinuesFilterName(char c) { return BeginsFilterName(c) || (c >= '0' && c <= '9'); }

// A number as JSON spells it. Errors: InvalidArgument if it is beyond 64-bit integers (without a fraction and exponent)
// or the range of doubles (with one).
absl::StatusOr<FilterValue> ParseFilterNumber(std::string_view text);

}  // namespace varve

#endif  // VARVE_BASE_FILTER_WORDS_H_
