#include "engine/search/filter_program.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using ::varve::testing::StatusIs;

std::unique_ptr<FilterProgram> ProgramOf(const std::string& text) {
  return FilterProgram::Make(Filter::Parse(text).value()).value();
}

TEST(FilterProgram, AsksOneDocumentAfterTheOther) {
  const std::unique_ptr<FilterProgram> program = ProgramOf("a.b >= 2 AND NOT EXISTS(c)");
  EXPECT_TRUE(program->Matches(R"({"a":{"b":2}})").value());
  EXPECT_FALSE(program->Matches(R"({"a":{"b":1.9}})").value());
  EXPECT_FALSE(program->Matches(R"({"a":{"b":2},"c":null})").value());
  EXPECT_FALSE(program->Matches("").value());
  EXPECT_TRUE(program->Matches(R"({"x":")" + std::string(100'000, 'y') + R"(","a":{"\u0062":3}})").value());
  EXPECT_TRUE(program->Matches(R"({"a":{"b":2}})").value()) << "a short one after a long one";
}

TEST(FilterProgram, MetadataThatNoRecordCanHaveIsDamage) {
  const std::unique_ptr<FilterProgram> program = ProgramOf("a = 1");
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  for (const std::string& metadata : {std::string("{"), std::string("[]"), std::string("1"), std::string(1, '\0'),
                                      std::string("{\"a\":\"\xFF\"}"), "{\"a\":" + deep + "}"}) {
    EXPECT_THAT(program->Matches(metadata), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("metadata: ")))
        << metadata.substr(0, 20);
  }
  EXPECT_TRUE(program->Matches(R"({"a":1})").value()) << "goes on with the next one";
}

TEST(FilterProgram, RefusesFiltersWithErrors) {
  EXPECT_THAT(FilterProgram::Make(Filter::Compare({}, Filter::Op::kEq, 1)).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ElemMatch")));
}

}  // namespace
}  // namespace varve
