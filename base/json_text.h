// JSON text walked in place, without a tree: what is found are views of the text, so that it can be named by its offset
// and keeps its spelling. Pure functions and values; thread-safe.
//
// All but CheckJson require text that it has accepted, and give pieces of it without white space around them.
#ifndef VARVE_BASE_JSON_TEXT_H_
#define VARVE_BASE_JSON_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace varve {

// Errors: InvalidArgument if `text` is not one JSON value in UTF-8, nests containers deeper than `max_depth`, or has a
// number beyond 64-bit integers and doubles; ResourceExhausted.
absl::Status CheckJson(std::string_view text, size_t max_depth);

struct JsonMember {
  std::string_view name;  // with its quotes
  std::string_view value;
};

// The members of an object, the items of an array.
std::vector<JsonMember> SplitJsonObject(std::string_view object);
std::vector<std::string_view> SplitJsonArray(std::string_view array);

// What a string means, quotes and escapes resolved: "a" and "\u0061" are the same.
std::string PlainJsonString(std::string_view quoted);

bool IsJsonSpace(char c);
std::string_view TrimJsonSpace(std::string_view text);

// The position behind the string that starts at `start`.
size_t EndOfJsonString(std::string_view text, size_t start);

}  // namespace varve

#endif  // VARVE_BASE_JSON_TEXT_H_
