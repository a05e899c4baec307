// Merges that take over a graph: as good as built anew, sooner, whatever was dropped, and safe from what the file says.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "index/hnsw/hnsw_format.h"
#include "index/hnsw/hnsw_index.h"
#include "index/merge_fixture.h"

namespace varve::hnsw {
namespace {

using ::testing::HasSubstr;
using varve::testing::ClusteredVectors;
using varve::testing::MeanRecall;
using varve::testing::MergeCase;
using varve::testing::StatusIs;
using varve::testing::TestField;
using varve::testing::Truth;

constexpr VectorShape kReuseShape = {.dimension = 16, .metric = Metric::kL2, .element = ElementType::kF32};
// Fresh graphs are built by insertion, beside which taking over pays from a fifth of the vectors on.
const ParamMap kParams = {{"ef_construction", 100}, {"partitions", -1}};

void ExpectSound(const TestField& field) {
  for (const IndexDamage& damage : field.Verify(HnswIndexFactory(), /*deep=*/true)) ADD_FAILURE() << damage.what;
}

// The nodes that a build or merge inserts.
BuildContext CountingInsertions(uint64_t* inserted) {
  BuildContext context;
  context.seed = 3;
  context.progress = [inserted, first = uint64_t{0}, started = false](uint64_t done, uint64_t) mutable {
    if (!started) first = done;
    started = true;
    *inserted = done - first;
  };
  return context;
}

class ReusedGraph : public ::testing::Test {
 protected:
  void ExpectAsGoodAsFresh(MergeCase* merge, const std::vector<std::vector<std::byte>>& queries) {
    ASSERT_OK(merge->BuildInputs(kParams));
    ASSERT_OK(merge->Merge(kParams, {.seed = 3}));
    ASSERT_OK(merge->BuildFresh(kParams, {.seed = 3}));
    ExpectSound(merge->merged());
    const Truth truth(merge->fresh(), queries);
    for (const double ef : {10.0, 20.0, 40.0}) {
      const double merged = MeanRecall(factory_, merge->merged(), truth, {{"ef", ef}});
      const double fresh = MeanRecall(factory_, merge->fresh(), truth, {{"ef", ef}});
      EXPECT_GE(merged, fresh - 0.005) << "ef " << ef;
    }
  }

  const HnswIndexFactory factory_;
};

struct SplitAndDrop {
  uint64_t percent;
  uint64_t drop_percent;
};

class ReusedGraphOf : public ReusedGraph, public ::testing::WithParamInterface<SplitAndDrop> {};

TEST_P(ReusedGraphOf, FindsAsMuchAsAFreshOne) {
  const auto vectors = ClusteredVectors(kReuseShape, 6000, 0, 40, 1);
  auto merge = MergeCase::Split(factory_, kReuseShape, vectors, GetParam().percent, GetParam().drop_percent);
  ExpectAsGoodAsFresh(&merge, ClusteredVectors(kReuseShape, 400, 0, 40, 2));
}

INSTANTIATE_TEST_SUITE_P(Every, ReusedGraphOf,
                         ::testing::Values(SplitAndDrop{90, 0}, SplitAndDrop{90, 10}, SplitAndDrop{90, 30},
                                           SplitAndDrop{70, 0}, SplitAndDrop{70, 10}, SplitAndDrop{70, 30}),
                         [](const auto& parameter) {
                           return "Split" + std::to_string(parameter.param.percent) + "Drop" +
                                  std::to_string(parameter.param.drop_percent);
                         });

TEST_F(ReusedGraph, TakesInClustersThatItHasNeverSeen) {
  auto vectors = ClusteredVectors(kReuseShape, 4000, 0, 20, 1);
  std::vector<uint32_t> owners(vectors.size(), 0);
  for (auto& vector : ClusteredVectors(kReuseShape, 2000, 21, 30, 2)) vectors.push_back(std::move(vector));
  owners.resize(vectors.size(), 1);
  MergeCase merge(factory_, kReuseShape, vectors, owners, std::vector<bool>(vectors.size()));
  ExpectAsGoodAsFresh(&merge, ClusteredVectors(kReuseShape, 400, 21, 30, 3));
}

TEST_F(ReusedGraph, ClosesOverWholeRegionsThatWereDropped) {
  // One cluster in four is gone, whole: its neighbours' rows lead nowhere.
  std::vector<std::vector<std::byte>> vectors;
  std::vector<bool> dropped;
  for (uint32_t cluster = 0; cluster < 20; ++cluster) {
    for (auto& vector : ClusteredVectors(kReuseShape, 250, cluster, cluster, cluster))
      vectors.push_back(std::move(vector));
    dropped.resize(vectors.size(), cluster % 4 == 0);
  }
  std::vector<uint32_t> owners(vectors.size(), 0);
  for (size_t i = 0; i < owners.size(); i += 10) owners[i] = 1;
  MergeCase merge(factory_, kReuseShape, vectors, owners, dropped);
  ExpectAsGoodAsFresh(&merge, ClusteredVectors(kReuseShape, 1000, 0, 19, 99));
}

TEST_F(ReusedGraph, StaysGoodOverManyMerges) {
  const auto vectors = ClusteredVectors(kReuseShape, 5000, 0, 30, 1);
  Random random(1);
  std::vector<std::vector<std::byte>> now(vectors.begin(), vectors.begin() + 2500);
  auto field = std::make_unique<TestField>(kReuseShape, now);
  ASSERT_OK(field->Build(factory_, kParams));
  for (size_t round = 0; round < 10; ++round) {
    std::vector<SlotId> map;
    std::vector<std::vector<std::byte>> next;
    for (const auto& vector : now) {
      const bool kept = random.Below(10) != 0;
      map.push_back(kept ? static_cast<SlotId>(next.size()) : kNoSlot);
      if (kept) next.push_back(vector);
    }
    next.insert(next.end(), vectors.begin() + static_cast<ptrdiff_t>(2500 + 250 * round),
                vectors.begin() + static_cast<ptrdiff_t>(2750 + 250 * round));
    auto merged = std::make_unique<TestField>(kReuseShape, next);
    const MergeInput input = field->AsInput(factory_, map);
    ASSERT_OK(merged->Merge(factory_, {&input, 1}, kParams));
    field = std::move(merged);
    now = std::move(next);
  }
  ExpectSound(*field);
  TestField fresh(kReuseShape, std::move(now));
  ASSERT_OK(fresh.Build(factory_, kParams));
  const Truth truth(fresh, ClusteredVectors(kReuseShape, 400, 0, 30, 2));
  for (const double ef : {10.0, 20.0, 40.0}) {
    EXPECT_GE(MeanRecall(factory_, *field, truth, {{"ef", ef}}),
              MeanRecall(factory_, fresh, truth, {{"ef", ef}}) - 0.005);
  }
}

TEST_F(ReusedGraph, EqualVectorsStayReachable) {
  std::vector<std::vector<std::byte>> vectors;
  Random random(1);
  for (int clump = 0; clump < 30; ++clump)
    vectors.insert(vectors.end(), 50, varve::testing::RandomVector(&random, kReuseShape));
  auto merge = MergeCase::Split(factory_, kReuseShape, vectors, 80, 30);
  const ParamMap narrow = {{"m", 4}, {"ef_construction", 16}};
  ASSERT_OK(merge.BuildInputs(narrow));
  ASSERT_OK(merge.Merge(narrow));
  ExpectSound(merge.merged());
}

TEST_F(ReusedGraph, InsertsOnlyWhatIsNew) {
  const auto vectors = ClusteredVectors(kReuseShape, 3000, 0, 20, 1);
  auto merge = MergeCase::Split(factory_, kReuseShape, vectors, 90, 0);
  ASSERT_OK(merge.BuildInputs(kParams));
  uint64_t inserted = 0;
  ASSERT_OK(merge.Merge(kParams, CountingInsertions(&inserted)));
  EXPECT_LE(inserted, merge.input(1).count());
}

TEST_F(ReusedGraph, IsBuiltAnewWhereNoInputHasEnoughOrFits) {
  const auto vectors = ClusteredVectors(kReuseShape, 3000, 0, 20, 1);
  const auto expect_fresh = [&](MergeCase* merge) {
    ASSERT_OK(merge->Merge(kParams, {.seed = 3}));
    ASSERT_OK(merge->BuildFresh(kParams, {.seed = 3}));
    for (const SectionKind kind : {SectionKind::kGraph, SectionKind::kGraphLevels}) {
      EXPECT_TRUE(merge->merged().sections().Find(kind).bytes() == merge->fresh().sections().Find(kind).bytes());
    }
  };
  std::vector<uint32_t> owners;
  for (uint32_t i = 0; i < vectors.size(); ++i) owners.push_back(i % 10);
  MergeCase many(factory_, kReuseShape, vectors, owners, std::vector<bool>(vectors.size()));
  ASSERT_OK(many.BuildInputs(kParams));
  expect_fresh(&many);
  auto other_m = MergeCase::Split(factory_, kReuseShape, vectors, 90, 0);
  ASSERT_OK(other_m.BuildInputs({{"m", 8}, {"ef_construction", 100}}));
  expect_fresh(&other_m);
  auto cheaper = MergeCase::Split(factory_, kReuseShape, vectors, 90, 0);
  ASSERT_OK(cheaper.BuildInputs({{"ef_construction", 50}}));
  expect_fresh(&cheaper);
}

TEST_F(ReusedGraph, IsTakenOverBesidePartitionsOnlyWhereItIsNearlyAll) {
  const ParamMap params = {{"ef_construction", 100}};
  const auto vectors = ClusteredVectors(kReuseShape, 6000, 0, 20, 1);
  const auto queries = ClusteredVectors(kReuseShape, 400, 0, 20, 2);
  struct Case {
    SplitAndDrop inputs;
    bool reused;
  };
  for (const Case& c : {Case{{95, 0}, true}, Case{{95, 3}, true}, Case{{80, 0}, false}, Case{{95, 10}, false}}) {
    auto merge = MergeCase::Split(factory_, kReuseShape, vectors, c.inputs.percent, c.inputs.drop_percent);
    ASSERT_OK(merge.BuildInputs(params));
    ASSERT_OK(merge.Merge(params, {.seed = 3}));
    ASSERT_OK(merge.BuildFresh(params, {.seed = 3}));
    ExpectSound(merge.merged());
    EXPECT_NE(merge.merged().sections().Find(SectionKind::kGraph).bytes() ==
                  merge.fresh().sections().Find(SectionKind::kGraph).bytes(),
              c.reused)
        << c.inputs.percent << ", " << c.inputs.drop_percent;
    const Truth truth(merge.fresh(), queries);
    EXPECT_GE(MeanRecall(factory_, merge.merged(), truth, {{"ef", 20}}),
              MeanRecall(factory_, merge.fresh(), truth, {{"ef", 20}}) - 0.005);
  }
}

TEST_F(ReusedGraph, IsEmptyWhereNothingIsLeft) {
  const auto vectors = ClusteredVectors(kReuseShape, 100, 0, 2, 1);
  auto merge = MergeCase::Split(factory_, kReuseShape, vectors, 100, 100);
  ASSERT_OK(merge.BuildInputs(kParams));
  ASSERT_OK(merge.Merge(kParams));
  ExpectSound(merge.merged());
}

TEST_F(ReusedGraph, MayGrowAboveItsHighestLevel) {
  // With few old vectors and many seeds some merge draws a higher level for a new one.
  const auto vectors = ClusteredVectors(kReuseShape, 300, 0, 4, 1);
  const ParamMap narrow = {{"m", 4}, {"ef_construction", 32}};
  for (uint64_t seed = 0; seed < 20; ++seed) {
    auto merge = MergeCase::Split(factory_, kReuseShape, vectors, 30, 0);
    ASSERT_OK(merge.BuildInputs(narrow, {.seed = 7}));
    ASSERT_OK(merge.Merge(narrow, {.seed = seed}));
    ExpectSound(merge.merged());
  }
}

TEST_F(ReusedGraph, DoesNotDependOnThreads) {
  const auto vectors = ClusteredVectors(kReuseShape, 4000, 0, 20, 1);
  auto one = MergeCase::Split(factory_, kReuseShape, vectors, 70, 20);
  auto three = MergeCase::Split(factory_, kReuseShape, vectors, 70, 20);
  ASSERT_OK(one.BuildInputs(kParams));
  ASSERT_OK(three.BuildInputs(kParams));
  ASSERT_OK(one.Merge(kParams, {.threads = 1, .seed = 9}));
  ASSERT_OK(three.Merge(kParams, {.threads = 3, .seed = 9}));
  for (const SectionKind kind : {SectionKind::kGraph, SectionKind::kGraphLevels}) {
    EXPECT_TRUE(one.merged().sections().Find(kind).bytes() == three.merged().sections().Find(kind).bytes());
  }
}

TEST_F(ReusedGraph, ReportsProgressAndStopsWhenCancelled) {
  const auto vectors = ClusteredVectors(kReuseShape, 3000, 0, 20, 1);
  auto merge = MergeCase::Split(factory_, kReuseShape, vectors, 60, 0);
  ASSERT_OK(merge.BuildInputs(kParams));
  Cancellation cancellation;
  uint64_t last = 0;
  BuildContext context;
  context.cancellation = &cancellation;
  context.progress = [&](uint64_t done, uint64_t of) {
    EXPECT_EQ(of, 3000);
    EXPECT_GE(done, last);
    last = done;
    if (done > 2200) cancellation.Cancel();
  };
  EXPECT_THAT(merge.Merge(kParams, context), StatusIs(absl::StatusCode::kCancelled, HasSubstr("HNSW")));
  EXPECT_LT(last, 2600);
  EXPECT_GT(last, 1700);  // what was taken over counts as done
}

class HostileInput : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(merge_.BuildInputs(narrow_)); }
  uint32_t* Words(SectionKind kind) {
    return reinterpret_cast<uint32_t*>(merge_.input(0).sections().MutableBytes(kind).data());
  }
  void ExpectDataLoss(const std::string& section, const std::string& what) {
    const absl::Status status = merge_.Merge(narrow_);
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss, HasSubstr(section)));
    EXPECT_THAT(std::string(status.message()), HasSubstr(what));
  }

  static constexpr uint32_t kRowWidth = 8;
  const ParamMap narrow_ = {{"m", 4}, {"ef_construction", 20}, {"partitions", -1}};
  const HnswIndexFactory factory_;
  MergeCase merge_ = MergeCase::Split(factory_, kReuseShape, ClusteredVectors(kReuseShape, 400, 0, 8, 1), 80, 20);
};

TEST_F(HostileInput, NeighboursThatAreNoSlotsAreDamage) {
  Words(SectionKind::kGraph)[7 * kRowWidth] = 0x12345678;
  ExpectDataLoss("GRAPH: ", "slot 7 has neighbour 305419896");
}

TEST_F(HostileInput, RepeatedMembersAreDamage) {
  uint32_t* words = Words(SectionKind::kGraphLevels);
  words[kHeaderBytes / 4 + 1] = words[kHeaderBytes / 4];
  ExpectDataLoss("GRAPH_LEVELS: ", "twice");
}

TEST_F(HostileInput, MissingAndShortSectionsAreDamage) {
  merge_.input(0).sections().Resize(SectionKind::kGraph, 100);
  ExpectDataLoss("GRAPH: ", "section has 100 bytes");
  merge_.input(0).sections().Remove(SectionKind::kGraph);
  ExpectDataLoss("GRAPH", "no section");
}

TEST_F(HostileInput, ParamsThatAreNoNumbersOfUseAreNotFollowed) {
  for (const double number : {std::numeric_limits<double>::quiet_NaN(), -1.0, 1e300, 4.5}) {
    for (const char* name : {"m", "ef_construction"}) {
      std::vector<MergeInput> inputs = merge_.Inputs();
      inputs[0].params[name] = number;
      ASSERT_OK(merge_.merged().Merge(factory_, inputs, narrow_));
      ExpectSound(merge_.merged());
    }
  }
}

TEST_F(HostileInput, RandomBytesGiveASoundGraphOrDamage) {
  Random random(5);
  for (const SectionKind kind : {SectionKind::kGraph, SectionKind::kGraphLevels}) {
    for (int round = 0; round < 300; ++round) {
      const absl::Span<std::byte> bytes = merge_.input(0).sections().MutableBytes(kind);
      const std::vector<std::byte> saved(bytes.begin(), bytes.end());
      if (random.Below(2) == 0) {
        // A number that may be valid where it stands.
        const auto value = static_cast<uint32_t>(random.Below(random.Below(2) == 0 ? 330 : 30));
        std::memcpy(&bytes[random.Below(bytes.size() / 4) * 4], &value, sizeof(value));
      } else {
        const auto at = static_cast<size_t>(random.Below(bytes.size()));
        const size_t length = std::min<size_t>(bytes.size() - at, size_t{1} << random.Below(10));
        for (size_t i = 0; i < length; ++i) bytes[at + i] = static_cast<std::byte>(random.Next());
      }
      const absl::Status status = merge_.Merge(narrow_);
      if (status.ok()) {
        ExpectSound(merge_.merged());
      } else {
        ASSERT_TRUE(absl::IsDataLoss(status) || absl::IsUnimplemented(status)) << status;
      }
      std::copy(saved.begin(), saved.end(), bytes.begin());
    }
  }
}

}  // namespace
}  // namespace varve::hnsw
