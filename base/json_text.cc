#include "base/json_text.h"

#include <simdjson.h>

#include <algorithm>

#include "base/check.h"
#include "base/json_document.h"
#include "base/status.h"

namespace varve {
namespace {

// How deep containers nest, at most `limit` + 1. For any text: what is no JSON is found later.
size_t NestingDepth(std::string_view text, size_t limit) {
  size_t depth = 0;
  size_t deepest = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size() && deepest <= limit; ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

size_t SkipSpace(std::string_view text, size_t position) {
  while (position < text.size() && IsJsonSpace(text[position])) ++position;
  return position;
}

// The position behind the value that starts at `start`, perhaps with white space that follows it.
size_t EndOfValue(std::string_view text, size_t start) {
  size_t depth = 0;
  size_t position = start;
  while (position < text.size()) {
    const char c = text[position];
    if (c == '"') {
      position = EndOfJsonString(text, position);
      if (depth == 0) return position;
      continue;
    }
    if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return position;  // of a number or word, the last of its container
      if (--depth == 0) return position + 1;
    } else if (c == ',' && depth == 0) {
      return position;
    }
    ++position;
  }
  return position;
}

}  // namespace

absl::Status ParseJsonDocument(std::string_view text, size_t max_depth, simdjson::dom::parser* parser,
                               simdjson::dom::element* root) {
  if (NestingDepth(text, max_depth) > max_depth) {
    return InvalidArgument("nested too deep: expected at most " + std::to_string(max_depth) + " levels");
  }
  // The parser counts its levels a little differently: that it accepts more than we do is no harm.
  if (parser->capacity() < std::max<size_t>(text.size(), 1) || parser->max_depth() != max_depth + 2) {
    if (auto error = parser->allocate(std::max<size_t>(text.size(), 1), max_depth + 2)) {
      return ResourceExhausted(simdjson::error_message(error));
    }
  }
  if (auto error = parser->parse(text.data(), text.size()).get(*root)) {
    return InvalidArgument(std::string("not valid JSON: ") + simdjson::error_message(error));
  }
  return absl::OkStatus();
}

absl::Status CheckJson(std::string_view text, size_t max_depth) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  return ParseJsonDocument(text, max_depth, &parser, &root);
}

std::vector<JsonMember> SplitJsonObject(std::string_view object) {
  std::vector<JsonMember> members;
  size_t position = SkipSpace(object, 1);
  while (object[position] != '}') {
    const size_t name_end = EndOfJsonString(object, position);
    const size_t value_start = SkipSpace(object, SkipSpace(object, name_end) + 1);  // behind the colon
    const size_t value_end = EndOfValue(object, value_start);
    members.push_back({object.substr(position, name_end - position),
                       TrimJsonSpace(object.substr(value_start, value_end - value_start))});
    position = SkipSpace(object, value_end);
    if (object[position] == ',') position = SkipSpace(object, position + 1);
  }
  return members;
}

std::vector<std::string_view> SplitJsonArray(std::string_view array) {
  std::vector<std::string_view> items;
  size_t position = SkipSpace(array, 1);
  while (array[position] != ']') {
    const size_t end = EndOfValue(array, position);
    items.push_back(TrimJsonSpace(array.substr(position, end - position)));
    position = SkipSpace(array, end);
    if (array[position] == ',') position = SkipSpace(array, position + 1);
  }
  return items;
}

std::string PlainJsonString(std::string_view quoted) {
  if (quoted.find_first_of('\\') == std::string_view::npos) return std::string(quoted.substr(1, quoted.size() - 2));
  simdjson::dom::parser parser;
  std::string_view plain;
  const auto error = parser.parse(quoted.data(), quoted.size()).get_string().get(plain);
  VARVE_CHECK(!error);
  return std::string(plain);
}

bool IsJsonSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

std::string_view TrimJsonSpace(std::string_view text) {
  while (!text.empty() && IsJsonSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsJsonSpace(text.back())) text.remove_suffix(1);
  return text;
}

size_t EndOfJsonString(std::string_view text, size_t start) {
  size_t position = start + 1;
  while (text[position] != '"') position += text[position] == '\\' ? 2 : 1;
  return position + 1;
}

}  // namespace varve
