#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "varve/filter.h"

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::varve::testing::StatusIs;
using Op = Filter::Op;

TEST(FilterParseJson, ReadsEveryOperator) {
  // The JSON, and the same in the other spelling.
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"year":2020})", "year = 2020"},
      {R"({"year":null})", "year = NULL"},
      {R"( { "year" : { "$gte" : 2020 , "$lt" : 2.03e3 } } )", "year >= 2020 AND year < 2030"},
      {R"({"a":{"$eq":"x"},"b":{"$ne":true}})", "a = 'x' AND b != TRUE"},
      {R"({"a":{"$gt":-1.5}})", "a > -1.5"},
      {R"({"a":{"$lte":18446744073709551615}})", "a <= 18446744073709551615"},
      {R"({"lang":{"$in":["en","de"]}})", "lang IN ('en', 'de')"},
      {R"({"lang":{"$nin":[ ]}})", "lang NOT IN ()"},
      {R"({"tags":{"$contains":"x"}})", "tags CONTAINS 'x'"},
      {R"({"a.b":{"$exists":true}})", "EXISTS(a.b)"},
      {R"({"a":{"$exists":false}})", "NOT EXISTS(a)"},
      {R"({"tags":{"$size":3}})", "SIZE(tags) = 3"},
      {R"({"tags":{"$size":{"$gte":3,"$ne":5}}})", "SIZE(tags) >= 3 AND SIZE(tags) != 5"},
      {R"({"items":{"$elemMatch":{"price":{"$gt":5},"colour":"red"}}})",
       "ELEMMATCH(items, price > 5 AND colour = 'red')"},
      {R"({"items":{"$elemMatch":{"$gt":5,"$lt":9}}})", "ELEMMATCH(items, @ > 5 AND @ < 9)"},
      {R"({"items":{"$elemMatch":{"$or":[{"$eq":1},{"a":{"$elemMatch":{"$in":[2]}}}]}}})",
       "ELEMMATCH(items, @ = 1 OR ELEMMATCH(a, @ IN (2)))"},
      {R"({"items":{"$elemMatch":{"$not":{"$size":2}}}})", "ELEMMATCH(items, NOT SIZE(@) = 2)"},
      {R"({"a":{"$not":{"$gt":5,"$lt":9}}})", "NOT (a > 5 AND a < 9)"},
      {R"({"$not":{"a":1,"b":2}})", "NOT (a = 1 AND b = 2)"},
      {R"({"$and":[{"a":1},{"$or":[{"b":2},{"c":3}]}],"d":4})", "(a = 1 AND (b = 2 OR c = 3)) AND d = 4"},
      {R"({})", "TRUE"},
      {R"({"$not":{}})", "FALSE"},
      {R"({"\u0061":"\u0062\n"})", "a = 'b\n'"},
      {R"({"a\\.b.c":1,"\\$x":2,"\\\\":3})", R"("a.b".c = 1 AND "$x" = 2 AND "\" = 3)"},
      {R"({"":1})", R"("" = 1)"},
  };
  for (const auto& [json, text] : cases) {
    ASSERT_OK_AND_ASSIGN(const Filter filter, Filter::ParseJson(json));
    ASSERT_OK_AND_ASSIGN(const Filter expected, Filter::Parse(text));
    EXPECT_EQ(filter, expected) << json << ": " << filter.ToString();
    ASSERT_OK_AND_ASSIGN(const Filter again, Filter::ParseJson(filter.ToJson()));
    EXPECT_EQ(again, filter) << filter.ToJson();
  }
}

TEST(FilterParseJson, ErrorsNameTheOffset) {
  const std::vector<std::tuple<std::string, size_t, std::string>> cases = {
      {"1", 0, "an object of conditions"},
      {" [] ", 1, "an object of conditions"},
      {R"({"a":{}})", 5, "an operator"},
      {R"({"a":[1]})", 5, "expected null, true"},
      {R"({"a":{"$eq":{}}})", 12, "expected null, true"},
      {R"({"a":{"$like":"x"}})", 6, "unknown operator \"$like\""},
      {R"({"a":{"b":1}})", 6, "unknown operator \"b\""},
      {R"({"$gt":1})", 1, "expected a field"},
      {R"({"a":{"$lt":null}})", 12, "a number or a string"},
      {R"({"a":{"$in":1}})", 12, "an array"},
      {R"({"a":{"$in":[1, [2]]}})", 16, "expected null, true"},
      {R"({"a":{"$exists":1}})", 16, "true or false"},
      {R"({"a":{"$size":-1}})", 14, "a whole number"},
      {R"({"a":{"$size":1.5}})", 14, "a whole number"},
      {R"({"a":{"$size":{}}})", 14, "a comparison"},
      {R"({"a":{"$size":{"$in":[1]}}})", 15, "$eq"},
      {R"({"a":{"$elemMatch":1}})", 19, "an object of conditions"},
      {R"({"a":{"$not":1}})", 13, "an object of operators"},
      {R"({"$and":[]})", 8, "at least one"},
      {R"({"$or":{}})", 7, "an array of filters"},
      {R"({"$and":[1]})", 9, "an object of conditions"},
      {R"({"$not":[]})", 8, "an object of conditions"},
      {R"({"a":1, "a":2})", 8, "twice"},
      {R"({"a":{"$gt":1,"\u0024gt":2}})", 14, "twice"},
      {R"({"a\\b":1})", 1, "backslash"},
  };
  for (const auto& [text, offset, what] : cases) {
    EXPECT_THAT(Filter::ParseJson(text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("at offset " + std::to_string(offset) + ": "), HasSubstr(what))))
        << text;
  }
  for (const char* text : {"", "{", R"({"a":})", R"({"a":1}x)", R"({"a":18446744073709551616})", "{\"a\":\"\xFF\"}"}) {
    EXPECT_THAT(Filter::ParseJson(text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("filter: "))) << text;
  }
}

TEST(FilterParseJson, LimitsHold) {
  const auto refused = [](const std::string& text, const std::string& what) {
    EXPECT_THAT(Filter::ParseJson(text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what)));
  };
  std::string deep = R"({"a":1})";
  for (int i = 0; i < 64; ++i) deep = R"({"$not":)" + deep + "}";
  refused(deep, "64 expressions");
  refused(std::string(500'000, '['), "nested too deep");
  std::string wide = R"({"$or":[{"a":1})";
  for (size_t i = 1; i < kMaxFilterNodes; ++i) wide += R"(,{"a":1})";
  refused(wide + "]}", "4096 conditions");
  std::string list = R"({"a":{"$in":[1)";
  for (size_t i = 0; i < kMaxFilterListItems; ++i) list += ",1";
  refused(list + "]}}", "10001 values");
  refused(R"({"a":")" + std::string(kMaxFilterBytes, 'x') + "\"}", "bytes");
}

}  // namespace
}  // namespace varve
