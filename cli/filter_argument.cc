#include "cli/filter_argument.h"

#include "base/status.h"

namespace varve::cli {

absl::StatusOr<Filter> ParseFilterArgument(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  const bool is_json = first != std::string_view::npos && text[first] == '{';
  return is_json ? Filter::ParseJson(text) : Filter::Parse(text);
}

absl::StatusOr<Filter> ToFilter(const JsonValue& value) {
  if (const std::string* text = value.string()) return Filter::Parse(*text);
  if (value.object() != nullptr) return Filter::ParseJson(value.ToText());
  return InvalidArgument("\"filter\" is neither a string nor a JSON object");
}

}  // namespace varve::cli
