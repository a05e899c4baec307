// Writes one JSON document, piece by piece, without white space: for what the admin tools show. Thread-compatible.
//
// The caller keeps to JSON's grammar: a key before each value of an object, as many ends as beginnings.
#ifndef VARVE_ENGINE_ADMIN_JSON_WRITER_H_
#define VARVE_ENGINE_ADMIN_JSON_WRITER_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace varve {

class JsonWriter {
 public:
  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  JsonWriter& Key(std::string_view name);

  // Bytes that are not UTF-8 are shown as `\xNN`; see BytesMember for keys.
  JsonWriter& String(std::string_view value);
  JsonWriter& Number(uint64_t value) { return Raw(std::to_string(value)); }
  JsonWriter& SignedNumber(int64_t value) { return Raw(std::to_string(value)); }
  JsonWriter& Bool(bool value) { return Raw(value ? "true" : "false"); }
  // A value that is JSON already.
  JsonWriter& Raw(std::string_view json);

  JsonWriter& Member(std::string_view name, std::string_view value) { return Key(name).String(value); }
  JsonWriter& Member(std::string_view name, uint64_t value) { return Key(name).Number(value); }
  // A user's bytes: as `name` if they are UTF-8, else as `name`_base64.
  JsonWriter& BytesMember(std::string_view name, std::string_view value);

  std::string Take() { return std::move(text_); }

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  void Separate();
  void AppendQuoted(std::string_view value);

  std::string text_;
  bool need_comma_ = false;
};

}  // namespace varve

#endif  // VARVE_ENGINE_ADMIN_JSON_WRITER_H_
