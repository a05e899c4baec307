// The graph itself: its parts, how it is built, what Verify finds, and the plans of its searches. What all index types
// have in common is in index_conformance_test.cc.
#include <algorithm>
#include <set>
#include <vector>

#include "index/hnsw/candidate_pool.h"
#include "index/hnsw/graph_builder.h"
#include "index/hnsw/hnsw_format.h"
#include "index/hnsw/hnsw_index.h"
#include "index/hnsw/hnsw_searcher.h"
#include "index/hnsw/insertion_order.h"
#include "index/hnsw/neighbor_selection.h"
#include "index/hnsw/visited_set.h"
#include "index/index_fixture.h"

namespace varve::hnsw {
namespace {

using ::testing::HasSubstr;
using varve::testing::Query;
using varve::testing::Recall;
using varve::testing::SearchOne;
using varve::testing::StatusIs;
using varve::testing::TestField;

constexpr VectorShape kShape = {.dimension = 16, .metric = Metric::kL2, .element = ElementType::kF32};

TEST(OrderedBits, KeepTheOrderOfFloats) {
  const std::vector<float> ascending = {
      -std::numeric_limits<float>::infinity(), -1e30f, -1, -1e-40f, 0, 1e-40f, 1, 2, std::numeric_limits<float>::max(),
      std::numeric_limits<float>::infinity()};
  for (size_t i = 0; i < ascending.size(); ++i) {
    EXPECT_EQ(FromOrderedBits(OrderedBits(ascending[i])), ascending[i]);
    if (i > 0) {
      EXPECT_LT(OrderedBits(ascending[i - 1]), OrderedBits(ascending[i]));
    }
  }
  EXPECT_EQ(OrderedBits(-0.0f), OrderedBits(0.0f));
}

TEST(CandidatePool, KeepsTheNearestAndGivesEachOutOnce) {
  Random random(1);
  for (const size_t capacity : {size_t{1}, size_t{2}, size_t{7}, size_t{64}}) {
    CandidatePool pool;
    pool.Reset(capacity);
    std::vector<Candidate> all;
    std::set<uint32_t> popped;
    for (uint32_t node = 0; node < 500; ++node) {
      const float distance = static_cast<float>(random.Below(100));  // many ties
      if (distance < pool.bound()) {
        pool.Insert(distance, node);
        all.push_back({distance, node});
      }
      if (random.Below(4) == 0 && pool.HasNext()) {
        const uint32_t expected = pool.next_node();
        EXPECT_EQ(pool.Pop(), expected);
        EXPECT_TRUE(popped.insert(expected).second);
      }
    }
    std::sort(all.begin(), all.end());
    ASSERT_EQ(pool.size(), capacity);
    for (size_t i = 0; i < capacity; ++i) EXPECT_EQ(pool.distance(i), all[i].distance);
    while (pool.HasNext()) EXPECT_TRUE(popped.insert(pool.Pop()).second);
    for (size_t i = 0; i < capacity; ++i) EXPECT_TRUE(popped.contains(pool.node(i)));
  }
}

TEST(VisitedSet, IsEmptyAfterEveryReset) {
  VisitedSet visited;
  Random random(1);
  for (const uint32_t bound : {100u, 100'000u, 1000u}) {
    for (const uint32_t inserted : {3u, 100u, 50'000u}) {
      visited.Reset(bound);
      std::set<uint32_t> expected;
      for (uint32_t i = 0; i < inserted; ++i) {
        const uint32_t node = static_cast<uint32_t>(random.Below(bound));
        EXPECT_EQ(visited.Insert(node), expected.insert(node).second);
      }
    }
  }
}

TEST(SelectDiverse, DropsCandidatesThatAChosenOneIsNearerTo) {
  // Points on a line; the node is at 0.
  const std::vector<float> places = {1, 1.5f, -2, 4, -5};
  std::vector<Candidate> candidates;
  for (uint32_t i = 0; i < places.size(); ++i) candidates.push_back({std::abs(places[i]), i});
  const auto distance = [&](uint32_t a, uint32_t b) { return std::abs(places[a] - places[b]); };
  std::vector<Candidate> chosen;
  SelectDiverse(candidates, 4, distance, &chosen);
  EXPECT_EQ(chosen, (std::vector<Candidate>{{1, 0}, {2, 2}}));
}

TEST(SelectDiverse, LeavesHalfOfTheListToOthersThanEquals) {
  std::vector<Candidate> candidates;
  for (uint32_t i = 0; i < 20; ++i) candidates.push_back({0, i});
  candidates.push_back({5, 20});
  const auto distance = [](uint32_t a, uint32_t b) { return (a == 20) == (b == 20) ? 0.0f : 5.0f; };
  std::vector<Candidate> chosen;
  SelectDiverse(candidates, 8, distance, &chosen);
  ASSERT_EQ(chosen.size(), 5);
  EXPECT_EQ(chosen.back().node, 20);
}

TEST(InsertionOrder, IsAPermutationWithPrefixesAsLevels) {
  const InsertionOrder order = MakeInsertionOrder(20'000, 16, 3);
  std::vector<SlotId> slots = order.slots;
  std::sort(slots.begin(), slots.end());
  for (SlotId slot = 0; slot < slots.size(); ++slot) ASSERT_EQ(slots[slot], slot);
  ASSERT_GE(order.member_counts.size(), 2);
  EXPECT_NEAR(order.member_counts[0], 20'000 / 16.0, 200);
  EXPECT_TRUE(std::is_sorted(order.member_counts.rbegin(), order.member_counts.rend()));
  EXPECT_EQ(order.LevelOf(0), order.member_counts.size());
  EXPECT_EQ(order.LevelOf(order.member_counts[0]), 0);
  EXPECT_NE(MakeInsertionOrder(20'000, 16, 4).slots, order.slots);
}

TEST(MakePlan, ScansWhatIsLittleAndWidensWhatIsFiltered) {
  EXPECT_TRUE(MakePlan(1000, 1000, 64).scan);
  EXPECT_FALSE(MakePlan(100'000, 100'000, 64).scan);
  EXPECT_EQ(MakePlan(100'000, 50'000, 64).ef, 128);
  EXPECT_TRUE(MakePlan(1'000'000, 1000, 64).scan);
  EXPECT_TRUE(MakePlan(1'000'000, 0, 64).scan);
  EXPECT_TRUE(MakePlan(1'000'000, 1'000'000, 900'000).scan);
}

// Built by inserting one vector after the other, and by partitions.
class HnswBuilt : public ::testing::TestWithParam<double> {
 protected:
  ParamMap Params(ParamMap params = {}) const {
    params["partitions"] = GetParam();
    return params;
  }
};

INSTANTIATE_TEST_SUITE_P(Every, HnswBuilt, ::testing::Values(-1.0, 0.0, 8.0), [](const auto& parameter) {
  return parameter.param < 0 ? std::string("ByInsertion") : "By" + std::to_string(int(parameter.param)) + "Partitions";
});

TEST_P(HnswBuilt, HasHighRecallWithFewDistances) {
  TestField field(kShape, 5000);
  const HnswIndexFactory factory;
  ASSERT_OK(field.Build(factory, Params()));
  ASSERT_OK_AND_ASSIGN(const auto searcher, field.Open(factory));
  const ParamMap params = {{"ef", 100}};
  SearchContext context;
  double recall = 0;
  for (uint64_t q = 0; q < 50; ++q) {
    const Query query = field.RandomQuery(q);
    ASSERT_OK_AND_ASSIGN(const auto found,
                         SearchOne(*searcher, query, 10, field.AllRows(), {.params = &params}, &context));
    recall += Recall(found, field.Nearest(query, 10, field.AllRows())) / 50;
  }
  EXPECT_GT(recall, 0.98);
  EXPECT_LT(context.work.distances / 50, 2000);
}

TEST_P(HnswBuilt, DoesNotDependOnThreads) {
  const HnswIndexFactory factory;
  TestField one(kShape, 3000), three(kShape, 3000);
  ASSERT_OK(one.Build(factory, Params({{"ef_construction", 50}}), {.threads = 1, .seed = 9}));
  ASSERT_OK(three.Build(factory, Params({{"ef_construction", 50}}), {.threads = 3, .seed = 9}));
  for (const SectionKind kind : {SectionKind::kGraph, SectionKind::kGraphLevels}) {
    EXPECT_EQ(one.sections().Find(kind).bytes(), three.sections().Find(kind).bytes());
  }
}

// Clusters far apart, each larger than what is looked at for a node: all of its nearest are its own.
TEST_P(HnswBuilt, FindsClustersFarApart) {
  Random random(1);
  std::vector<std::vector<std::byte>> vectors;
  for (int i = 0; i < 6000; ++i) {
    std::vector<float> vector(kShape.dimension);
    Random centre(Mix64(random.Below(15)));
    for (float& component : vector) {
      component = static_cast<float>(centre.Uniform() * 100 + random.Uniform());
    }
    const auto* bytes = reinterpret_cast<const std::byte*>(vector.data());
    vectors.emplace_back(bytes, bytes + kShape.bytes());
  }
  TestField field(kShape, vectors);
  const HnswIndexFactory factory;
  ASSERT_OK(field.Build(factory, Params({{"ef_construction", 50}})));
  ASSERT_OK_AND_ASSIGN(const auto searcher, field.Open(factory));
  double recall = 0;
  for (size_t q = 0; q < 100; ++q) {
    const Query query = field.MakeQuery(vectors[q * 57]);
    ASSERT_OK_AND_ASSIGN(const auto found, SearchOne(*searcher, query, 10, field.AllRows()));
    recall += Recall(found, field.Nearest(query, 10, field.AllRows())) / 100;
  }
  EXPECT_GT(recall, 0.98);
}

TEST_P(HnswBuilt, ReachesEverySlotWhereVectorsComeInClumps) {
  Random random(1);
  std::vector<std::vector<std::byte>> vectors;
  for (int clump = 0; clump < 40; ++clump) {
    const auto vector = varve::testing::RandomVector(&random, kShape);
    vectors.insert(vectors.end(), 60, vector);
  }
  TestField field(kShape, std::move(vectors));
  const HnswIndexFactory factory;
  ASSERT_OK(field.Build(factory, Params({{"m", 4}, {"ef_construction", 16}})));
  for (const IndexDamage& damage : field.Verify(factory, /*deep=*/true)) ADD_FAILURE() << damage.what;
}

TEST_P(HnswBuilt, ReportsProgressAndStopsWhenCancelled) {
  TestField field(kShape, 2000);
  const HnswIndexFactory factory;
  Cancellation cancellation;
  uint64_t last = 0;
  BuildContext context;
  context.cancellation = &cancellation;
  context.progress = [&](uint64_t done, uint64_t of) {
    EXPECT_EQ(of, 2000);
    EXPECT_GE(done, last);
    last = done;
    if (done > 500) cancellation.Cancel();
  };
  EXPECT_THAT(field.Build(factory, Params(), context), StatusIs(absl::StatusCode::kCancelled, HasSubstr("HNSW")));
  EXPECT_LT(last, 1000);
}

TEST(Hnsw, KeepsItsEstimates) {
  TestField field(kShape, 3000);
  const HnswIndexFactory factory;
  ASSERT_OK(field.Build(factory));
  const uint64_t bytes =
      field.sections().Find(SectionKind::kGraph).size() + field.sections().Find(SectionKind::kGraphLevels).size();
  const auto estimate = factory.EstimateBytes(3000, kShape, {{"m", 16}}, 1);
  EXPECT_NEAR(static_cast<double>(bytes), static_cast<double>(estimate.section_bytes),
              0.05 * static_cast<double>(bytes));
  EXPECT_GT(estimate.build_bytes, bytes);
}

class DamagedGraph : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(field_.Build(factory_, {{"m", 4}})); }

  uint32_t* Words(SectionKind kind) { return reinterpret_cast<uint32_t*>(field_.sections().MutableBytes(kind).data()); }
  void ExpectFinding(SectionKind section, const std::string& what, bool deep = false) {
    const std::vector<IndexDamage> damage = field_.Verify(factory_, deep);
    ASSERT_FALSE(damage.empty());
    EXPECT_EQ(damage[0].section, section);
    EXPECT_THAT(damage[0].what, HasSubstr(what));
  }

  static constexpr uint32_t kRowWidth = 8;
  TestField field_{kShape, 500};
  const HnswIndexFactory factory_;
};

TEST_F(DamagedGraph, NeighboursBeyondTheSlotsAreFound) {
  Words(SectionKind::kGraph)[7 * kRowWidth] = 500;
  ExpectFinding(SectionKind::kGraph, "slot 7 has neighbour 500: expected below 500");
}

TEST_F(DamagedGraph, RepeatedNeighboursAreFound) {
  uint32_t* row = Words(SectionKind::kGraph) + 7 * kRowWidth;
  row[1] = row[0];
  ExpectFinding(SectionKind::kGraph, "slot 7 has a neighbour twice");
}

TEST_F(DamagedGraph, LoopsAreFound) {
  Words(SectionKind::kGraph)[7 * kRowWidth] = 7;
  ExpectFinding(SectionKind::kGraph, "slot 7 is its own neighbour");
}

TEST_F(DamagedGraph, NeighboursBehindTheEndAreFound) {
  uint32_t* row = Words(SectionKind::kGraph) + 7 * kRowWidth;
  row[0] = kEndOfList;
  row[1] = 8;
  ExpectFinding(SectionKind::kGraph, "slot 7 has a neighbour behind the end of its list");
}

TEST_F(DamagedGraph, SlotsThatNothingLeadsToAreFoundByADeepCheck) {
  uint32_t* rows = Words(SectionKind::kGraph);
  for (uint32_t i = 0; i < 500 * kRowWidth; ++i) {
    if (rows[i] == 7) rows[i] = i / kRowWidth == 8 ? 9 : 8;  // may repeat a neighbour
  }
  bool lost = false;
  for (const IndexDamage& damage : field_.Verify(factory_, /*deep=*/true)) {
    lost |= damage.what.find("cannot be reached from the entry") != std::string::npos;
  }
  EXPECT_TRUE(lost);
}

TEST_F(DamagedGraph, MembersOutOfPlaceAreFound) {
  uint32_t* words = Words(SectionKind::kGraphLevels);
  std::swap(words[kHeaderBytes / 4], words[kHeaderBytes / 4 + 1]);
  ExpectFinding(SectionKind::kGraphLevels, "expected the entry");
}

TEST_F(DamagedGraph, SearchesNameThePlaceOfABadNeighbour) {
  uint32_t* rows = Words(SectionKind::kGraph);
  std::fill(rows, rows + 500 * kRowWidth, 0x12345678);
  ASSERT_OK_AND_ASSIGN(const auto searcher, field_.Open(factory_));
  const ParamMap params = {{"ef", 5}};
  EXPECT_THAT(SearchOne(*searcher, field_.RandomQuery(1), 5, field_.AllRows(), {.params = &params}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("neighbour 305419896 of 500 slots")));
}

}  // namespace
}  // namespace varve::hnsw
