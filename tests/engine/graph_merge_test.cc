// Merges of segments that have graphs: the large one's is taken over, and what is found stays as good.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "engine/admin/verify.h"
#include "engine/version/file_names.h"
#include "segment/segment.h"
#include "tests/support/collection_fixture.h"
#include "varve/file_system.h"

namespace varve::testing {
namespace {

using ::testing::HasSubstr;

constexpr uint32_t kClusters = 25;
constexpr uint32_t kGraphDimension = 12;

// Two fields; every record has "a", two of three have "b" too.
class GraphMerge : public CollectionTest {
 protected:
  void SetUp() override {
    Schema schema = Schema::SingleVector(kGraphDimension, Metric::kL2);
    schema.fields[0].name = "a";
    schema.fields.push_back(schema.fields[0]);
    schema.fields[1].name = "b";
    schema.fields[1].metric = Metric::kCosine;
    for (FieldSpec& field : schema.fields) field.index.params = {{"ef_construction", 60}};
    options_.threads = 1;
    options_.background_merges = false;
    Create(schema);
  }

  std::vector<float> ClusteredVector() {
    Random centre(Mix64(random_.Below(kClusters)));
    std::vector<float> vector(kGraphDimension);
    for (float& component : vector) {
      component = static_cast<float>(centre.Uniform() * 2 - 1 + 0.4 * (random_.Uniform() + random_.Uniform() - 1));
    }
    return vector;
  }

  // Puts keys first .. last - 1, in batches, and flushes them into a segment.
  void PutSegment(int first, int last, int step = 1) {
    WriteBatch batch;
    for (int key = first; key < last; key += step) {
      RecordInput record;
      // Keys scatter: rows of one input lie between those of others in the output.
      record.key = std::to_string(Mix64(static_cast<uint64_t>(key)) % 1'000'000) + "-" + std::to_string(key);
      record.vectors.push_back({"a", VectorValue(ClusteredVector())});
      if (key % 3 != 0) record.vectors.push_back({"b", VectorValue(ClusteredVector())});
      batch.Put(std::move(record));
    }
    ASSERT_OK(collection_->Write(std::move(batch)));
    ASSERT_OK(collection_->Flush());
  }

  // The same, in a segment that is no fragment: it gets graphs.
  void PutLargeSegment(int count) {
    PutSegment(0, count / 2);
    PutSegment(count / 2, count);
    ASSERT_OK(collection_->Merge(/*full=*/true));
    const CollectionStats stats = collection_->Stats();
    ASSERT_EQ(stats.segments.size(), 1u);
    for (const SegmentFieldInfo& field : stats.segments[0].fields) {
      EXPECT_EQ(field.index, IndexType::kHnsw);
    }
  }

  double Recall(const std::string& field, int queries) {
    double recall = 0;
    for (int q = 0; q < queries; ++q) {
      SearchRequest request;
      request.field = field;
      request.vector = VectorValue(ClusteredVector());
      request.params = {{"ef", 40}};
      const absl::StatusOr<SearchResult> found = collection_->Search(request);
      EXPECT_OK(found);
      request.exact = true;
      request.params.clear();
      const absl::StatusOr<SearchResult> exact = collection_->Search(request);
      EXPECT_OK(exact);
      if (!found.ok() || !exact.ok()) return 0;
      EXPECT_EQ(exact->hits.size(), request.k);
      const std::vector<std::string> keys = KeysOf(*found);
      for (const std::string& key : KeysOf(*exact)) recall += std::count(keys.begin(), keys.end(), key) > 0;
    }
    return recall / (10.0 * queries);
  }

  void ExpectSound() {
    ASSERT_OK_AND_ASSIGN(const VerifyReport report, VerifyPath(path(), {nullptr, /*deep=*/true}));
    for (const VerifyDamage& damage : report.damage) ADD_FAILURE() << damage.section << ": " << damage.what;
    EXPECT_TRUE(report.ok);
  }

  Random random_{1};
};

TEST_F(GraphMerge, FindsAsMuchAsExactSearchAllButAFew) {
  PutLargeSegment(7500);
  PutSegment(7500, 7900);
  PutSegment(7900, 8300);
  PutSegment(0, 7500, 9);  // their rows in the large segment die
  ASSERT_OK(collection_->Merge(/*full=*/true));

  const CollectionStats stats = collection_->Stats();
  ASSERT_EQ(stats.segments.size(), 1u);
  EXPECT_EQ(stats.live_rows, 8300u);
  ASSERT_EQ(stats.segments[0].fields.size(), 2u);
  for (const SegmentFieldInfo& field : stats.segments[0].fields) {
    EXPECT_EQ(field.index, IndexType::kHnsw);
    EXPECT_THAT(field.why, HasSubstr("vectors, at or above 4096: graph"));
  }
  EXPECT_GT(Recall("a", 100), 0.98);
  EXPECT_GT(Recall("b", 100), 0.98);
  ExpectSound();
}

TEST_F(GraphMerge, SmallSegmentsBecomeAGraph) {
  for (int i = 0; i < 4; ++i) PutSegment(i * 2000, (i + 1) * 2000);
  ASSERT_OK(collection_->Merge(/*full=*/true));
  EXPECT_EQ(collection_->Stats().segments[0].fields[0].index, IndexType::kHnsw);
  EXPECT_GT(Recall("a", 100), 0.98);
  ExpectSound();
}

TEST_F(GraphMerge, RefusesADamagedGraphAndLeavesItsInputs) {
  PutLargeSegment(7000);
  PutSegment(7000, 7200);
  FileId large = 0;
  for (const SegmentInfo& segment : collection_->Stats().segments) {
    if (segment.rows == 7000) large = segment.id;
  }
  collection_.reset();
  const std::string file = path() + "/" + SegmentName(large);
  uint64_t offset = 0;
  {
    ASSERT_OK_AND_ASSIGN(const auto segment, Segment::Open(FileSystem::Default(), file, std::nullopt,
                                                           VerifyChecksums::kOnTouch, IoMode::kMapped));
    const SectionView graph = segment->FieldSections(1).Find(SectionKind::kGraph);
    ASSERT_TRUE(graph.present());
    offset = graph.file_offset() + graph.size() / 2;  // far from blocks that hold other sections too
  }
  {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(static_cast<std::streamoff>(offset));
    bytes.write("damage", 6);
    ASSERT_TRUE(bytes.good());
  }
  Reopen();
  EXPECT_THAT(collection_->Merge(/*full=*/true), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("GRAPH")));
  EXPECT_EQ(collection_->Stats().segments.size(), 2u);
  EXPECT_EQ(*collection_->Count(), 7200u);
}

}  // namespace
}  // namespace varve::testing
