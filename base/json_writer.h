// Writes one JSON text, piece by piece, without white space. Thread-compatible.
//
// Floats are written with the fewest digits that give the same float again, so that what a user stored as 0.1 is shown
// as 0.1. The caller keeps to JSON's grammar: a key before each value of an object, as many ends as beginnings.
#ifndef VARVE_BASE_JSON_WRITER_H_
#define VARVE_BASE_JSON_WRITER_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace varve {

// True for well-formed UTF-8 (no surrogates, no overlong forms).
bool IsUtf8(std::string_view bytes);

class JsonWriter {
 public:
  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  JsonWriter& Key(std::string_view name);

  // Bytes that are not UTF-8 become U+FFFD; see IsUtf8 and BytesMember.
  JsonWriter& String(std::string_view value);
  JsonWriter& Uint(uint64_t value);
  JsonWriter& Int(int64_t value);
  JsonWriter& Double(double value);  // null if not finite
  JsonWriter& Float(float value);    // null if not finite
  JsonWriter& Bool(bool value) { return Raw(value ? "true" : "false"); }
  JsonWriter& Null() { return Raw("null"); }
  // A value that is JSON already.
  JsonWriter& Raw(std::string_view json);

  JsonWriter& Member(std::string_view name, std::string_view value) { return Key(name).String(value); }
  JsonWriter& Member(std::string_view name, uint64_t value) { return Key(name).Uint(value); }
  // A user's bytes: as `name` if they are UTF-8, else as `name`_base64.
  JsonWriter& BytesMember(std::string_view name, std::string_view value);

  const std::string& text() const { return text_; }
  // Empties the writer.
  std::string Take();

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  void Separate();
  void AppendQuoted(std::string_view value);

  std::string text_;
  bool need_comma_ = false;
};

}  // namespace varve

#endif  // VARVE_BASE_JSON_WRITER_H_
