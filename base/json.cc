#include "base/json.h"

#include <simdjson.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/json_document.h"
#include "base/json_text.h"
#include "base/status.h"
#include "varve/types.h"

namespace varve {
namespace {

absl::Status BadJson(std::string_view what) { return InvalidArgument("metadata: " + std::string(what)); }

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

// RFC 7396, section 2, on compact objects; members of the target keep their place, new ones follow. Recursion goes no
// deeper than the patch.
std::string MergeObjects(std::string_view target, std::string_view patch) {  // NOLINT(misc-no-recursion)
  std::vector<JsonMember> members = SplitJsonObject(target);
  absl::flat_hash_map<std::string, size_t> places;
  for (size_t i = 0; i < members.size(); ++i) places.emplace(PlainJsonString(members[i].name), i);

  std::vector<std::pair<size_t, std::string>> merged;  // (place, new text)
  for (const JsonMember& change : SplitJsonObject(patch)) {
    const auto found = places.find(PlainJsonString(change.name));
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
  for (const JsonMember& member : members) {
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
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  RETURN_IF_ERROR(Annotate(ParseJsonDocument(text, kMaxJsonDepth, &parser, &root), "metadata"));
  if (!root.is_object()) return BadJson("expected a JSON object");
  RETURN_IF_ERROR(CheckAllNamesDiffer(root));

  std::string compact;
  compact.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '"') {
      const size_t end = EndOfJsonString(text, i);
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
