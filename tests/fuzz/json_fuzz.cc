// JSON of metadata: what is accepted is accepted compact too, keeps its meaning there, and is merged by the rules of
// RFC 7396; the tool's parser takes whatever the library's takes. Input: target, line feed, patch.
#include <string>
#include <variant>

#include "base/json.h"
#include "base/json_text.h"
#include "base/json_writer.h"
#include "cli/json_value.h"
#include "tests/fuzz/fuzz_target.h"
#include "varve/types.h"

namespace varve::fuzz {
namespace {

// Walks the text as readers do that rely on CheckJson.
void Walk(std::string_view value) {  // NOLINT(misc-no-recursion): as deep as CheckJson allows
  FUZZ_CHECK(!value.empty());
  if (value.front() == '"') {
    FUZZ_CHECK(IsUtf8(PlainJsonString(value)));
    FUZZ_CHECK(EndOfJsonString(value, 0) == value.size());
  } else if (value.front() == '{') {
    for (const JsonMember& member : SplitJsonObject(value)) {
      Walk(member.name);
      Walk(member.value);
    }
  } else if (value.front() == '[') {
    for (const std::string_view item : SplitJsonArray(value)) Walk(item);
  }
}

void CheckMerge(const std::string& target, const std::string& patch) {
  const absl::StatusOr<std::string> merged = MergeJsonPatch(target, patch);
  FUZZ_CHECK_OK(merged);
  FUZZ_CHECK(CompactJsonObject(*merged).value_or("") == *merged);
  // The same patch again changes nothing.
  FUZZ_CHECK(MergeJsonPatch(*merged, patch).value_or("") == *merged);
  FUZZ_CHECK(MergeJsonPatch(target, "{}").value_or("") == target);
}

// What the tool reads of it says the same.
void CheckToolParser(const std::string& compact) {
  const absl::StatusOr<cli::JsonValue> value = cli::ParseJson(compact);
  FUZZ_CHECK_OK(value);
  const std::string text = value->ToText();
  const absl::StatusOr<std::string> again = CompactJsonObject(text);
  FUZZ_CHECK_OK(again);
  const absl::StatusOr<cli::JsonValue> second = cli::ParseJson(*again);
  FUZZ_CHECK_OK(second);
  FUZZ_CHECK(second->ToText() == text);
}

void RunJson(std::string_view input) {
  const size_t split = input.find('\n');
  const std::string_view first = input.substr(0, split);
  const std::string_view second = split == std::string_view::npos ? "{}" : input.substr(split + 1);
  (void)cli::ParseJson(first);
  if (CheckJson(first, kMaxJsonDepth).ok()) Walk(TrimJsonSpace(first));
  const absl::StatusOr<std::string> compact = CompactJsonObject(first);
  if (!compact.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(compact.status()));
    return;
  }
  FUZZ_CHECK(compact->size() <= first.size());
  FUZZ_CHECK(CompactJsonObject(*compact).value_or("") == *compact);
  FUZZ_CHECK_OK(CheckJson(*compact, kMaxJsonDepth));
  CheckToolParser(*compact);
  const absl::StatusOr<std::string> patch = CompactJsonObject(second);
  if (patch.ok()) CheckMerge(*compact, *patch);
}

std::vector<std::string> JsonSeeds() {
  return {R"({"a":1,"b":[true,null,-0.5e10],"c":{"d":"\u00e4\ud83d\ude00\"\\"}})",
          "{ \"a\" : { \"b\" : 1 , \"c\" : 2 } }\n{\"a\":{\"b\":null,\"d\":[]},\"e\":{\"f\":{\"g\":null}}}",
          "{\"big\":18446744073709551615,\"small\":-9223372036854775808,\"x\":1e308}\n{\"x\":1}",
          R"([1,"two",{"three":3}])",
          "\"text\"",
          std::string(70, '[') + std::string(70, ']')};
}

}  // namespace

FuzzTarget JsonTarget() {
  FuzzTarget target{.name = "json", .run = RunJson, .seeds = JsonSeeds};
  target.words = {"null", "true", "false", "\\u0000", "\\ud800", "\\udc00", "1e400", "-0.0", "\n{", "\":{\"", "[[[["};
  return target;
}

}  // namespace varve::fuzz
