#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
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

TEST(FilterParse, ReadsEveryCondition) {
  const std::vector<std::pair<std::string, Filter>> cases = {
      {"year >= 2020", Filter::Compare({"year"}, Op::kGe, 2020)},
      {"a=1", Filter::Compare({"a"}, Op::kEq, 1)},
      {"a == -1", Filter::Compare({"a"}, Op::kEq, -1)},
      {"a<>'x'", Filter::Compare({"a"}, Op::kNe, "x")},
      {"a != NULL", Filter::Compare({"a"}, Op::kNe, nullptr)},
      {"a < 1.5e3", Filter::Compare({"a"}, Op::kLt, 1500)},
      {"a <= 18446744073709551615", Filter::Compare({"a"}, Op::kLe, UINT64_MAX)},
      {"a > -9223372036854775808", Filter::Compare({"a"}, Op::kGt, INT64_MIN)},
      {"a = True", Filter::Compare({"a"}, Op::kEq, true)},
      {"archived", Filter::Compare({"archived"}, Op::kEq, true)},
      {"not archived", Filter::Not(Filter::Compare({"archived"}, Op::kEq, true))},
      {"lang IN ('en','de')", Filter::In({"lang"}, {"en", "de"})},
      {"lang in ()", Filter::In({"lang"}, {})},
      {"lang NOT IN (1, 2.5, NULL, FALSE)", Filter::NotIn({"lang"}, {1, 2.5, nullptr, false})},
      {"tags CONTAINS 'it''s'", Filter::Contains({"tags"}, "it's")},
      {"tags NOT CONTAINS 3", Filter::Not(Filter::Contains({"tags"}, 3))},
      {"EXISTS(a.b)", Filter::Exists({"a", "b"})},
      {"exists ( \"a.b\" . \"say \"\"hi\"\"\" )", Filter::Exists({"a.b", "say \"hi\""})},
      {"SIZE(tags) > 2", Filter::Size({"tags"}, Op::kGt, 2)},
      {"ELEMMATCH(items, price > 5 AND @ != 3)",
       Filter::ElemMatch({"items"},
                         Filter::And({Filter::Compare({"price"}, Op::kGt, 5), Filter::Compare({}, Op::kNe, 3)}))},
      {"elemMatch(items, @.price > 5)", Filter::ElemMatch({"items"}, Filter::Compare({"price"}, Op::kGt, 5))},
      {"a IS NULL", Filter::Or({Filter::Not(Filter::Exists({"a"})), Filter::Compare({"a"}, Op::kEq, nullptr)})},
      {"a IS NOT NULL",
       Filter::Not(Filter::Or({Filter::Not(Filter::Exists({"a"})), Filter::Compare({"a"}, Op::kEq, nullptr)}))},
      {"TRUE", Filter()},
      {"FALSE", Filter::Not(Filter())},
      // Words that are not reserved, and reserved ones behind a dot or in quotes.
      {"size > 3", Filter::Compare({"size"}, Op::kGt, 3)},
      {"exists IN (1)", Filter::In({"exists"}, {1})},
      {"contains CONTAINS 1", Filter::Contains({"contains"}, 1)},
      {"\"not\" = 1 AND a.or = 2",
       Filter::And({Filter::Compare({"not"}, Op::kEq, 1), Filter::Compare({"a", "or"}, Op::kEq, 2)})},
      {"gr\xC3\xB6\xC3\x9F"
       "e > 1",
       Filter::Compare({"gr\xC3\xB6\xC3\x9F"
                        "e"},
                       Op::kGt, 1)},
  };
  for (const auto& [text, expected] : cases) {
    ASSERT_OK_AND_ASSIGN(const Filter filter, Filter::Parse(text));
    EXPECT_EQ(filter, expected) << text << ": " << filter.ToString();
    ASSERT_OK_AND_ASSIGN(const Filter again, Filter::Parse(filter.ToString()));
    EXPECT_EQ(again, expected) << filter.ToString();
  }
}

TEST(FilterParse, NotBindsTighterThanAndThanOr) {
  const Filter a = Filter::Exists({"a"});
  const Filter b = Filter::Exists({"b"});
  const Filter c = Filter::Exists({"c"});
  EXPECT_EQ(Filter::Parse("EXISTS(a) OR EXISTS(b) AND NOT EXISTS(c)").value(),
            Filter::Or({a, Filter::And({b, Filter::Not(c)})}));
  EXPECT_EQ(Filter::Parse("NOT EXISTS(a) AND EXISTS(b) AND EXISTS(c)").value(), Filter::And({Filter::Not(a), b, c}));
  EXPECT_EQ(Filter::Parse("(EXISTS(a) OR EXISTS(b)) AND EXISTS(c)").value(), Filter::And({Filter::Or({a, b}), c}));
  EXPECT_EQ(Filter::Parse("(EXISTS(a) AND EXISTS(b)) AND EXISTS(c)").value(), Filter::And({Filter::And({a, b}), c}));
  EXPECT_EQ(Filter::Parse(" ( ( EXISTS(a)\n) )\t").value(), a);
}

TEST(FilterParse, ErrorsNameTheOffset) {
  const std::vector<std::tuple<std::string, size_t, std::string>> cases = {
      {"", 0, "a name"},
      {"  ", 2, "a name"},
      {"a = ", 4, "in single quotes"},
      {"a = b", 4, "in single quotes"},
      {"a = \"b\"", 4, "in single quotes"},
      {"'a' = 1", 0, "double quotes"},
      {"a = 'open", 4, "not closed"},
      {"a = 1 b", 6, "AND, OR or the end"},
      {"a = 1 AND", 9, "a name"},
      {"a = 1 AND OR", 10, "a field"},
      {"(a = 1", 6, "\")\""},
      {"a = 1)", 5, "the end"},
      {"a ~ 1", 2, "unexpected character"},
      {"a = 01", 4, "not a number"},
      {"a = 1.", 4, "not a number"},
      {"a = 1e", 4, "not a number"},
      {"a = 1x", 4, "not a number"},
      {"a = 18446744073709551616", 4, "64-bit"},
      {"a = -9223372036854775809", 4, "64-bit"},
      {"a = 1e400", 4, "doubles"},
      {"a < NULL", 4, "a number or a string"},
      {"a >= TRUE", 5, "a number or a string"},
      {"a IN 1", 5, "\"(\""},
      {"a IN (1,)", 8, "in single quotes"},
      {"a IN (1 2)", 8, "\",\""},
      {"a IN ((1))", 6, "in single quotes"},
      {"a NOT = 1", 6, "IN or CONTAINS"},
      {"a IS 1", 5, "NULL"},
      {"a. = 1", 3, "a name"},
      {"a.1 = 1", 2, "a name"},
      {"COUNT(a) = 1", 0, "EXISTS, SIZE or ELEMMATCH"},
      {"SIZE(a) = 1.5", 10, "a whole number"},
      {"SIZE(a) = -1", 10, "a whole number"},
      {"SIZE(a)", 7, "=, !=, <"},
      {"@ = 1", 0, "ELEMMATCH"},
      {"ELEMMATCH(a, b = 1) AND @ = 1", 24, "ELEMMATCH"},
      {"ELEMMATCH(a)", 11, "\",\""},
      {"a = '\xFF'", 4, "UTF-8"},
      {"\xC3 = 1", 0, "UTF-8"},
  };
  for (const auto& [text, offset, what] : cases) {
    EXPECT_THAT(Filter::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("at offset " + std::to_string(offset) + ": "), HasSubstr(what))))
        << text;
  }
}

std::string Repeated(const std::string& text, size_t count) {
  std::string result;
  for (size_t i = 0; i < count; ++i) result += text;
  return result;
}

TEST(FilterParse, LimitsHoldBeforeTheStackEnds) {
  const auto refused = [](const std::string& text, size_t offset, const std::string& what) {
    EXPECT_THAT(Filter::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("at offset " + std::to_string(offset)), HasSubstr(what))));
  };
  EXPECT_OK(Filter::Parse(Repeated("(", 64) + "a" + Repeated(")", 64)));
  refused(Repeated("(", 65) + "a" + Repeated(")", 65), 64, "64 expressions");
  refused(Repeated("(", 500'000), 64, "64 expressions");
  refused(Repeated("NOT ", 200'000) + "a", 256, "64 expressions");
  refused(Repeated("ELEMMATCH(a,", 80'000), 64 * 12, "64 expressions");
  EXPECT_OK(Filter::Parse("a" + Repeated(" AND a", kMaxFilterNodes - 2)));
  refused("a" + Repeated(" AND a", kMaxFilterNodes - 1), 0, "4096 conditions");
  refused("a" + Repeated(" AND a", 100'000), 6 * kMaxFilterNodes, "4096 conditions");
  refused("a IN (1" + Repeated(",1", kMaxFilterListItems) + ")", 6 + 2 * kMaxFilterListItems, "10000 values");
  refused("a = '" + std::string(kMaxFilterBytes, 'x') + "'", kMaxFilterBytes, "bytes");
}

TEST(FilterParse, AnyTextIsAFilterOrRefused) {
  static const char* const kPieces[] = {"a",  "'x'",    "1",    "(",         ")",    "AND", "OR", "NOT",
                                        "IN", "=",      ",",    "\"",        "'",    "@",   ".",  "IS",
                                        "-",  "EXISTS", "SIZE", "ELEMMATCH", "NULL", "\x80"};
  Random random(3);
  int parsed = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    for (uint64_t pieces = random.Below(12); pieces > 0; --pieces) {
      text += kPieces[random.Below(22)];
      if (random.Below(3) != 0) text += ' ';
    }
    const absl::StatusOr<Filter> filter = Filter::Parse(text);
    if (!filter.ok()) {
      EXPECT_THAT(filter, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at offset "))) << text;
      continue;
    }
    ++parsed;
    ASSERT_OK(filter->Check()) << text;
    ASSERT_OK_AND_ASSIGN(const Filter again, Filter::Parse(filter->ToString()));
    ASSERT_EQ(again, *filter) << text;
  }
  EXPECT_GT(parsed, 100);
}

}  // namespace
}  // namespace varve
