#include "index/field_index.h"

#include <string>

#include "index/index_fixture.h"
#include "index/index_registry.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using testing::StatusIs;

constexpr ParamSpec kSpecs[] = {
    {"width", 4, 1, 100, /*integral=*/true, /*of_search=*/false, "how wide"},
    {"slack", 0.5, 0, 1, /*integral=*/false, /*of_search=*/true, "how loose"},
};
const IndexTraits kTraits = {.type = IndexType::kScann, .name = "toy", .params = kSpecs};

TEST(ResolveParams, FillsInDefaults) {
  ASSERT_OK_AND_ASSIGN(const ParamMap params, ResolveParams(kTraits, {{"width", 7}}));
  EXPECT_EQ(params, (ParamMap{{"width", 7}, {"slack", 0.5}}));
}

TEST(ResolveParams, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(ResolveParams(kTraits, {{"height", 7}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("toy has no \"height\"")));
}

TEST(ResolveParams, RefusesValuesOutOfRange) {
  for (const double value : {0.0, 101.0, -1.0, std::nan(""), HUGE_VAL}) {
    EXPECT_THAT(ResolveParams(kTraits, {{"width", value}}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("expected 1 to 100")));
  }
}

TEST(ResolveParams, RefusesFractionsOfIntegers) {
  EXPECT_THAT(ResolveParams(kTraits, {{"width", 1.5}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("width = 1.5")));
  EXPECT_OK(ResolveParams(kTraits, {{"slack", 0.25}}));
}

TEST(SearchParam, PrefersTheSearchThenTheIndexThenTheFallback) {
  const ParamMap given = {{"ef", 10}}, stored = {{"ef", 20}, {"width", 3}};
  SearchParams search;
  EXPECT_EQ(SearchParam(search, stored, "ef", 30), 20);
  search.params = &given;
  EXPECT_EQ(SearchParam(search, stored, "ef", 30), 10);
  EXPECT_EQ(SearchParam(search, stored, "width", 30), 3);
  EXPECT_EQ(SearchParam(search, stored, "slack", 30), 30);
}

TEST(IndexRegistry, FindsEachOfItsTypes) {
  for (const FieldIndexFactory* factory : AllIndexFactories()) {
    ASSERT_OK_AND_ASSIGN(const FieldIndexFactory* found, FindIndexFactory(factory->traits().type));
    EXPECT_EQ(found, factory);
  }
}

TEST(IndexRegistry, NamesTypesThatAreNotBuilt) {
  EXPECT_THAT(FindIndexFactory(IndexType::kScann), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("SCANN")));
  EXPECT_THAT(FindIndexFactory(IndexType::kAuto), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("AUTO")));
}

TEST(IndexRegistry, ParamSpecsHoldTheirDefaults) {
  for (const FieldIndexFactory* factory : AllIndexFactories()) {
    EXPECT_OK(ResolveParams(factory->traits(), {}));
    for (const ParamSpec& spec : factory->traits().params) {
      EXPECT_OK(ResolveParams(factory->traits(), {{std::string(spec.name), spec.default_value}}));
      EXPECT_FALSE(spec.meaning.empty());
    }
  }
}

// A type of one's own needs nothing but the interface: this one answers with the row named in its section.
class FavouriteRowFactory final : public FieldIndexFactory {
 public:
  const IndexTraits& traits() const override { return kTraits; }
  Estimate EstimateBytes(uint64_t, const VectorShape&, const ParamMap&, int) const override { return {4, 0}; }
  absl::Status Build(const SlotSource& slots, const ParamMap&, const BuildContext&, SectionSink* sink) const override {
    const uint32_t favourite = slots.count() / 2;
    RETURN_IF_ERROR(sink->BeginSection(SectionKind::kCodes, {}));
    return sink->Append({reinterpret_cast<const std::byte*>(&favourite), sizeof(favourite)});
  }
  absl::StatusOr<std::unique_ptr<FieldIndexSearcher>> Open(const SectionSource& sections, const VectorShape&, uint32_t,
                                                           const ParamMap&) const override {
    return std::make_unique<Searcher>(sections.Find(SectionKind::kCodes));
  }
  void Verify(const SectionSource&, const VectorShape&, uint32_t, const ParamMap&, bool,
              std::vector<IndexDamage>*) const override {}
  std::string Dump(const SectionSource&, const VectorShape&, uint32_t, const ParamMap&) const override { return "{}"; }

 private:
  class Searcher final : public FieldIndexSearcher {
   public:
    explicit Searcher(SectionView view) : view_(view) {}
    absl::Status Search(absl::Span<const FieldQuery> queries, const SearchParams&, const SlotFilter&, SearchContext*,
                        absl::Span<TopK> best) const override {
      uint32_t favourite;
      std::memcpy(&favourite, view_.data(), sizeof(favourite));
      for (size_t q = 0; q < queries.size(); ++q) best[q].Offer(0, favourite);
      return absl::OkStatus();
    }

   private:
    SectionView view_;
  };
};

TEST(FieldIndexFactory, ATypeNeedsNothingButTheInterface) {
  const FavouriteRowFactory factory;
  testing::TestField field({.dimension = 3}, 9);
  ASSERT_OK(field.Build(factory));
  ASSERT_OK_AND_ASSIGN(const auto searcher, field.Open(factory));
  ASSERT_OK_AND_ASSIGN(const auto found, testing::SearchOne(*searcher, field.RandomQuery(1), 3, field.AllRows()));
  EXPECT_EQ(found, (std::vector<Neighbor>{{0, 4}}));
  EXPECT_THAT(factory.Merge({}, {}, {}, {}, &field.sections()),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("toy")));
}

}  // namespace
}  // namespace varve
