#include "cli/json_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "base/json_writer.h"
#include "base/status.h"
#include "nlohmann/json.hpp"

namespace varve::cli {
namespace {

// Builds the tree from nlohmann's events. An event that returns false ends the parse.
class TreeBuilder {
 public:
  using Json = nlohmann::json;

  bool null() { return Add(JsonValue()); }
  bool boolean(bool value) { return Add(JsonValue(JsonValue::Content(value))); }
  bool number_integer(Json::number_integer_t value) { return AddNumber(std::to_string(value)); }
  bool number_unsigned(Json::number_unsigned_t value) { return AddNumber(std::to_string(value)); }
  bool number_float(Json::number_float_t /*value*/, const Json::string_t& spelling) { return AddNumber(spelling); }
  bool string(Json::string_t& value) { return Add(JsonValue(JsonValue::Content(std::move(value)))); }
  bool binary(Json::binary_t& /*value*/) { return Fail("a binary value"); }
  bool start_object(size_t /*size*/) { return Open(JsonValue(JsonValue::Object())); }
  bool start_array(size_t /*size*/) { return Open(JsonValue(JsonValue::Array())); }
  bool end_object() { return HasDistinctNames(*open_.back().object()) && Close(); }
  bool end_array() { return Close(); }

  bool key(Json::string_t& name) {
    open_.back().object()->emplace_back(std::move(name), JsonValue());
    return true;
  }

  bool parse_error(size_t position, const std::string& /*token*/, const Json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 3: syntax error while ...": the reason alone.
    std::string reason = error.what();
    if (const size_t id = reason.find("] "); id != std::string::npos) reason.erase(0, id + 2);
    if (const size_t place = reason.find("column "); place != std::string::npos) {
      if (const size_t end = reason.find(": ", place); end != std::string::npos) reason.erase(0, end + 2);
    }
    if (reason.size() > kMaxReasonBytes) reason = reason.substr(0, kMaxReasonBytes) + "...";
    return Fail("an error at byte " + std::to_string(position) + ": " + reason);
  }

  absl::StatusOr<JsonValue> Take() {
    if (failure_) return InvalidArgument("JSON has " + *failure_);
    return std::move(root_);
  }

 private:
  static constexpr size_t kMaxReasonBytes = 200;

  bool AddNumber(std::string spelling) { return Add(JsonValue(JsonValue::Number{std::move(spelling)})); }

  bool Add(JsonValue value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (JsonValue::Array* items = open_.back().array()) {
      items->push_back(std::move(value));
    } else {
      open_.back().object()->back().second = std::move(value);
    }
    return true;
  }

  bool Open(JsonValue value) {
    if (open_.size() == kMaxInputJsonDepth) {
      return Fail("more than " + std::to_string(kMaxInputJsonDepth) + " levels of nesting");
    }
    open_.push_back(std::move(value));
    return true;
  }

  bool HasDistinctNames(const JsonValue::Object& members) {
    std::vector<std::string_view> names;
    names.reserve(members.size());
    for (const auto& [name, value] : members) names.push_back(name);
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    return twice == names.end() || Fail("the member " + Quoted(*twice) + " twice");
  }

  bool Close() {
    JsonValue value = std::move(open_.back());
    open_.pop_back();
    return Add(std::move(value));
  }

  bool Fail(std::string reason) {
    if (!failure_) failure_ = std::move(reason);
    return false;
  }

  std::vector<JsonValue> open_;  // arrays and objects that have begun, outermost first
  JsonValue root_;
  std::optional<std::string> failure_;
};

// The depth is bounded by ParseJson.
void Write(const JsonValue& value, JsonWriter* writer) {  // NOLINT(misc-no-recursion)
  if (const bool* boolean = value.boolean()) {
    writer->Bool(*boolean);
  } else if (const JsonValue::Number* number = value.number()) {
    writer->Raw(number->spelling);
  } else if (const std::string* string = value.string()) {
    writer->String(*string);
  } else if (const JsonValue::Array* items = value.array()) {
    writer->BeginArray();
    for (const JsonValue& item : *items) Write(item, writer);
    writer->EndArray();
  } else if (const JsonValue::Object* members = value.object()) {
    writer->BeginObject();
    for (const auto& [name, member] : *members) Write(member, &writer->Key(name));
    writer->EndObject();
  } else {
    writer->Null();
  }
}

absl::Status WrongKind(std::string_view name, std::string_view wanted) {
  return InvalidArgument(std::string(name) + " is not " + std::string(wanted));
}

template <typename T>
absl::StatusOr<T> ToNumber(const JsonValue& value, std::string_view name, std::string_view wanted) {
  const JsonValue::Number* number = value.number();
  if (number == nullptr) return WrongKind(name, wanted);
  T result{};
  const char* end = number->spelling.data() + number->spelling.size();
  const auto [stop, error] = std::from_chars(number->spelling.data(), end, result);
  if (error != std::errc() || stop != end) return WrongKind(name, wanted);
  return result;
}

}  // namespace

std::string JsonValue::ToText() const {
  JsonWriter writer;
  Write(*this, &writer);
  return writer.Take();
}

absl::StatusOr<JsonValue> ParseJson(std::string_view text) {
  TreeBuilder builder;
  nlohmann::json::sax_parse(text.begin(), text.end(), &builder);  // its answer is in the builder
  return builder.Take();
}

absl::StatusOr<std::string> ToString(const JsonValue& value, std::string_view name) {
  if (const std::string* string = value.string()) return *string;
  return WrongKind(name, "a string");
}

absl::StatusOr<bool> ToBool(const JsonValue& value, std::string_view name) {
  if (const bool* boolean = value.boolean()) return *boolean;
  return WrongKind(name, "true or false");
}

absl::StatusOr<uint64_t> ToUint64(const JsonValue& value, std::string_view name) {
  return ToNumber<uint64_t>(value, name, "a whole number of at least 0");
}

absl::StatusOr<int64_t> ToInt64(const JsonValue& value, std::string_view name) {
  return ToNumber<int64_t>(value, name, "a whole number");
}

absl::StatusOr<double> ToDouble(const JsonValue& value, std::string_view name) {
  return ToNumber<double>(value, name, "a number");
}

absl::StatusOr<float> ToFloat(const JsonValue& value, std::string_view name) {
  const JsonValue::Number* number = value.number();
  if (number == nullptr) return WrongKind(name, "a number");
  float result = 0;
  const char* end = number->spelling.data() + number->spelling.size();
  if (std::from_chars(number->spelling.data(), end, result).ec == std::errc()) return result;
  // Beyond the range of a float at one of its two ends.
  ASSIGN_OR_RETURN(const double wide, ToDouble(value, name));
  if (std::abs(wide) < 1) return 0.0F;
  return InvalidArgument(std::string(name) + " is " + number->spelling + ", which no 32-bit float holds");
}

absl::StatusOr<std::vector<float>> ToFloats(const JsonValue& value, std::string_view name) {
  const JsonValue::Array* items = value.array();
  if (items == nullptr) return WrongKind(name, "an array of numbers");
  std::vector<float> floats;
  floats.reserve(items->size());
  for (const JsonValue& item : *items) {
    absl::StatusOr<float> number = ToFloat(item, name);
    if (!number.ok()) return ToFloat(item, std::string(name) + "[" + std::to_string(floats.size()) + "]").status();
    floats.push_back(*number);
  }
  return floats;
}

}  // namespace varve::cli
