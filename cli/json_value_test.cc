#include "cli/json_value.h"

#include "tests/support/status_matchers.h"

namespace varve::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::varve::testing::StatusIs;

std::string Repeat(std::string_view piece, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += piece;
  return text;
}

TEST(JsonValue, KeepsNumbersAsTheyAreSpelled) {
  const std::string text = R"({"big":123456789012345678901234567890,"tenth":0.1,"exponent":1.50e3,"negative":-7})";

  ASSERT_OK_AND_ASSIGN(const JsonValue value, ParseJson(text));

  EXPECT_EQ(value.ToText(), text);
}

TEST(JsonValue, DropsWhiteSpaceAndKeepsTheOrderOfMembers) {
  ASSERT_OK_AND_ASSIGN(const JsonValue value, ParseJson(" { \"b\" : [ true , null , \"x\\n\" ] , \"a\" : { } } "));

  EXPECT_EQ(value.ToText(), R"({"b":[true,null,"x\n"],"a":{}})");
}

TEST(JsonValue, RefusesDuplicateMembers) {
  EXPECT_THAT(ParseJson(R"({"key":"a","k":1,"key":"b"})"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"key\" twice")));
}

TEST(JsonValue, RefusesTextThatIsNotOneDocument) {
  for (const std::string text : {"", "{", "{} {}", "[1,]", "{\"a\" 1}", "nul", "NaN", "[Infinity]", "1e999", "'a'"}) {
    EXPECT_THAT(ParseJson(text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at byte "))) << text;
  }
  EXPECT_THAT(ParseJson("\"\xFF\""), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("UTF-8")));
}

TEST(JsonValue, BoundsTheDepth) {
  EXPECT_OK(ParseJson(Repeat("[", kMaxInputJsonDepth) + Repeat("]", kMaxInputJsonDepth)));
  EXPECT_THAT(ParseJson(Repeat("[", 1'000'000)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("levels of nesting")));
}

TEST(JsonValue, ConvertsOnlyWhatFits) {
  ASSERT_OK_AND_ASSIGN(const JsonValue big, ParseJson("18446744073709551615"));
  ASSERT_OK_AND_ASSIGN(const JsonValue fraction, ParseJson("1.5"));
  ASSERT_OK_AND_ASSIGN(const JsonValue negative, ParseJson("-3"));

  ASSERT_OK_AND_ASSIGN(const uint64_t whole, ToUint64(big, "n"));
  EXPECT_EQ(whole, 18446744073709551615U);
  EXPECT_THAT(ToInt64(big, "n"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("n is not a whole number")));
  EXPECT_THAT(ToUint64(fraction, "k"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("k is not a whole")));
  EXPECT_THAT(ToUint64(negative, "k"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at least 0")));
  ASSERT_OK_AND_ASSIGN(const double half, ToDouble(fraction, "x"));
  EXPECT_EQ(half, 1.5);
}

TEST(JsonValue, GivesTheNearestFloats) {
  ASSERT_OK_AND_ASSIGN(const JsonValue value, ParseJson("[0.1, -2, 16777217, 1e-60, 3.4028235e38]"));

  ASSERT_OK_AND_ASSIGN(const std::vector<float> floats, ToFloats(value, "vector"));

  EXPECT_THAT(floats, ElementsAre(0.1F, -2.0F, 16777216.0F, 0.0F, 3.4028235e38F));
}

TEST(JsonValue, NamesTheComponentThatIsNoFloat) {
  ASSERT_OK_AND_ASSIGN(const JsonValue text, ParseJson("[1, \"two\"]"));
  ASSERT_OK_AND_ASSIGN(const JsonValue large, ParseJson("[1, 2, 1e39]"));

  EXPECT_THAT(ToFloats(text, "vector"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("vector[1] is not")));
  EXPECT_THAT(ToFloats(large, "vector"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("vector[2] is 1e39")));
}

}  // namespace
}  // namespace varve::cli
