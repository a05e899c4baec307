#include "engine/observe/collection_metrics.h"

namespace varve {
namespace {

// Bounds of buckets in microseconds.
constexpr std::array<int64_t, 18> kSearchBounds = {10,      25,      50,      100,       250,       500,
                                                   1'000,   2'500,   5'000,   10'000,    25'000,    50'000,
                                                   100'000, 250'000, 500'000, 1'000'000, 2'500'000, 10'000'000};
constexpr std::array<int64_t, 14> kSyncBounds = {50,     100,    250,    500,     1'000,   2'500,     5'000,
                                                 10'000, 25'000, 50'000, 100'000, 500'000, 1'000'000, 10'000'000};
constexpr std::array<int64_t, 15> kJobBounds = {1'000,      5'000,       10'000,      50'000,        100'000,
                                                500'000,    1'000'000,   5'000'000,   10'000'000,    30'000'000,
                                                60'000'000, 120'000'000, 300'000'000, 1'800'000'000, 7'200'000'000};
static_assert(kSearchBounds.size() <= DurationHistogram::kMaxBounds);
static_assert(kSyncBounds.size() <= DurationHistogram::kMaxBounds);
static_assert(kJobBounds.size() <= DurationHistogram::kMaxBounds);

}  // namespace

SearchMetrics::Shard::Shard()
    : seconds{{DurationHistogram(kSearchBounds), DurationHistogram(kSearchBounds)},
              {DurationHistogram(kSearchBounds), DurationHistogram(kSearchBounds)}} {}

SearchMetrics::SearchMetrics() : shards_(std::make_unique<Shard[]>(kShards)) {}

HistogramReading SearchMetrics::Read(bool exact, bool filtered) const {
  HistogramReading reading;
  for (size_t i = 0; i < kShards; ++i) shards_[i].seconds[exact][filtered].AddTo(&reading);
  return reading;
}

uint64_t SearchMetrics::distances() const {
  uint64_t sum = 0;
  for (size_t i = 0; i < kShards; ++i) sum += shards_[i].distances.value();
  return sum;
}

CollectionMetrics::CollectionMetrics()
    : log_sync(kSyncBounds),
      flush(kJobBounds),
      merge(kJobBounds),
      index_build{DurationHistogram(kJobBounds), DurationHistogram(kJobBounds), DurationHistogram(kJobBounds),
                  DurationHistogram(kJobBounds), DurationHistogram(kJobBounds), DurationHistogram(kJobBounds),
                  DurationHistogram(kJobBounds), DurationHistogram(kJobBounds)} {}

uint64_t CollectionMetrics::total_stall_micros() const {
  uint64_t sum = 0;
  for (const Counter& reason : stall_micros) sum += reason.value();
  return sum;
}

}  // namespace varve
