#include "base/json_writer.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "absl/strings/escaping.h"

namespace varve {
namespace {

// Bytes of the well-formed UTF-8 character at the front of `bytes`, which is not empty; 0 if there is none.
// Source: The Unicode Standard, table 3-7.
size_t Utf8CharacterBytes(std::string_view bytes) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || bytes.size() < length) return 0;
  const unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  }
  return length;
}

template <typename T>
void AppendNumber(T value, std::string* text) {
  char digits[32];
  const auto [end, error] = std::to_chars(std::begin(digits), std::end(digits), value);
  text->append(digits, end);
}

}  // namespace

bool IsUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t length = Utf8CharacterBytes(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

JsonWriter& JsonWriter::Key(std::string_view name) {
  Separate();
  AppendQuoted(name);
  text_ += ':';
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::String(std::string_view value) {
  Separate();
  AppendQuoted(value);
  return *this;
}

JsonWriter& JsonWriter::Uint(uint64_t value) {
  Separate();
  AppendNumber(value, &text_);
  return *this;
}

JsonWriter& JsonWriter::Int(int64_t value) {
  Separate();
  AppendNumber(value, &text_);
  return *this;
}

JsonWriter& JsonWriter::Double(double value) {
  if (!std::isfinite(value)) return Null();
  Separate();
  AppendNumber(value, &text_);
  return *this;
}

JsonWriter& JsonWriter::Float(float value) {
  if (!std::isfinite(value)) return Null();
  Separate();
  AppendNumber(value, &text_);
  return *this;
}

JsonWriter& JsonWriter::Raw(std::string_view json) {
  Separate();
  text_ += json;
  return *this;
}

JsonWriter& JsonWriter::BytesMember(std::string_view name, std::string_view value) {
  if (IsUtf8(value)) return Member(name, value);
  const std::string encoded = absl::Base64Escape({value.data(), value.size()});
  return Member(std::string(name) + "_base64", encoded);
}

std::string JsonWriter::Take() {
  need_comma_ = false;
  return std::exchange(text_, std::string());
}

JsonWriter& JsonWriter::Open(char bracket) {
  Separate();
  text_ += bracket;
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::Close(char bracket) {
  text_ += bracket;
  need_comma_ = true;
  return *this;
}

void JsonWriter::Separate() {
  if (need_comma_) text_ += ',';
  need_comma_ = true;
}

void JsonWriter::AppendQuoted(std::string_view value) {
  static constexpr char kHexDigits[] = "0123456789abcdef";
  text_ += '"';
  while (!value.empty()) {
    const auto c = static_cast<unsigned char>(value.front());
    size_t length = 1;
    if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += value.front();
    } else if (c == '\n') {
      text_ += "\\n";
    } else if (c == '\t') {
      text_ += "\\t";
    } else if (c < 0x20 || c == 0x7F) {
      text_ += "\\u00";
      text_ += kHexDigits[c >> 4];
      text_ += kHexDigits[c & 15];
    } else if (length = Utf8CharacterBytes(value); length != 0) {
      text_.append(value.substr(0, length));
    } else {
      length = 1;
      text_ += "\xEF\xBF\xBD";
    }
    value.remove_prefix(length);
  }
  text_ += '"';
}

}  // namespace varve
