#include "base/filter_words.h"

#include <charconv>
#include <cmath>

#include "absl/strings/numbers.h"
#include "base/status.h"

namespace varve {

absl::StatusOr<FilterValue> ParseFilterNumber(std::string_view text) {
  const char* end = text.data() + text.size();
  const auto is_whole = [&](auto* value) {
    const auto [stop, error] = std::from_chars(text.data(), end, *value);
    return error == std::errc() && stop == end;
  };
  if (text.find_first_of(".eE") == std::string_view::npos) {
    int64_t number = 0;
    uint64_t large = 0;
    if (is_whole(&number)) return FilterValue(number);
    if (is_whole(&large)) return FilterValue(large);
    return InvalidArgument("a number beyond 64-bit integers");
  }
  double number = 0;
  if (!absl::SimpleAtod({text.data(), text.size()}, &number) || !std::isfinite(number)) {
    return InvalidArgument("a number beyond the range of doubles");
  }
  return FilterValue(number);
}

}  // namespace varve
