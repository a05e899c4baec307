// Filtered searches of every registered dense type: nothing that the filter excludes is offered, and where k rows are
// accepted k are found.
#include <string>
#include <vector>

#include "base/row_deaths.h"
#include "base/row_set.h"
#include "index/accepted_slots.h"
#include "index/index_fixture.h"

namespace varve {
namespace {

using testing::Query;
using testing::Recall;
using testing::SearchOne;
using testing::TestField;

constexpr uint32_t kFilterCount = 3000;
constexpr VectorShape kFilterShape = {.dimension = 8, .metric = Metric::kL2, .element = ElementType::kF32};

class FilteredSearch : public ::testing::TestWithParam<const FieldIndexFactory*> {
 protected:
  static void SetUpTestSuite() {}

  void SetUp() override {
    field_ = std::make_unique<TestField>(kFilterShape, kFilterCount);
    ASSERT_OK(field_->Build(*GetParam()));
    ASSERT_OK_AND_ASSIGN(searcher_, field_->Open(*GetParam()));
    filter_ = field_->AllRows();
  }

  // Searches with few and with many candidates, and exactly, and checks the answers.
  void ExpectGoodAnswers(double least_recall) {
    for (const double ef : {10.0, 100.0}) {
      const ParamMap params = {{"ef", ef}};
      for (uint64_t q = 0; q < 10; ++q) {
        const Query query = field_->RandomQuery(1000 + q);
        const auto truth = field_->Nearest(query, 10, filter_);
        ASSERT_OK_AND_ASSIGN(const auto found, SearchOne(*searcher_, query, 10, filter_, {.params = &params}));
        ASSERT_EQ(found.size(), truth.size());
        for (const Neighbor& neighbor : found) ASSERT_TRUE(filter_.AllowsRow(neighbor.id));
        ASSERT_GE(Recall(found, truth), least_recall);
        SearchParams exact;
        exact.exact = true;
        ASSERT_OK_AND_ASSIGN(const auto all, SearchOne(*searcher_, query, 10, filter_, exact));
        ASSERT_EQ(all, truth);
      }
    }
  }

  std::unique_ptr<TestField> field_;
  std::unique_ptr<FieldIndexSearcher> searcher_;
  SlotFilter filter_;
};

TEST_P(FilteredSearch, NothingIsFoundWhereNothingIsAllowed) {
  const RowSet none(kFilterCount);
  filter_.allowed = &none;
  ExpectGoodAnswers(1.0);
}

TEST_P(FilteredSearch, FindsKAtEverySelectivity) {
  for (const uint32_t one_in : {1u, 2u, 4u, 10u, 100u, 500u}) {
    SCOPED_TRACE(one_in);
    RowSet allowed(kFilterCount);
    for (uint32_t row = 0; row < kFilterCount; row += one_in) allowed.Add(row);
    filter_.allowed = &allowed;
    ExpectGoodAnswers(0.4);
  }
}

TEST_P(FilteredSearch, FindsKWhereTheAllowedRowsAreFarFromTheQuery) {
  // The half of the rows with a negative first component, for queries whose first component is large.
  RowSet allowed(kFilterCount);
  for (uint32_t row = 0; row < kFilterCount; ++row) {
    float first;
    std::memcpy(&first, field_->vector(row).data(), sizeof(first));
    if (first < -0.5f) allowed.Add(row);
  }
  filter_.allowed = &allowed;
  std::vector<std::byte> bytes = field_->vector(0);
  const float far = 3.0f;
  std::memcpy(bytes.data(), &far, sizeof(far));
  const ParamMap params = {{"ef", 10.0}};
  ASSERT_OK_AND_ASSIGN(const auto found,
                       SearchOne(*searcher_, field_->MakeQuery(bytes), 10, filter_, {.params = &params}));
  EXPECT_EQ(found.size(), 10);
}

TEST_P(FilteredSearch, DeadRowsAreNotFound) {
  RowSet dead(kFilterCount);
  for (uint32_t row = 0; row < kFilterCount; row += 3) dead.Add(row);
  RowDeaths deaths(kFilterCount);
  for (uint32_t row = 1; row < kFilterCount; row += 3) deaths.Kill(row, /*killer=*/row < 1500 ? 5 : 50);
  filter_.dead = &dead;
  filter_.deaths = &deaths;
  filter_.visible = 10;
  ExpectGoodAnswers(0.5);
}

TEST_P(FilteredSearch, ExpiredRowsAreNotFound) {
  std::vector<int64_t> expiry(kFilterCount, kNeverExpires);
  for (uint32_t row = 0; row < kFilterCount; row += 2) expiry[row] = 1000 + row;
  filter_.expiry = expiry;
  filter_.now_ms = 2000;
  ExpectGoodAnswers(0.5);
}

TEST_P(FilteredSearch, OnlyTheNamespacesRowsAreFound) {
  filter_.first_row = 1000;
  filter_.last_row = 1007;
  ExpectGoodAnswers(1.0);
  filter_.first_row = 500;
  filter_.last_row = 2500;
  ExpectGoodAnswers(0.4);
}

TEST_P(FilteredSearch, SlotsAreAnsweredByTheirRows) {
  // Every fifth slot has lost its row; the others belong to rows twice their number.
  std::vector<RowId> slot_rows(kFilterCount);
  for (uint32_t slot = 0; slot < kFilterCount; ++slot) slot_rows[slot] = slot % 5 == 0 ? kNoRow : slot * 2;
  filter_.slot_rows = slot_rows;
  filter_.rows = 2 * kFilterCount;
  RowSet allowed(2 * kFilterCount);
  allowed.AddRange(0, 4000);
  ExpectGoodAnswers(0.5);
  filter_.allowed = &allowed;
  ExpectGoodAnswers(0.5);
}

TEST_P(FilteredSearch, ACountByTheCallerIsUsed) {
  RowSet allowed(kFilterCount);
  allowed.AddRange(100, 140);
  filter_.allowed = &allowed;
  filter_.accepted_rows = 40;
  SearchContext context;
  ASSERT_OK(SearchOne(*searcher_, field_->RandomQuery(1), 10, filter_, {}, &context));
  EXPECT_EQ(context.work.distances, 40);
}

INSTANTIATE_TEST_SUITE_P(Every, FilteredSearch, ::testing::ValuesIn(testing::DenseFactories()), testing::FactoryName);

TEST(AcceptedSlots, EstimatesAreNearTheTruth) {
  SlotFilter filter;
  filter.rows = 100'000;
  EXPECT_EQ(EstimateAcceptedSlots(filter, 100'000), 100'000);
  RowSet allowed(100'000);
  for (uint32_t row = 0; row < 100'000; ++row) {
    if (Mix64(row) % 4 == 0) allowed.Add(row);
  }
  filter.allowed = &allowed;
  EXPECT_NEAR(EstimateAcceptedSlots(filter, 100'000), 25'000, 10'000);
}

TEST(AcceptedSlots, FewRowsAreCountedFromTheirSet) {
  SlotFilter filter;
  filter.rows = 100'000;
  RowSet allowed(100'000);
  allowed.AddRange(50'000, 50'123);
  filter.allowed = &allowed;
  EXPECT_EQ(EstimateAcceptedSlots(filter, 100'000), 123);
  filter.first_row = 50'100;
  EXPECT_EQ(EstimateAcceptedSlots(filter, 100'000), 23);
}

TEST(AcceptedSlots, OfNoSlotsAreNone) {
  SlotFilter filter;
  const RowSet allowed(0);
  filter.allowed = &allowed;
  EXPECT_EQ(EstimateAcceptedSlots(filter, 0), 0);
}

TEST(AcceptedSlots, AreVisitedInOrderAcrossWords) {
  SlotFilter filter;
  filter.rows = 300;
  RowSet allowed(300);
  const std::vector<uint32_t> rows = {0, 1, 63, 64, 127, 128, 200, 299};
  for (const uint32_t row : rows) allowed.Add(row);
  filter.allowed = &allowed;
  std::vector<uint32_t> visited;
  ForEachAcceptedSlot(filter, 1, 299, [&](SlotId slot, RowId row) {
    EXPECT_EQ(slot, row);
    visited.push_back(row);
  });
  EXPECT_EQ(visited, std::vector<uint32_t>(rows.begin() + 1, rows.end() - 1));
}

}  // namespace
}  // namespace varve
