// What a collection counts and says of itself: each number is what was done, neither more nor less.
#include <filesystem>
#include <regex>
#include <string>

#include "base/json.h"
#include "tests/support/collection_fixture.h"
#include "tests/support/prometheus_text.h"
#include "varve/properties.h"

namespace varve::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class MetricsTest : public CollectionTest {
 protected:
  PrometheusText Metrics() { return PrometheusText(collection_->MetricsText()); }
  void PutRows(int first, int last) {
    for (int i = first; i < last; ++i) ASSERT_OK(collection_->Put(MakeRecord("k" + std::to_string(i), {1, 2, 3, 4})));
  }
  uint64_t BytesIn(const std::string& folder, const std::string& extension) {
    uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path() + "/" + folder)) {
      if (entry.path().extension() == extension) bytes += entry.file_size();
    }
    return bytes;
  }
};

TEST_F(MetricsTest, AreWellFormedAndInTheSameOrderFromTheFirst) {
  Create();
  const auto names = [](const std::string& text) { return std::regex_replace(text, std::regex(" [0-9.]+\n"), "\n"); };
  const std::string before = collection_->MetricsText();
  PutRows(0, 20);
  ASSERT_OK(collection_->Flush());
  ASSERT_OK(Search({1, 2, 3, 4}, 5));
  EXPECT_EQ(names(collection_->MetricsText()), names(before));
  EXPECT_THAT(Metrics().collections(), ElementsAre("collection"));
}

TEST_F(MetricsTest, CountWritesByOperation) {
  Create();
  PutRows(0, 5);
  ASSERT_OK(collection_->Insert(MakeRecord("new", {1, 1, 1, 1})));
  EXPECT_FALSE(collection_->Insert(MakeRecord("new", {1, 1, 1, 1})).ok()) << "not acknowledged, not counted";
  ASSERT_OK(collection_->Update({.ns = "", .key = "new", .metadata = "{}"}));
  ASSERT_OK(collection_->Delete("", "k0"));
  WriteBatch batch;
  batch.Put(MakeRecord("a", {1, 1, 1, 1}));
  batch.Delete("", "k1");
  ASSERT_OK(collection_->Write(batch));
  WriteBatch all;
  all.DeleteNamespace("");
  ASSERT_OK(collection_->Write(all));

  const PrometheusText metrics = Metrics();

  EXPECT_EQ(metrics["varve_writes_total{op=\"put\"}"], 6);
  EXPECT_EQ(metrics["varve_writes_total{op=\"insert\"}"], 1);
  EXPECT_EQ(metrics["varve_writes_total{op=\"update\"}"], 1);
  EXPECT_EQ(metrics["varve_writes_total{op=\"delete\"}"], 2);
  EXPECT_EQ(metrics["varve_writes_total{op=\"delete_namespace\"}"], 1);
}

TEST_F(MetricsTest, CountTheBytesThatAreInTheFiles) {
  Create();
  PutRows(0, 50);
  ASSERT_OK(collection_->Sync());
  EXPECT_EQ(Metrics()["varve_wal_bytes_total"], static_cast<double>(collection_->Stats().log_bytes));
  EXPECT_EQ(Metrics()["varve_wal_sync_seconds_count"], 50) << "per_op: one for each write";
  EXPECT_EQ(collection_->Stats().syncs, 50u);

  ASSERT_OK(collection_->Flush());
  EXPECT_EQ(Metrics()["varve_written_bytes_total{kind=\"flush\"}"], BytesIn("segments", ".vcnt"));
  EXPECT_EQ(collection_->Stats().bytes_flushed, BytesIn("segments", ".vcnt"));
  const double flushed = Metrics()["varve_flush_bytes_total{dir=\"out\"}"];
  const double flushed_in = Metrics()["varve_flush_bytes_total{dir=\"in\"}"];
  EXPECT_GT(flushed_in, 50 * 16);

  for (int i = 0; i < 10; ++i) ASSERT_OK(collection_->Delete("", "k" + std::to_string(i)));
  PutRows(50, 60);
  ASSERT_OK(collection_->Flush());
  EXPECT_EQ(collection_->Stats().bytes_bitmaps, BytesIn("segments", ".vdel"));
  EXPECT_EQ(Metrics()["varve_deleted_vectors"], 10);
  EXPECT_EQ(Metrics()["varve_segments{state=\"live\"}"], 2);
  const double before = static_cast<double>(BytesIn("segments", ".vcnt"));
  ASSERT_OK(collection_->Merge(/*full=*/true));

  const double merged = static_cast<double>(collection_->Stats().segments[0].bytes);
  const PrometheusText metrics = Metrics();
  EXPECT_EQ(metrics["varve_flushes_total"], 2);
  EXPECT_GT(metrics["varve_flush_bytes_total{dir=\"out\"}"], flushed);
  EXPECT_EQ(metrics["varve_compactions_total"], 1);
  EXPECT_EQ(metrics["varve_compaction_seconds_count"], 1);
  EXPECT_EQ(metrics["varve_compaction_bytes_total{dir=\"in\"}"], before);
  EXPECT_EQ(metrics["varve_compaction_bytes_total{dir=\"out\"}"], merged);
  EXPECT_EQ(metrics["varve_written_bytes_total{kind=\"merge\"}"], merged);
  EXPECT_EQ(metrics["varve_index_build_seconds_count{kind=\"flat\"}"], 3);
  EXPECT_EQ(metrics["varve_index_build_seconds_count{kind=\"hnsw\"}"], 0);
  EXPECT_EQ(metrics["varve_live_vectors"], 50);
  EXPECT_EQ(metrics["varve_deleted_vectors"], 0);
}

TEST_F(MetricsTest, CountSearchesAndDistances) {
  Create();
  PutRows(0, 30);
  ASSERT_OK(Search({1, 2, 3, 4}, 5));
  ASSERT_OK(Search({1, 2, 3, 4}, 5));
  ASSERT_OK(Search({1, 2, 3, 4}, 5, /*exact=*/true));
  SearchRequest filtered;
  filtered.vector = VectorValue(std::vector<float>{1, 2, 3, 4});
  filtered.ns = "nobody";
  ASSERT_OK(collection_->Search(filtered));
  EXPECT_FALSE(Search({1, 2}, 5).ok());

  const PrometheusText metrics = Metrics();

  EXPECT_EQ(metrics["varve_search_seconds_count{kind=\"approximate\",filtered=\"false\"}"], 2);
  EXPECT_EQ(metrics["varve_search_seconds_count{kind=\"exact\",filtered=\"false\"}"], 1);
  EXPECT_EQ(metrics["varve_search_seconds_count{kind=\"approximate\",filtered=\"true\"}"], 1);
  EXPECT_EQ(metrics["varve_search_seconds_count{kind=\"exact\",filtered=\"true\"}"], 0);
  EXPECT_EQ(metrics["varve_search_distance_computations_total"], 90);
  EXPECT_EQ(metrics["varve_slow_searches_total"], 0);
}

TEST_F(MetricsTest, ShowWhatSnapshotsHold) {
  Create();
  PutRows(0, 10);
  ASSERT_OK(collection_->Flush());
  PutRows(10, 15);
  const Sequence sequence = collection_->Stats().last_sequence;
  {
    ASSERT_OK_AND_ASSIGN(const Snapshot first, collection_->GetSnapshot());
    PutRows(15, 20);
    ASSERT_OK_AND_ASSIGN(const Snapshot second, collection_->GetSnapshot());
    CollectionStats stats = collection_->Stats();
    EXPECT_EQ(stats.snapshots, 2u);
    EXPECT_EQ(stats.oldest_snapshot_sequence, sequence);
    EXPECT_EQ(stats.held_memory_bytes, 0u) << "the newest state has them too";
    EXPECT_EQ(stats.held_file_bytes, 0u);
    const uint64_t memory = stats.memtable_bytes;
    const uint64_t file = stats.segments[0].bytes;

    ASSERT_OK(collection_->Merge(/*full=*/true));

    stats = collection_->Stats();
    EXPECT_EQ(stats.held_memory_bytes, memory);
    EXPECT_EQ(stats.held_segments, 1u);
    EXPECT_EQ(stats.held_file_bytes, file);
    EXPECT_EQ(Metrics()["varve_segments{state=\"held\"}"], 1);
    EXPECT_EQ(Metrics()["varve_held_bytes{kind=\"file\"}"], static_cast<double>(file));
    EXPECT_EQ(Metrics()["varve_held_bytes{kind=\"memory\"}"], static_cast<double>(memory));
    EXPECT_EQ(Metrics()["varve_snapshots"], 2);
    EXPECT_EQ(*collection_->GetProperty("varve.oldest-snapshot-sequence"), std::to_string(sequence));
  }
  const CollectionStats stats = collection_->Stats();
  EXPECT_EQ(stats.snapshots, 0u);
  EXPECT_EQ(stats.oldest_snapshot_sequence, 0u);
  EXPECT_EQ(stats.held_memory_bytes + stats.held_file_bytes + stats.held_segments, 0u);
}

TEST_F(MetricsTest, EveryPropertyHasAValue) {
  Create();
  PutRows(0, 10);
  ASSERT_OK(collection_->Flush());
  PutRows(5, 12);
  for (const Property& property : kProperties) {
    const std::optional<std::string> value = collection_->GetProperty(property.name);
    ASSERT_TRUE(value.has_value()) << property.name;
    EXPECT_FALSE(property.meaning.empty());
    EXPECT_EQ(value->empty(), property.name == "varve.last-background-error") << property.name;
  }
  for (const char* name : {"", "varve.", "varve.num-segment", "varve.num-segmentsx", "num-segments"}) {
    EXPECT_EQ(collection_->GetProperty(name), std::nullopt) << name;
  }
  EXPECT_EQ(*collection_->GetProperty("varve.num-segments"), "1");
  EXPECT_EQ(*collection_->GetProperty("varve.live-rows"), "12");
  EXPECT_EQ(*collection_->GetProperty("varve.dead-rows"), "5");
  EXPECT_EQ(*collection_->GetProperty("varve.memtable-rows"), "7");
  EXPECT_EQ(*collection_->GetProperty("varve.stall-reason"), "none");
  EXPECT_EQ(*collection_->GetProperty("varve.metrics"), collection_->MetricsText());
  EXPECT_THAT(*collection_->GetProperty("varve.segments"), StartsWith("[{\"id\":"));
  const std::string stats = *collection_->GetProperty("varve.stats");
  EXPECT_THAT(stats, HasSubstr("\"live_rows\":12"));
  EXPECT_THAT(stats, HasSubstr("\"recovery\":{\"logs\":0"));
  EXPECT_THAT(stats, HasSubstr("\"stall_reason\":\"none\""));
  for (const char* name : {"varve.stats", "varve.metrics-json"}) {
    EXPECT_OK(CompactJsonObject(*collection_->GetProperty(name))) << name;
  }
}

TEST_F(MetricsTest, AReadOnlyCollectionHasThemToo) {
  Create();
  PutRows(0, 10);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collection> reader, Collection::OpenReadOnly(path() + "/"));
  const PrometheusText metrics(reader->MetricsText());
  EXPECT_EQ(metrics["varve_live_vectors"], 10);
  EXPECT_EQ(metrics["varve_writes_total{op=\"put\"}"], 0) << "what this opening did";
  EXPECT_THAT(metrics.collections(), ElementsAre("collection"));
  EXPECT_EQ(metrics.families(), Metrics().families());
}

}  // namespace
}  // namespace varve::testing
