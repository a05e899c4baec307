#include "base/json.h"

#include <simdjson.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/check.h"
#include "base/status.h"
#include "varve/types.h"

namespace varve {
namespace {

absl::Status BadJson(std::string_view what) { return InvalidArgument("metadata: " + std::string(what)); }

bool IsJsonSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// The position behind the string that starts at `start`. Requires valid JSON.
size_t EndOfString(std::string_view text, size_t start) {
  size_t position = start + 1;
  while (text[position] != '"') position += text[position] == '\\' ? 2 : 1;
  return position + 1;
}

// The position behind the value that starts at `start`. Requires valid, compact JSON.
size_t EndOfValue(std::string_view text, size_t start) {
  size_t depth = 0;
  size_t position = start;
  while (position < text.size()) {
    const char c = text[position];
    if (c == '"') {
      position = EndOfString(text, position);
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

// How deep containers nest, at most kMaxJsonDepth + 1. For any text: what is no JSON is found later.
size_t NestingDepth(std::string_view text) {
  size_t depth = 0;
  size_t deepest = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size() && deepest <= kMaxJsonDepth; ++i) {
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

absl::Status CheckNamesDiffer(const simdjson::dom::object& object) {
  std::vector<std::string_view> names;
  for (const simdjson::dom::key_value_pair member : object) names.push_back(member.key);
  std::sort(names.begin(), names.end());
  const auto twin = std::adjacent_find(names.begin(), names.end());
  if (twin != names.end()) return BadJson("an object has the member " + Quoted(*twin) + " twice");
  return absl::OkStatus();
}

// In every object, also nested ones. The depth was bounded by the parser.
absl::Status CheckAllNamesDiffer(const simdjson::dom::element& element) {  // NOLINT(misc-no-recursion)
  if (element.is_object()) {
    const simdjson::dom::object object = element.get_object().value_unsafe();
    RETURN_IF_ERROR(CheckNamesDiffer(object));
    for (const simdjson::dom::key_value_pair member : object) RETURN_IF_ERROR(CheckAllNamesDiffer(member.value));
  } else if (element.is_array()) {
    const simdjson::dom::array array = element.get_array().value_unsafe();
    for (const simdjson::dom::element item : array) {
      RETURN_IF_ERROR(CheckAllNamesDiffer(item));
    }
  }
  return absl::OkStatus();
}

// A member of an object: the texts of its name, with quotes, and of its value.
struct Member {
  std::string_view name;
  std::string_view value;
};

// Requires a valid, compact object.
std::vector<Member> SplitObject(std::string_view object) {
  std::vector<Member> members;
  size_t position = 1;
  while (object[position] != '}') {
    const size_t name_end = EndOfString(object, position);
    const size_t value_end = EndOfValue(object, name_end + 1);
    members.push_back(
        {object.substr(position, name_end - position), object.substr(name_end + 1, value_end - name_end - 1)});
    position = value_end + (object[value_end] == ',' ? 1 : 0);
  }
  return members;
}

// What a name means: "a" and "\u0061" are the same.
std::string PlainName(std::string_view quoted) {
  if (quoted.find_first_of('\\') == std::string_view::npos) return std::string(quoted.substr(1, quoted.size() - 2));
  simdjson::dom::parser parser;
  std::string_view plain;
  const auto error = parser.parse(quoted.data(), quoted.size()).get_string().get(plain);
  VARVE_CHECK(!error);
  return std::string(plain);
}

// RFC 7396, section 2, on compact objects; members of the target keep their place, new ones follow. Recursion goes no
// deeper than the patch.
std::string MergeObjects(std::string_view target, std::string_view patch) {  // NOLINT(misc-no-recursion)
  std::vector<Member> members = SplitObject(target);
  absl::flat_hash_map<std::string, size_t> places;
  for (size_t i = 0; i < members.size(); ++i) places.emplace(PlainName(members[i].name), i);

  std::vector<std::pair<size_t, std::string>> merged;  // (place, new text)
  for (const Member& change : SplitObject(patch)) {
    const auto found = places.find(PlainName(change.name));
    if (change.value == "null") {
      if (found != places.end()) members[found->second] = {};
      continue;
    }
    size_t place = members.size();
    if (found != places.end()) {
      place = found->second;
    } else {
      members.push_back({change.name, {}});
    }
    if (change.value.front() != '{') {
      members[place].value = change.value;
    } else {
      const std::string_view old = members[place].value;
      merged.emplace_back(place, MergeObjects(old.substr(0, 1) == "{" ? old : "{}", change.value));
    }
  }
  for (const auto& [place, text] : merged) members[place].value = text;

  std::string result = "{";
  for (const Member& member : members) {
    if (member.name.empty()) continue;  // removed
    if (result.size() > 1) result += ',';
    result.append(member.name).append(":").append(member.value);
  }
  return result += '}';
}

}  // namespace

absl::StatusOr<std::string> CompactJsonObject(std::string_view text) {
  if (text.size() > kMaxMetadataBytes) {
    return BadJson(std::to_string(text.size()) + " bytes: expected at most " + std::to_string(kMaxMetadataBytes));
  }
  if (NestingDepth(text) > kMaxJsonDepth) {
    return BadJson("nested too deep: expected at most " + std::to_string(kMaxJsonDepth) + " levels");
  }
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  // The parser counts its levels a little differently: that it accepts more than we do is no harm.
  if (auto error = parser.allocate(std::max<size_t>(text.size(), 1), kMaxJsonDepth + 2)) {
    return ResourceExhausted(std::string("metadata: ") + simdjson::error_message(error));
  }
  if (auto error = parser.parse(text.data(), text.size()).get(root)) {
    return BadJson(std::string("not valid JSON: ") + simdjson::error_message(error));
  }
  if (!root.is_object()) return BadJson("expected a JSON object");
  RETURN_IF_ERROR(CheckAllNamesDiffer(root));

  std::string compact;
  compact.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '"') {
      const size_t end = EndOfString(text, i);
      compact.append(text.substr(i, end - i));
      i = end;
    } else {
      if (!IsJsonSpace(text[i])) compact += text[i];
      ++i;
    }
  }
  return compact;
}

absl::StatusOr<std::string> MergeJsonPatch(std::string_view target, std::string_view patch) {
  ASSIGN_OR_RETURN(const std::string compact_target, CompactJsonObject(target.empty() ? "{}" : target));
  ASSIGN_OR_RETURN(const std::string compact_patch, CompactJsonObject(patch));
  std::string merged = MergeObjects(compact_target, compact_patch);
  if (merged.size() > kMaxMetadataBytes) {
    return BadJson("patched: " + std::to_string(merged.size()) + " bytes: expected at most " +
                   std::to_string(kMaxMetadataBytes));
  }
  return merged;
}

}  // namespace varve
