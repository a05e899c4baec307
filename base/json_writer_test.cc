#include "base/json_writer.h"

#include "gtest/gtest.h"

namespace varve {
namespace {

TEST(JsonWriter, EscapesWhatJsonMustNotHold) {
  JsonWriter writer;
  writer.BeginArray().String("a\"b\\c\n\x01\x7F").String("\xFF\xC3\xA4").EndArray();

  EXPECT_EQ(writer.text(), "[\"a\\\"b\\\\c\\n\\u0001\\u007f\",\"\xEF\xBF\xBD\xC3\xA4\"]");
}

TEST(JsonWriter, WritesFloatsWithTheFewestDigits) {
  JsonWriter writer;
  writer.BeginObject().Key("float").Float(0.1F).Key("double").Double(0.1).Key("none").Double(1.0 / 0.0).EndObject();

  EXPECT_EQ(writer.Take(), R"({"float":0.1,"double":0.1,"none":null})");
}

TEST(JsonWriter, TellsUtf8FromOtherBytes) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("k\xC3\xA4se \xE2\x82\xAC \xF0\x9F\x98\x80"));
  EXPECT_FALSE(IsUtf8("\x80"));
  EXPECT_FALSE(IsUtf8("\xC0\xAF"));          // overlong
  EXPECT_FALSE(IsUtf8("\xED\xA0\x80"));      // a surrogate
  EXPECT_FALSE(IsUtf8("\xF4\x90\x80\x80"));  // beyond U+10FFFF
  EXPECT_FALSE(IsUtf8("\xE2\x82"));          // cut
}

TEST(JsonWriter, KeepsBytesThatAreNotUtf8InBase64) {
  JsonWriter writer;
  writer.BeginObject().BytesMember("key", "a").BytesMember("other", "\xFF").EndObject();

  EXPECT_EQ(writer.Take(), R"({"key":"a","other_base64":"/w=="})");
}

}  // namespace
}  // namespace varve
