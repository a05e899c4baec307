#include "varve/filter.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using ::varve::testing::StatusIs;
using Op = Filter::Op;

TEST(FilterValue, HasOneFormPerNumber) {
  EXPECT_EQ(FilterValue(2), FilterValue(2.0));
  EXPECT_EQ(FilterValue(uint64_t{2}), FilterValue(int64_t{2}));
  EXPECT_EQ(FilterValue(-0.0), FilterValue(0));
  EXPECT_NE(FilterValue(2), FilterValue(2.5));
  EXPECT_NE(FilterValue(1), FilterValue(true));
  EXPECT_NE(FilterValue(""), FilterValue(nullptr));
  EXPECT_TRUE(FilterValue(1e300).is_number());
  EXPECT_FALSE(FilterValue("1").is_number());
}

TEST(Filter, PrintsBothSpellings) {
  const Filter filter = Filter::And(
      {Filter::Compare({"year"}, Op::kGe, 2020), Filter::In({"lang"}, {"en", "de"}),
       Filter::Not(Filter::Or({Filter::Contains({"tags", "all"}, "it's"), Filter::Exists({"a.b", "not", ""})})),
       Filter::ElemMatch({"items"},
                         Filter::And({Filter::Compare({"price"}, Op::kLt, 2.5), Filter::NotIn({}, {nullptr, false})})),
       Filter::Size({"$x"}, Op::kNe, 3)});
  EXPECT_EQ(filter.ToString(),
            "year >= 2020 AND lang IN ('en', 'de') AND NOT (tags.all CONTAINS 'it''s' OR EXISTS(\"a.b\".\"not\".\"\")) "
            "AND ELEMMATCH(items, price < 2.5 AND @ NOT IN (NULL, FALSE)) AND SIZE(\"$x\") != 3");
  EXPECT_EQ(filter.ToJson(), R"({"$and":[{"year":{"$gte":2020}},{"lang":{"$in":["en","de"]}},)"
                             R"({"$not":{"$or":[{"tags.all":{"$contains":"it's"}},{"a\\.b.not.":{"$exists":true}}]}},)"
                             R"({"items":{"$elemMatch":{"$and":[{"price":{"$lt":2.5}},{"$nin":[null,false]}]}}},)"
                             R"({"\\$x":{"$size":{"$ne":3}}}]})");
  EXPECT_EQ(Filter::Parse(filter.ToString()).value(), filter);
  EXPECT_EQ(Filter::ParseJson(filter.ToJson()).value(), filter);
  EXPECT_EQ(Filter().ToString(), "TRUE");
  EXPECT_EQ(Filter().ToJson(), "{}");
}

TEST(Filter, CombinationsOfFewAreSimple) {
  const Filter leaf = Filter::Exists({"a"});
  EXPECT_EQ(Filter::And({}), Filter());
  EXPECT_EQ(Filter::Or({}), Filter::Not(Filter()));
  EXPECT_EQ(Filter::And({leaf}), leaf);
  EXPECT_EQ(Filter::Or({leaf}), leaf);
}

TEST(Filter, CarriesWhatItIsRefusedFor) {
  const auto code = absl::StatusCode::kInvalidArgument;
  const Filter bad = Filter::Compare({"a"}, Op::kLt, nullptr);
  EXPECT_THAT(bad.Check(), StatusIs(code, HasSubstr("number or a string")));
  EXPECT_THAT(Filter::Not(Filter::And({Filter::Exists({"a"}), bad})).Check(), StatusIs(code, HasSubstr("or a string")));
  EXPECT_THAT(Filter::Compare({"a"}, Op::kGe, true).Check(), StatusIs(code, HasSubstr("number or a string")));
  EXPECT_THAT(Filter::Compare({"a"}, Op::kEq, std::nan("")).Check(), StatusIs(code, HasSubstr("not finite")));
  EXPECT_THAT(Filter::In({"a"}, {1, std::numeric_limits<double>::infinity()}).Check(),
              StatusIs(code, HasSubstr("not finite")));
  EXPECT_THAT(Filter::Contains({"a"}, "\xFF").Check(), StatusIs(code, HasSubstr("UTF-8")));
  EXPECT_THAT(Filter::Exists({"\xC3"}).Check(), StatusIs(code, HasSubstr("UTF-8")));
  EXPECT_THAT(Filter::Exists(FilterPath(kMaxJsonDepth + 1, "a")).Check(), StatusIs(code, HasSubstr("65 names")));
  EXPECT_THAT(Filter::In({"a"}, std::vector<FilterValue>(kMaxFilterListItems + 1, 1)).Check(),
              StatusIs(code, HasSubstr("10001 values")));
  EXPECT_OK(Filter::In({"a"}, std::vector<FilterValue>(kMaxFilterListItems, 1)).Check());
}

TEST(Filter, TheElementIsSpokenOfInsideElemMatchAlone) {
  const Filter element = Filter::Compare({}, Op::kGt, 3);
  EXPECT_THAT(element.Check(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ElemMatch")));
  EXPECT_OK(Filter::ElemMatch({"a"}, element).Check());
  EXPECT_OK(Filter::ElemMatch({"a"}, Filter::ElemMatch({}, element)).Check());
  EXPECT_THAT(Filter::ElemMatch({}, element).Check(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("empty")));
}

TEST(Filter, DepthAndSizeAreLimited) {
  Filter deep = Filter::Exists({"a"});
  for (size_t depth = 1; depth < kMaxFilterDepth; ++depth) deep = Filter::Not(deep);
  EXPECT_EQ(deep.depth(), kMaxFilterDepth);
  ASSERT_OK(deep.Check());
  EXPECT_EQ(Filter::Parse(deep.ToString()).value(), deep);
  EXPECT_EQ(Filter::ParseJson(deep.ToJson()).value(), deep);
  deep = Filter::Not(deep);
  EXPECT_THAT(deep.Check(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("64 expressions")));
  // Goes on for as long as one likes: nothing deeper comes into being.
  for (int i = 0; i < 1'000'000; ++i) deep = Filter::Not(std::move(deep));
  EXPECT_FALSE(deep.Check().ok());

  const std::vector<Filter> leaves(kMaxFilterNodes - 1, Filter::Exists({"a"}));
  const Filter wide = Filter::Or(leaves);
  ASSERT_OK(wide.Check());
  EXPECT_EQ(Filter::Parse(wide.ToString()).value(), wide);
  EXPECT_THAT(Filter::Not(wide).Check(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("4096 conditions")));
  // Shared children count as often as they stand there.
  Filter doubled = Filter::Exists({"a"});
  for (int i = 0; i < 60; ++i) doubled = Filter::And({doubled, doubled});
  EXPECT_THAT(doubled.Check(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("4096 conditions")));
}

TEST(Filter, TheDeepestLeavesOfEveryKindParseBack) {
  for (const Filter& leaf : {Filter::In({"a"}, {1}), Filter::Size({"a"}, Op::kLt, 2), Filter::NotIn({"a"}, {})}) {
    Filter deep = leaf;
    for (size_t depth = 1; depth < kMaxFilterDepth; ++depth) {
      deep = depth % 2 == 0 ? Filter::And({deep, leaf}) : Filter::ElemMatch({"b"}, deep);
    }
    ASSERT_OK(deep.Check());
    EXPECT_EQ(Filter::Parse(deep.ToString()).value(), deep);
    EXPECT_EQ(Filter::ParseJson(deep.ToJson()).value(), deep);
  }
}

FilterValue RandomValue(Random* random) {
  switch (random->Below(7)) {
    case 0:
      return nullptr;
    case 1:
      return random->Below(2) == 0;
    case 2:
      return static_cast<int64_t>(random->Next() >> random->Below(64)) * (random->Below(2) == 0 ? 1 : -1);
    case 3:
      return random->Next();
    case 4:
      return std::ldexp(random->Uniform() - 0.5, static_cast<int>(random->Below(2000)) - 1000);
    default: {
      static const char* const kTexts[] = {"",  "a", "it's", "\"q\"", "\\", "new\nline", "\xC3\xBC\xF0\x9F\x98\x80",
                                           "$x"};
      return kTexts[random->Below(8)];
    }
  }
}

FilterPath RandomPath(Random* random, bool of_element) {
  static const char* const kNames[] = {"a",  "B_2", "",     "and",    "x.y",      "$in",
                                       "\\", "\"",  "size", "sp ace", "\xC3\xBC", "9"};
  FilterPath path(random->Below(3) + (of_element ? 0 : 1));
  for (std::string& name : path) name = kNames[random->Below(12)];
  return path;
}

Filter RandomFilter(Random* random, int depth, bool of_element) {
  const uint64_t kind = random->Below(depth > 0 ? 12 : 8);
  const auto op = static_cast<Op>(random->Below(6));
  if (kind >= 10) return Filter::Not(RandomFilter(random, depth - 1, of_element));
  if (kind >= 8) {
    std::vector<Filter> children;
    for (uint64_t i = random->Below(3) + 1; i > 0; --i) children.push_back(RandomFilter(random, depth - 1, of_element));
    return kind == 8 ? Filter::And(children) : Filter::Or(children);
  }
  if (kind == 7 && depth > 0) {
    return Filter::ElemMatch(RandomPath(random, of_element), RandomFilter(random, depth - 1, true));
  }
  FilterPath path = RandomPath(random, of_element);
  std::vector<FilterValue> values(random->Below(4), nullptr);
  for (FilterValue& value : values) value = RandomValue(random);
  switch (kind) {
    case 0:
      return Filter::In(path, values);
    case 1:
      return Filter::NotIn(path, values);
    case 2:
      return Filter::Contains(path, RandomValue(random));
    case 3:
      return Filter::Exists(path);
    case 4:
      return Filter::Size(path, op, random->Below(5));
    case 5:
      return {};
    default: {
      const Filter compare = Filter::Compare(path, op, RandomValue(random));
      return compare.status().ok() ? compare : Filter::Exists(path);
    }
  }
}

TEST(Filter, RandomFiltersParseBack) {
  Random random(11);
  for (int i = 0; i < 5000; ++i) {
    const Filter filter = RandomFilter(&random, 5, /*of_element=*/false);
    ASSERT_OK(filter.Check());
    ASSERT_OK_AND_ASSIGN(const Filter from_text, Filter::Parse(filter.ToString()));
    ASSERT_EQ(from_text, filter) << filter.ToString() << "\n" << from_text.ToString();
    ASSERT_OK_AND_ASSIGN(const Filter from_json, Filter::ParseJson(filter.ToJson()));
    ASSERT_EQ(from_json, filter) << filter.ToJson() << "\n" << from_json.ToJson();
  }
}

}  // namespace
}  // namespace varve
