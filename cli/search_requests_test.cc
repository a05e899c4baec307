#include "cli/search_requests.h"

#include <fstream>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace varve::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::varve::testing::StatusIs;

SearchRequest Defaults() {
  SearchRequest defaults;
  defaults.k = 5;
  defaults.params = {{"ef", 50}};
  defaults.ns = "n";
  return defaults;
}

void WriteFile(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

TEST(ParseRequest, TakesTheDefaultsForWhatItDoesNotSay) {
  ASSERT_OK_AND_ASSIGN(const Query query, ParseRequest(R"({"vector":[1,2]})", Defaults()));

  EXPECT_THAT(query.request.vector.floats(), ElementsAre(1, 2));
  EXPECT_EQ(query.request.k, 5);
  EXPECT_EQ(query.request.ns, "n");
  EXPECT_EQ(query.request.params, (ParamMap{{"ef", 50}}));
  EXPECT_EQ(query.id, "");
}

TEST(ParseRequest, ReadsEveryMember) {
  ASSERT_OK_AND_ASSIGN(
      const Query query,
      ParseRequest(R"({"id":[1,"a"],"vectors":{"f":[1]},"namespace":"m","k":3,"params":{"ef":64},"exact":true,)"
                   R"("score_threshold":-0.5})",
                   Defaults()));

  EXPECT_EQ(query.id, R"([1,"a"])");
  EXPECT_EQ(query.request.field, "f");
  EXPECT_EQ(query.request.ns, "m");
  EXPECT_EQ(query.request.k, 3);
  EXPECT_EQ(query.request.params, (ParamMap{{"ef", 64}}));
  EXPECT_TRUE(query.request.exact);
  EXPECT_EQ(query.request.score_threshold, -0.5F);
}

TEST(ParseRequest, ReadsFiltersInBothSpellings) {
  SearchRequest defaults = Defaults();
  defaults.filter = Filter::Exists({"y"});
  for (const char* filter : {R"("x = 1 OR y")", R"({"$or":[{"x":1},{"y":true}]})"}) {
    ASSERT_OK_AND_ASSIGN(const Query query,
                         ParseRequest(R"({"vector":[1],"filter":)" + std::string(filter) + "}", defaults));
    EXPECT_EQ(query.request.filter, Filter::Parse("x = 1 OR y").value());
  }
  ASSERT_OK_AND_ASSIGN(const Query unsaid, ParseRequest(R"({"vector":[1]})", defaults));
  EXPECT_EQ(unsaid.request.filter, defaults.filter);
  EXPECT_THAT(ParseRequest(R"({"vector":[1],"filter":"x ="})", defaults),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at offset 3")));
  EXPECT_THAT(ParseRequest(R"({"vector":[1],"filter":1})", defaults),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"filter\"")));
}

TEST(ParseRequest, RefusesWhatItDoesNotKnow) {
  for (const std::string line : {R"({})", R"({"vector":[1],"kk":3})", R"({"vector":[1],"k":"3"})", R"({"vector":"1"})",
                                 R"({"vector":[1],"params":{"ef":"high"}})", R"({"vectors":{}})", R"([1])"}) {
    EXPECT_EQ(ParseRequest(line, Defaults()).status().code(), absl::StatusCode::kInvalidArgument) << line;
  }
}

TEST(ParseRequest, NamesWhatIsNotBuilt) {
  for (const std::string name : {"sparse", "text", "fusion", "mmr", "group_by", "truncate_dim"}) {
    EXPECT_THAT(ParseRequest(R"({"vector":[1],")" + name + R"(":{}})", Defaults()),
                StatusIs(absl::StatusCode::kUnimplemented, HasSubstr(name)));
  }
  EXPECT_THAT(ParseRequest(R"({"vectors":{"a":[1],"b":[2]}})", Defaults()),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("several fields")));
}

TEST(ReadRequestLines, NamesFileAndLine) {
  const varve::testing::TempDir directory;
  const std::string path = directory / "queries.jsonl";
  WriteFile(path, "{\"vector\":[1]}\n\n{\"vector\":[1}\n");

  EXPECT_THAT(ReadRequestLines(path, Defaults(), 10),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("queries.jsonl: line 3")));
  ASSERT_OK_AND_ASSIGN(const std::vector<Query> first, ReadRequestLines(path, Defaults(), 1));
  EXPECT_EQ(first.size(), 1);
}

TEST(ReadMatrixQueries, GivesBytesWhereTheFieldHasThemAndFloatsElsewhere) {
  const varve::testing::TempDir directory;
  const std::string path = directory / "queries.u8bin";
  WriteFile(path, std::string("\x02\0\0\0\x02\0\0\0\x01\x02\x03\x04", 12));

  ASSERT_OK_AND_ASSIGN(
      const std::vector<Query> bytes,
      ReadMatrixQueries(path, MatrixFormat::kU8bin, Schema::SingleVector(2, Metric::kL2, ElementType::kU8), {}, 10));
  ASSERT_OK_AND_ASSIGN(const std::vector<Query> floats,
                       ReadMatrixQueries(path, MatrixFormat::kU8bin, Schema::SingleVector(2, Metric::kL2), {}, 1));
  ASSERT_OK_AND_ASSIGN(const std::vector<Query> bits,
                       ReadMatrixQueries(path, MatrixFormat::kU8bin,
                                         Schema::SingleVector(16, Metric::kHamming, ElementType::kBits), {}, 1));

  ASSERT_EQ(bytes.size(), 2);
  EXPECT_EQ(bytes[1].request.vector.bytes(), "\x03\x04");
  ASSERT_EQ(floats.size(), 1);
  EXPECT_THAT(floats[0].request.vector.floats(), ElementsAre(1, 2));
  EXPECT_EQ(bits[0].request.vector.element(), ElementType::kBits);
}

TEST(ReadMatrixQueries, NamesFileAndFieldWhoseDimensionsDiffer) {
  const varve::testing::TempDir directory;
  const std::string path = directory / "queries.u8bin";
  WriteFile(path, std::string("\x01\0\0\0\x02\0\0\0\x01\x02", 10));

  EXPECT_THAT(ReadMatrixQueries(path, MatrixFormat::kU8bin, Schema::SingleVector(3, Metric::kL2), {}, 10),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("queries.u8bin"), HasSubstr("dimension 2"), HasSubstr("\"vector\" has 3"))));
  SearchRequest unknown;
  unknown.field = "image";
  EXPECT_THAT(ReadMatrixQueries(path, MatrixFormat::kU8bin, Schema::SingleVector(2, Metric::kL2), unknown, 10),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"image\"")));
}

}  // namespace
}  // namespace varve::cli
