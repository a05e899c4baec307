// Filters in both spellings, and records that they are asked of: what is accepted prints in either spelling as a filter
// equal to it, which matches the same records. Input: filter, line feed, metadata.
#include <memory>
#include <string>

#include "base/json.h"
#include "engine/search/filter_program.h"
#include "tests/fuzz/fuzz_target.h"
#include "varve/filter.h"

namespace varve::fuzz {
namespace {

bool Matches(const Filter& filter, std::string_view metadata) {
  const absl::StatusOr<std::unique_ptr<FilterProgram>> program = FilterProgram::Make(filter);
  FUZZ_CHECK_OK(program);
  const absl::StatusOr<bool> matches = (*program)->Matches(metadata);
  FUZZ_CHECK_OK(matches);
  return *matches;
}

void CheckFilter(const Filter& filter, std::string_view metadata) {
  FUZZ_CHECK_OK(filter.Check());
  const absl::StatusOr<Filter> from_text = Filter::Parse(filter.ToString());
  FUZZ_CHECK_OK(from_text);
  FUZZ_CHECK(*from_text == filter);
  const absl::StatusOr<Filter> from_json = Filter::ParseJson(filter.ToJson());
  FUZZ_CHECK_OK(from_json);
  FUZZ_CHECK(*from_json == filter);
  const bool matches = Matches(filter, metadata);
  FUZZ_CHECK(Matches(*from_text, metadata) == matches);
  const Filter negated = Filter::Not(filter);
  // Three values: never both.
  if (negated.Check().ok()) FUZZ_CHECK(!(matches && Matches(negated, metadata)));
}

void RunFilter(std::string_view input) {
  const size_t split = input.find('\n');
  const std::string_view text = input.substr(0, split);
  const std::string_view document = split == std::string_view::npos ? "" : input.substr(split + 1);
  const std::string metadata = CompactJsonObject(document).value_or("");
  for (const absl::StatusOr<Filter>& filter : {Filter::Parse(text), Filter::ParseJson(text)}) {
    if (filter.ok()) {
      CheckFilter(*filter, metadata);
    } else {
      FUZZ_CHECK(absl::IsInvalidArgument(filter.status()));
    }
  }
}

std::vector<std::string> FilterSeeds() {
  const std::string document =
      "\n"
      R"({"year":2021,"lang":"en","tags":["a","b"],"a":{"b":[{"c":1},{"c":2.5}]},"z":null})";
  return {"year >= 2020 AND lang IN ('en', 'de') AND NOT archived" + document,
          "a.b EXISTS OR (x != -1.5e3 AND y NOT IN (1, 'it''s', TRUE, NULL))" + document,
          "tags CONTAINS 'a' AND SIZE(tags) > 1" + document,
          "ELEMMATCH(a.b, c > 1)" + document,
          R"({"year":{"$gte":2020},"lang":{"$in":["en","de"]},"archived":{"$not":{"$eq":true}}})" + document,
          R"({"$or":[{"a.b":{"$elemMatch":{"c":{"$gt":1,"$lt":3}}}},{"tags":{"$size":2}},{"z":{"$exists":true}}]})" +
              document,
          R"({"$and":[{"year":{"$ne":1}},{"$nor":[{"lang":"de"}]},{"tags":{"$contains":"a","$nin":[1]}}]})" + document};
}

}  // namespace

FuzzTarget FilterTarget() {
  FuzzTarget target{.name = "filter", .run = RunFilter, .seeds = FilterSeeds};
  target.words = {" AND ",
                  " OR ",
                  "NOT ",
                  " IN (",
                  " EXISTS",
                  " CONTAINS ",
                  "SIZE(",
                  "ELEMMATCH",
                  " IS NULL",
                  "TRUE",
                  "NULL",
                  "''",
                  "\"",
                  "!=",
                  ">=",
                  "\"$and\":[",
                  "\"$or\":[",
                  "\"$not\":{",
                  "\"$elemMatch\":{",
                  "\"$size\":",
                  "\"$exists\":",
                  "\"$in\":[",
                  "\"$nin\":[",
                  "\"$contains\":",
                  "9223372036854775808",
                  "1e309"};
  return target;
}

}  // namespace varve::fuzz
