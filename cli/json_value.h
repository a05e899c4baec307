// JSON that came from outside, as a tree: strict (no duplicate members, bounded depth, nothing after the document), and
// with numbers kept as they were spelled, so that none loses digits on its way into a collection. A value type;
// thread-compatible.
#ifndef VARVE_CLI_JSON_VALUE_H_
#define VARVE_CLI_JSON_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/types.h"

namespace varve::cli {

// Room for metadata of the greatest depth inside an operation.
inline constexpr size_t kMaxInputJsonDepth = kMaxJsonDepth + 4;

class JsonValue {
 public:
  struct Number {
    std::string spelling;
  };
  using Array = std::vector<JsonValue>;
  using Object = std::vector<std::pair<std::string, JsonValue>>;  // in the order of the text
  using Content = std::variant<std::nullptr_t, bool, Number, std::string, Array, Object>;

  JsonValue() = default;
  explicit JsonValue(Content content) : content_(std::move(content)) {}

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(content_); }
  // Null unless the value is of that kind.
  const bool* boolean() const { return std::get_if<bool>(&content_); }
  const Number* number() const { return std::get_if<Number>(&content_); }
  const std::string* string() const { return std::get_if<std::string>(&content_); }
  const Array* array() const { return std::get_if<Array>(&content_); }
  const Object* object() const { return std::get_if<Object>(&content_); }
  Array* array() { return std::get_if<Array>(&content_); }
  Object* object() { return std::get_if<Object>(&content_); }

  // The text again, without white space.
  std::string ToText() const;

 private:
  Content content_ = nullptr;
};

// Errors: InvalidArgument with the place (counted in bytes from 1) and the reason.
absl::StatusOr<JsonValue> ParseJson(std::string_view text);

// A value of the wanted kind, or InvalidArgument that begins with `name`.
absl::StatusOr<std::string> ToString(const JsonValue& value, std::string_view name);
absl::StatusOr<bool> ToBool(const JsonValue& value, std::string_view name);
absl::StatusOr<uint64_t> ToUint64(const JsonValue& value, std::string_view name);
absl::StatusOr<int64_t> ToInt64(const JsonValue& value, std::string_view name);
absl::StatusOr<double> ToDouble(const JsonValue& value, std::string_view name);
// The float nearest to the spelling. Numbers too large for a float are refused, too small ones become 0.
absl::StatusOr<float> ToFloat(const JsonValue& value, std::string_view name);
absl::StatusOr<std::vector<float>> ToFloats(const JsonValue& value, std::string_view name);

}  // namespace varve::cli

#endif  // VARVE_CLI_JSON_VALUE_H_
