#include "engine/admin/json_writer.h"

#include <simdjson.h>

#include "absl/strings/escaping.h"
#include "base/status.h"

namespace varve {

JsonWriter& JsonWriter::Key(std::string_view name) {
  Separate();
  AppendQuoted(name);
  text_.push_back(':');
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::String(std::string_view value) {
  Separate();
  if (simdjson::validate_utf8(value.data(), value.size())) {
    AppendQuoted(value);
  } else {
    AppendQuoted(Quoted(value));
  }
  return *this;
}

JsonWriter& JsonWriter::Raw(std::string_view json) {
  Separate();
  text_.append(json);
  return *this;
}

JsonWriter& JsonWriter::BytesMember(std::string_view name, std::string_view value) {
  if (simdjson::validate_utf8(value.data(), value.size())) return Member(name, value);
  const std::string encoded = absl::Base64Escape({value.data(), value.size()});
  return Member(std::string(name) + "_base64", encoded);
}

JsonWriter& JsonWriter::Open(char bracket) {
  Separate();
  text_.push_back(bracket);
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::Close(char bracket) {
  text_.push_back(bracket);
  need_comma_ = true;
  return *this;
}

void JsonWriter::Separate() {
  if (need_comma_) text_.push_back(',');
  need_comma_ = true;
}

void JsonWriter::AppendQuoted(std::string_view value) {
  static constexpr char kHex[] = "0123456789abcdef";
  text_.push_back('"');
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text_.push_back('\\');
      text_.push_back(c);
    } else if (byte < 0x20) {
      text_.append("\\u00");
      text_.push_back(kHex[byte >> 4]);
      text_.push_back(kHex[byte & 15]);
    } else {
      text_.push_back(c);
    }
  }
  text_.push_back('"');
}

}  // namespace varve
