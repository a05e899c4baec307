#include "base/json.h"

#include <string>

#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "varve/types.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using ::varve::testing::StatusIs;

std::string Nested(size_t depth, const std::string& innermost = "1") {
  // The object itself is the first level.
  return R"({"a":)" + std::string(depth - 1, '[') + innermost + std::string(depth - 1, ']') + "}";
}

TEST(CompactJsonObject, RemovesSpaceBetweenTokensOnly) {
  EXPECT_EQ(CompactJsonObject(" {\n\t\"a b\" : [ 1 , 2.50 , \"x \\\" y\" ] ,\r\"c\":{ } } ").value(),
            R"({"a b":[1,2.50,"x \" y"],"c":{}})");
  EXPECT_EQ(CompactJsonObject("{}").value(), "{}");
}

TEST(CompactJsonObject, KeepsTheSpellingOfNumbersAndStrings) {
  const std::string text = R"({"n":[1.0,1e2,-0,0.10,1E+2,18446744073709551615,-9223372036854775808],)"
                           R"("s":"\u0041\/\n\\","t":[true,false,null]})";
  EXPECT_EQ(CompactJsonObject(text).value(), text);
}

TEST(CompactJsonObject, RefusesWhatIsNoObject) {
  for (const char* text : {"", " ", "1", "null", "\"a\"", "[]", "[{}]"}) {
    EXPECT_THAT(CompactJsonObject(text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("metadata"))) << text;
  }
}

TEST(CompactJsonObject, RefusesWhatIsNoJson) {
  for (const char* text : {"{",
                           "}",
                           "{}}",
                           "{} {}",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{'a':1}",
                           "{\"a\":01}",
                           "{\"a\":1.}",
                           "{\"a\":+1}",
                           "{\"a\":NaN}",
                           "{\"a\":\"\n\"}",
                           "{\"a\":\"\\x\"}",
                           "{\"a\":\"",
                           "{\"a\":1 /* c */}",
                           "{\"a\":tru}",
                           "{\"a\":\"\\",
                           "{\"a\":\"\xFF\"}",
                           "{\"a\" 1}",
                           "{\"a\":1e999}"}) {
    EXPECT_THAT(CompactJsonObject(text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("metadata"))) << text;
  }
  EXPECT_FALSE(CompactJsonObject(std::string_view("{\"a\":1}\0", 8)).ok());
}

TEST(CompactJsonObject, BoundsTheDepthExactly) {
  EXPECT_OK(CompactJsonObject(Nested(kMaxJsonDepth)));
  EXPECT_OK(CompactJsonObject(Nested(kMaxJsonDepth - 1, "[]")));
  const auto too_deep = StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("nested too deep"));
  EXPECT_THAT(CompactJsonObject(Nested(kMaxJsonDepth + 1)), too_deep);
  EXPECT_THAT(CompactJsonObject(Nested(kMaxJsonDepth, "{}")), too_deep);
  EXPECT_THAT(CompactJsonObject(Nested(1'000'000)), too_deep);
  EXPECT_OK(CompactJsonObject(R"({"a":")" + std::string(1000, '[') + R"("})"));  // brackets in strings do not nest
  EXPECT_OK(CompactJsonObject(R"({"a":"\"[[[["})"));
}

TEST(CompactJsonObject, BoundsTheLengthExactly) {
  const std::string frame = R"({"a":""})";
  std::string text = R"({"a":")" + std::string(kMaxMetadataBytes - frame.size(), 'x') + R"("})";
  EXPECT_EQ(CompactJsonObject(text).value(), text);
  text += ' ';
  EXPECT_THAT(CompactJsonObject(text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at most 16777216")));
}

TEST(CompactJsonObject, RefusesAMemberTwice) {
  for (const char* text : {R"({"a":1,"b":2,"a":3})", R"({"x":[{"y":{"a":1,"\u0061":2}}]})"}) {
    EXPECT_THAT(CompactJsonObject(text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"a\" twice")));
  }
  EXPECT_OK(CompactJsonObject(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]})"));
}

TEST(CompactJsonObject, CompactTextStaysAsItIs) {
  const std::string once = CompactJsonObject(" { \"a\" : [ 1, { \"b\" : \" \" } ] }").value();
  EXPECT_EQ(CompactJsonObject(once).value(), once);
}

TEST(CompactJsonObject, SurvivesDamagedText) {
  const std::string text = R"({"a":[1,2,{"b":"c\"d\\"}],"e":{"f":null,"g":-1.5e3},"h":"\u00e9"})";
  Random random(23);
  for (int round = 0; round < 20'000; ++round) {
    std::string damaged = text;
    for (uint64_t flips = 1 + random.Below(3); flips > 0; --flips) {
      damaged[random.Below(damaged.size())] = "{}[]\",:\\1n \x80"[random.Below(12)];
    }
    damaged.resize(random.Below(4) == 0 ? random.Below(damaged.size()) : damaged.size());
    const absl::StatusOr<std::string> compact = CompactJsonObject(damaged);
    if (compact.ok()) {
      ASSERT_EQ(CompactJsonObject(*compact).value(), *compact) << damaged;
      ASSERT_EQ(MergeJsonPatch(*compact, "{}").value(), *compact) << damaged;
      ASSERT_OK(MergeJsonPatch(text, *compact)) << damaged;
    }
  }
}

// RFC 7396, appendix A, those of its cases whose target and patch are objects.
TEST(MergeJsonPatch, FollowsTheExamplesOfTheStandard) {
  const char* const cases[][3] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  for (const auto& [target, patch, expected] : cases) {
    EXPECT_EQ(MergeJsonPatch(target, patch).value(), expected) << target << " with " << patch;
  }
}

TEST(MergeJsonPatch, AnEmptyTargetCountsAsAnObject) {
  EXPECT_EQ(MergeJsonPatch("", R"({ "a" : { "b" : null, "c" : 1 } })").value(), R"({"a":{"c":1}})");
  EXPECT_EQ(MergeJsonPatch("", "{}").value(), "{}");
}

TEST(MergeJsonPatch, KeepsTheSpellingAndPlaceOfWhatItDoesNotTouch) {
  EXPECT_EQ(MergeJsonPatch(R"({"x":1.50,"y":{"p":1e2,"q":"\u0041"},"z":[1, 2]})",
                           R"({"w":7.0,"y":{"q":null,"r":0.10},"v":null})")
                .value(),
            R"({"x":1.50,"y":{"p":1e2,"r":0.10},"z":[1,2],"w":7.0})");
}

TEST(MergeJsonPatch, NullsInArraysStay) {
  EXPECT_EQ(MergeJsonPatch(R"({"a":1})", R"({"a":[null,{"b":null}]})").value(), R"({"a":[null,{"b":null}]})");
}

TEST(MergeJsonPatch, NamesAreComparedByMeaning) {
  EXPECT_EQ(MergeJsonPatch(R"({"\u0061":1,"b\"":2})", R"({"a":3,"b\u0022":null})").value(), R"({"\u0061":3})");
  EXPECT_EQ(MergeJsonPatch(R"({"a,}{":1})", R"({"a,}{":2,"":3})").value(), R"({"a,}{":2,"":3})");
}

TEST(MergeJsonPatch, RefusesWhatCompactRefuses) {
  for (const auto& [target, patch] :
       {std::pair{"[]", "{}"}, {"{}", "[]"}, {"{}", ""}, {"{}", "null"}, {"{", "{}"}, {"{}", R"({"a":1,"a":null})"}}) {
    EXPECT_THAT(MergeJsonPatch(target, patch), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("metadata")))
        << target << " with " << patch;
  }
  EXPECT_EQ(MergeJsonPatch("{}", Nested(kMaxJsonDepth)).value(), Nested(kMaxJsonDepth));
}

TEST(MergeJsonPatch, RefusesAResultThatIsTooLong) {
  const std::string half(kMaxMetadataBytes / 2, 'x');
  const std::string target = R"({"a":")" + half + R"("})";
  const auto merged = MergeJsonPatch(target, R"({"b":")" + half + R"("})");
  EXPECT_THAT(merged, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("patched")));
  EXPECT_OK(MergeJsonPatch(target, R"({"a":")" + half + R"("})"));
}

TEST(MergeJsonPatch, MergesManyMembersInReasonableTime) {
  std::string target = "{";
  std::string patch = "{";
  for (int i = 0; i < 50'000; ++i) {
    const std::string separator = i == 0 ? "" : ",";
    target += separator + "\"" + std::to_string(i) + "\":1";
    patch += separator + "\"" + std::to_string(i * 2) + "\":2";
  }
  const std::string merged = MergeJsonPatch(target + "}", patch + "}").value();
  EXPECT_THAT(merged.substr(0, 40), HasSubstr(R"({"0":2,"1":1,"2":2,)"));
  EXPECT_TRUE(merged.ends_with(R"("99998":2})"));
}

}  // namespace
}  // namespace varve
