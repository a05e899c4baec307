#include "cli/recall.h"

#include <map>
#include <vector>

#include "base/status.h"
#include "cli/exact_distance.h"
#include "tests/support/status_matchers.h"

namespace varve::cli {
namespace {

using ::varve::testing::StatusIs;

std::vector<RecordName> Names(const std::vector<std::string>& keys) {
  std::vector<RecordName> names;
  for (const std::string& key : keys) names.push_back({"", key});
  return names;
}

// Distances by key; a key that is not there has no record.
DistanceOfRecord Distances(std::map<std::string, float> distances) {
  return [distances](const RecordName& name) -> absl::StatusOr<std::optional<float>> {
    const auto found = distances.find(name.key);
    if (found == distances.end()) return std::optional<float>();
    return std::optional<float>(found->second);
  };
}

absl::StatusOr<double> RecallOf(const std::vector<std::string>& hits, const std::vector<std::string>& truth, size_t k,
                                std::map<std::string, float> distances = {}) {
  ASSIGN_OR_RETURN(const PlaceCount count,
                   CountFilledPlaces(Names(hits), Names(truth), k, Distances(std::move(distances))));
  return static_cast<double>(count.filled) / static_cast<double>(count.places);
}

TEST(Recall, IsTheShareOfPlacesFilledByTrueNeighbors) {
  ASSERT_OK_AND_ASSIGN(const double all, RecallOf({"b", "a"}, {"a", "b"}, 2));
  ASSERT_OK_AND_ASSIGN(const double half, RecallOf({"a", "x"}, {"a", "b"}, 2, {{"b", 1}, {"x", 2}}));
  ASSERT_OK_AND_ASSIGN(const double none, RecallOf({}, {"a", "b"}, 2));

  EXPECT_EQ(all, 1);
  EXPECT_EQ(half, 0.5);
  EXPECT_EQ(none, 0);
}

TEST(Recall, LooksAtTheFirstKOfEach) {
  ASSERT_OK_AND_ASSIGN(const double recall, RecallOf({"c", "a"}, {"a", "b", "c"}, 1, {{"a", 1}, {"c", 3}}));

  EXPECT_EQ(recall, 0);
}

TEST(Recall, CountsHitsThatTieWithTheLastTrueNeighbor) {
  const std::map<std::string, float> distances = {{"a", 1}, {"b", 2}, {"x", 2}, {"y", 3}};

  ASSERT_OK_AND_ASSIGN(const double tie, RecallOf({"a", "x"}, {"a", "b"}, 2, distances));
  ASSERT_OK_AND_ASSIGN(const double farther, RecallOf({"a", "y"}, {"a", "b"}, 2, distances));

  EXPECT_EQ(tie, 1);
  EXPECT_EQ(farther, 0.5);
}

TEST(Recall, TellsNamespacesApart) {
  const std::vector<RecordName> hits = {{"n", "a"}};
  const std::vector<RecordName> truth = {{"", "a"}};

  ASSERT_OK_AND_ASSIGN(const PlaceCount count, CountFilledPlaces(hits, truth, 1, Distances({})));

  EXPECT_EQ(count.filled, 0);
}

TEST(Recall, IsOfThePlacesThatCanBeFilled) {
  ASSERT_OK_AND_ASSIGN(const double few, RecallOf({"a"}, {"a"}, 10));
  ASSERT_OK_AND_ASSIGN(const PlaceCount nothing_to_find, CountFilledPlaces({}, {}, 10, Distances({})));

  EXPECT_EQ(few, 1);
  EXPECT_EQ(nothing_to_find.places, 0);
}

TEST(Recall, AsksForDistancesOnlyOfMisses) {
  const DistanceOfRecord fails = [](const RecordName&) -> absl::StatusOr<std::optional<float>> {
    return DataLoss("damaged");
  };

  EXPECT_OK(CountFilledPlaces(Names({"a", "b"}), Names({"b", "a"}), 2, fails));
  EXPECT_THAT(CountFilledPlaces(Names({"a", "x"}), Names({"b", "a"}), 2, fails),
              StatusIs(absl::StatusCode::kDataLoss, ::testing::HasSubstr("damaged")));
}

TEST(ExactDistance, IsTheMetrics) {
  const std::vector<float> a = {1, 2, 2};
  const std::vector<float> b = {0, 2, 4};

  EXPECT_EQ(ExactDistance(Metric::kL2, a, b), 5);
  EXPECT_EQ(ExactDistance(Metric::kInnerProduct, a, b), -12);
  EXPECT_NEAR(ExactDistance(Metric::kCosine, a, b), 1 - 12 / (3 * 4.472135955), 1e-9);
  EXPECT_EQ(ExactDistance(Metric::kCosine, a, std::vector<float>(3, 0.0F)), 1);
  EXPECT_EQ(ExactDistance(Metric::kL1, a, b), 3);
  EXPECT_EQ(ExactDistance(Metric::kHamming, std::vector<float>{0, 1, 1}, std::vector<float>{1, 1, 0}), 2);
}

}  // namespace
}  // namespace varve::cli
