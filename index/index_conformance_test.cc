// What every index type must do, whatever it is inside: run for all registered types over all metrics and element types
// that they take. A new type is finished when it passes.
#include <set>
#include <string>
#include <vector>

#include "index/index_fixture.h"
#include "index/merge_fixture.h"

namespace varve {
namespace {

using testing::Query;
using testing::Recall;
using testing::SearchOne;
using testing::StatusIs;
using testing::TestField;

struct Case {
  const FieldIndexFactory* factory;
  Metric metric;
  ElementType element;
};

std::vector<Case> AllCases() {
  std::vector<Case> cases;
  for (const FieldIndexFactory* factory : testing::DenseFactories()) {
    for (const Metric metric : factory->traits().metrics) {
      for (const ElementType element : factory->traits().elements) {
        if (GetDistanceFunction(metric, element) != nullptr) cases.push_back({factory, metric, element});
      }
    }
  }
  return cases;
}

std::string CaseName(const ::testing::TestParamInfo<Case>& info) {
  return std::string(info.param.factory->traits().name) + std::string(MetricName(info.param.metric)) +
         std::string(ElementTypeName(info.param.element));
}

constexpr uint32_t kCount = 700;

class IndexConformance : public ::testing::TestWithParam<Case> {
 protected:
  IndexConformance() {
    // So that a graph is searched rather than all rows compared, and built quickly.
    for (const ParamSpec& spec : factory().traits().params) {
      if (spec.name == "ef") few_["ef"] = 12;
      if (spec.name == "ef_construction") cheap_["ef_construction"] = 40;
    }
  }

  const FieldIndexFactory& factory() const { return *GetParam().factory; }
  VectorShape Shape(uint32_t dimension) const {
    return {.dimension = dimension, .metric = GetParam().metric, .element = GetParam().element};
  }
  SearchParams Approximate() const { return {.params = &few_}; }
  static SearchParams Exact() {
    SearchParams params;
    params.exact = true;
    return params;
  }

  std::unique_ptr<FieldIndexSearcher> BuildAndOpen(TestField* field) {
    EXPECT_OK(field->Build(factory(), cheap_));
    auto searcher = field->Open(factory());
    EXPECT_OK(searcher);
    return std::move(searcher).value();
  }

  ParamMap cheap_;

 private:
  ParamMap few_;
};

TEST_P(IndexConformance, AnEmptyFieldIsSearchedInVain) {
  TestField field(Shape(9), 0);
  const auto searcher = BuildAndOpen(&field);
  ASSERT_OK_AND_ASSIGN(const auto found, SearchOne(*searcher, field.RandomQuery(1), 10, field.AllRows()));
  EXPECT_TRUE(found.empty());
  EXPECT_TRUE(field.Verify(factory(), /*deep=*/true).empty());
}

TEST_P(IndexConformance, OneRowIsFoundAtItsDistance) {
  TestField field(Shape(9), 1);
  const auto searcher = BuildAndOpen(&field);
  const Query query = field.RandomQuery(1);
  ASSERT_OK_AND_ASSIGN(const auto found, SearchOne(*searcher, query, 10, field.AllRows(), Approximate()));
  EXPECT_EQ(found, field.Nearest(query, 10, field.AllRows()));
}

TEST_P(IndexConformance, ExactSearchesFindTheNearestInAllDimensions) {
  for (const uint32_t dimension : {1u, 2u, 7u, 16u, 33u, 100u}) {
    TestField field(Shape(dimension), 300);
    const auto searcher = BuildAndOpen(&field);
    const Query query = field.RandomQuery(dimension);
    ASSERT_OK_AND_ASSIGN(const auto found, SearchOne(*searcher, query, 20, field.AllRows(), Exact()));
    EXPECT_EQ(found, field.Nearest(query, 20, field.AllRows())) << dimension;
  }
}

TEST_P(IndexConformance, ApproximateSearchesFindMostAndReportTrueDistances) {
  TestField field(Shape(12), kCount);
  const auto searcher = BuildAndOpen(&field);
  double recall = 0;
  constexpr int kQueries = 20;
  for (int q = 0; q < kQueries; ++q) {
    const Query query = field.RandomQuery(100 + static_cast<uint64_t>(q));
    ASSERT_OK_AND_ASSIGN(const auto found, SearchOne(*searcher, query, 5, field.AllRows(), Approximate()));
    ASSERT_EQ(found.size(), 5);
    for (const Neighbor& neighbor : found) ASSERT_EQ(neighbor.distance, field.Distance(query, neighbor.id));
    recall += Recall(found, field.Nearest(query, 5, field.AllRows())) / kQueries;
  }
  EXPECT_GT(recall, 0.7);
}

TEST_P(IndexConformance, SeveralQueriesAtOnceAnswerAsOneByOne) {
  TestField field(Shape(12), kCount);
  const auto searcher = BuildAndOpen(&field);
  for (const SearchParams& params : {Exact(), Approximate()}) {
    std::vector<Query> queries;
    std::vector<FieldQuery> field_queries;
    for (uint64_t q = 0; q < 7; ++q) queries.push_back(field.RandomQuery(q));
    for (const Query& query : queries) field_queries.push_back(query.field_query());
    std::vector<TopK> best(queries.size(), TopK(10));
    SearchContext context;
    ASSERT_OK(searcher->Search(field_queries, params, field.AllRows(), &context, absl::MakeSpan(best)));
    for (size_t q = 0; q < queries.size(); ++q) {
      ASSERT_OK_AND_ASSIGN(const auto alone, SearchOne(*searcher, queries[q], 10, field.AllRows(), params));
      EXPECT_EQ(best[q].TakeSorted(), alone);
    }
  }
}

TEST_P(IndexConformance, EqualVectorsAreAllFound) {
  Random random(1);
  const VectorShape shape = Shape(12);
  const std::vector<std::byte> same = testing::RandomVector(&random, shape);
  std::vector<std::vector<std::byte>> vectors(kCount, same);
  vectors.push_back(testing::RandomVector(&random, shape));
  TestField field(shape, std::move(vectors));
  const auto searcher = BuildAndOpen(&field);
  ASSERT_OK_AND_ASSIGN(const auto found,
                       SearchOne(*searcher, field.MakeQuery(same), 12, field.AllRows(), Approximate()));
  std::set<RowId> rows;
  for (const Neighbor& neighbor : found) rows.insert(neighbor.id);
  EXPECT_EQ(rows.size(), 12);
  EXPECT_TRUE(field.Verify(factory(), /*deep=*/true).empty());
}

TEST_P(IndexConformance, AllRowsAreFoundWhereKIsLarger) {
  TestField field(Shape(12), kCount);
  const auto searcher = BuildAndOpen(&field);
  const Query query = field.RandomQuery(1);
  ASSERT_OK_AND_ASSIGN(const auto found, SearchOne(*searcher, query, kCount + 100, field.AllRows(), Approximate()));
  EXPECT_EQ(found, field.Nearest(query, kCount + 100, field.AllRows()));
}

TEST_P(IndexConformance, RowsBeyondTheRadiusAreNotOffered) {
  TestField field(Shape(12), kCount);
  const auto searcher = BuildAndOpen(&field);
  const Query query = field.RandomQuery(1);
  const auto nearest = field.Nearest(query, 10, field.AllRows());
  for (SearchParams params : {Exact(), Approximate()}) {
    params.radius = nearest[4].distance;
    ASSERT_OK_AND_ASSIGN(const auto found, SearchOne(*searcher, query, 10, field.AllRows(), params));
    for (const Neighbor& neighbor : found) EXPECT_LE(neighbor.distance, params.radius);
    if (params.exact) {
      EXPECT_GE(found.size(), 5);
    }
  }
}

TEST_P(IndexConformance, OffersJoinWhatTheCallerHasAlready) {
  TestField field(Shape(12), kCount);
  const auto searcher = BuildAndOpen(&field);
  const FieldQuery query = field.RandomQuery(1).field_query();
  const Query kept = field.RandomQuery(1);
  FieldQuery field_query = query;
  field_query.dense = kept.bytes.data();
  TopK best(10);
  best.Offer(-std::numeric_limits<float>::infinity(), 123'456);  // a row of another part
  SearchContext context;
  ASSERT_OK(searcher->Search({&field_query, 1}, Approximate(), field.AllRows(), &context, {&best, 1}));
  EXPECT_EQ(best.TakeSorted().front().id, 123'456);
}

TEST_P(IndexConformance, TheBuildDependsOnInputParamsAndSeedAlone) {
  TestField once(Shape(12), kCount), again(Shape(12), kCount), other_seed(Shape(12), kCount);
  ASSERT_OK(once.Build(factory(), cheap_, {.threads = 1, .seed = 5}));
  ASSERT_OK(again.Build(factory(), cheap_, {.threads = 1, .seed = 5}));
  ASSERT_OK(other_seed.Build(factory(), cheap_, {.threads = 1, .seed = 6}));
  for (uint16_t kind = 1; kind <= 21; ++kind) {
    const SectionView a = once.sections().Find(static_cast<SectionKind>(kind));
    const SectionView b = again.sections().Find(static_cast<SectionKind>(kind));
    ASSERT_EQ(a.present(), b.present());
    EXPECT_EQ(a.bytes(), b.bytes()) << SectionKindName(a.kind());
  }
}

TEST_P(IndexConformance, ReopenedIndexesAnswerWithTheSameBits) {
  TestField field(Shape(12), kCount);
  const auto searcher = BuildAndOpen(&field);
  ASSERT_OK_AND_ASSIGN(const auto reopened, field.Open(factory()));
  for (uint64_t q = 0; q < 5; ++q) {
    const Query query = field.RandomQuery(q);
    ASSERT_OK_AND_ASSIGN(const auto first, SearchOne(*searcher, query, 10, field.AllRows(), Approximate()));
    ASSERT_OK_AND_ASSIGN(const auto second, SearchOne(*reopened, query, 10, field.AllRows(), Approximate()));
    EXPECT_EQ(first, second);
  }
}

TEST_P(IndexConformance, WorkIsCounted) {
  TestField field(Shape(12), kCount);
  const auto searcher = BuildAndOpen(&field);
  SearchContext context;
  ASSERT_OK(SearchOne(*searcher, field.RandomQuery(1), 10, field.AllRows(), Exact(), &context));
  EXPECT_EQ(context.work.distances, kCount);
  ASSERT_OK(SearchOne(*searcher, field.RandomQuery(1), 10, field.AllRows(), Approximate(), &context));
  EXPECT_GT(context.work.distances, kCount + 10);
}

TEST_P(IndexConformance, VectorsWithoutDirectionOrValueAreFoundLast) {
  const VectorShape shape = Shape(12);
  Random random(1);
  std::vector<std::vector<std::byte>> vectors(kCount);
  for (auto& vector : vectors) vector = testing::RandomVector(&random, shape);
  vectors[17].assign(shape.bytes(), std::byte{0});
  vectors[18].assign(shape.bytes(), std::byte{0xFF});  // NaN where the element type has one
  TestField field(shape, std::move(vectors));
  const auto searcher = BuildAndOpen(&field);
  for (const SearchParams& params : {Exact(), Approximate()}) {
    ASSERT_OK_AND_ASSIGN(const auto found, SearchOne(*searcher, field.RandomQuery(1), kCount, field.AllRows(), params));
    EXPECT_EQ(found.size(), kCount);
  }
  const Query zero = field.MakeQuery(field.vector(17));
  const Query undefined = field.MakeQuery(field.vector(18));
  for (const Query& query : {zero, undefined}) {
    ASSERT_OK_AND_ASSIGN(const auto found, SearchOne(*searcher, query, 10, field.AllRows(), Approximate()));
    EXPECT_EQ(found.size(), 10);
  }
}

TEST_P(IndexConformance, CancelledWorkEnds) {
  TestField field(Shape(12), kCount);
  const auto searcher = BuildAndOpen(&field);
  Cancellation cancellation;
  cancellation.Cancel();
  SearchContext context;
  context.cancellation = &cancellation;
  for (const SearchParams& params : {Exact(), Approximate()}) {
    const auto found = SearchOne(*searcher, field.RandomQuery(1), 10, field.AllRows(), params, &context);
    EXPECT_THAT(found, StatusIs(absl::StatusCode::kCancelled, ::testing::_));
  }
}

TEST_P(IndexConformance, QueriesOfAnotherKindAreRefused) {
  TestField field(Shape(12), 10);
  const auto searcher = BuildAndOpen(&field);
  const FieldQuery sparse;
  TopK best(10);
  SearchContext context;
  EXPECT_THAT(searcher->Search({&sparse, 1}, {}, field.AllRows(), &context, {&best, 1}),
              StatusIs(absl::StatusCode::kInvalidArgument, ::testing::_));
}

TEST_P(IndexConformance, AFreshIndexIsFoundSoundAndDescribed) {
  TestField field(Shape(12), kCount);
  BuildAndOpen(&field);
  EXPECT_TRUE(field.Verify(factory(), /*deep=*/true).empty());
  const std::string dump = field.Dump(factory());
  EXPECT_EQ(dump.front(), '{');
  EXPECT_NE(dump.find("\"slots\":700"), std::string::npos) << dump;
}

TEST_P(IndexConformance, AMergedIndexIsSoundAndFindsWhatABuiltOneDoes) {
  if (!factory().traits().can_merge) GTEST_SKIP();
  TestField source(Shape(12), kCount);
  std::vector<std::vector<std::byte>> vectors;
  for (SlotId slot = 0; slot < kCount; ++slot) vectors.push_back(source.vector(slot));
  auto merge = testing::MergeCase::Split(factory(), Shape(12), vectors, 70, 10);
  ASSERT_OK(merge.BuildInputs(cheap_));
  ASSERT_OK(merge.Merge(cheap_));
  TestField& field = merge.merged();
  for (const IndexDamage& damage : field.Verify(factory(), /*deep=*/true)) ADD_FAILURE() << damage.what;
  ASSERT_OK_AND_ASSIGN(const auto searcher, field.Open(factory()));
  double recall = 0;
  constexpr int kQueries = 20;
  for (int q = 0; q < kQueries; ++q) {
    const Query query = field.RandomQuery(100 + static_cast<uint64_t>(q));
    const auto truth = field.Nearest(query, 5, field.AllRows());
    ASSERT_OK_AND_ASSIGN(const auto exact, SearchOne(*searcher, query, 5, field.AllRows(), Exact()));
    EXPECT_EQ(exact, truth);
    ASSERT_OK_AND_ASSIGN(const auto found, SearchOne(*searcher, query, 5, field.AllRows(), Approximate()));
    ASSERT_EQ(found.size(), 5);
    recall += Recall(found, truth) / kQueries;
  }
  EXPECT_GT(recall, 0.7);
}

TEST_P(IndexConformance, TheMergeDependsOnInputsParamsAndSeedAlone) {
  if (!factory().traits().can_merge) GTEST_SKIP();
  TestField source(Shape(12), kCount);
  std::vector<std::vector<std::byte>> vectors;
  for (SlotId slot = 0; slot < kCount; ++slot) vectors.push_back(source.vector(slot));
  auto once = testing::MergeCase::Split(factory(), Shape(12), vectors, 80, 20);
  auto again = testing::MergeCase::Split(factory(), Shape(12), vectors, 80, 20);
  for (auto* merge : {&once, &again}) {
    ASSERT_OK(merge->BuildInputs(cheap_));
    ASSERT_OK(merge->Merge(cheap_, {.threads = 1, .seed = 5}));
  }
  for (uint16_t kind = 1; kind <= 21; ++kind) {
    const SectionView a = once.merged().sections().Find(static_cast<SectionKind>(kind));
    const SectionView b = again.merged().sections().Find(static_cast<SectionKind>(kind));
    ASSERT_EQ(a.present(), b.present());
    EXPECT_EQ(a.bytes(), b.bytes()) << SectionKindName(a.kind());
  }
}

TEST_P(IndexConformance, MergesRefuseMapsThatLeadAstray) {
  if (!factory().traits().can_merge) GTEST_SKIP();
  TestField input(Shape(12), 30), output(Shape(12), 30);
  ASSERT_OK(input.Build(factory(), cheap_));
  std::vector<SlotId> map(30);
  for (SlotId slot = 0; slot < 30; ++slot) map[slot] = slot;
  const auto merge = [&] {
    const MergeInput merged = input.AsInput(factory(), map);
    return output.Merge(factory(), {&merged, 1}, cheap_);
  };
  EXPECT_OK(merge());
  map[7] = 30;
  EXPECT_THAT(merge(), StatusIs(absl::StatusCode::kInvalidArgument, ::testing::HasSubstr("slot 30 of 30")));
  map[7] = 8;
  EXPECT_THAT(merge(), StatusIs(absl::StatusCode::kInvalidArgument, ::testing::HasSubstr("slot 8 twice")));
  map.pop_back();
  EXPECT_THAT(merge(), StatusIs(absl::StatusCode::kInvalidArgument, ::testing::HasSubstr("30 slots has a map of 29")));
}

INSTANTIATE_TEST_SUITE_P(Every, IndexConformance, ::testing::ValuesIn(AllCases()), CaseName);

}  // namespace
}  // namespace varve
