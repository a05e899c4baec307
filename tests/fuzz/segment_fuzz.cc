// Segment files: whatever they hold, opening, reading, searching, verifying and dumping end with an answer or DataLoss.
// Where the full check finds nothing, everything can be read, and keys are found where they stand.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/publish.h"
#include "engine/admin/dump.h"
#include "segment/segment.h"
#include "segment/segment_dump.h"
#include "segment/segment_footer.h"
#include "segment/segment_head.h"
#include "tests/fuzz/checksums.h"
#include "tests/fuzz/exact_file_system.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/segment_reading.h"
#include "tests/support/sample_segment.h"
#include "varve/collection.h"

namespace varve::fuzz {
namespace {

constexpr char kPath[] = "/0000000001.vcnt";

void RunSegment(std::string_view input) {
  ExactFileSystem fs;
  FUZZ_CHECK_OK(PublishFile(&fs, kPath, input));
  const auto segment = Segment::Open(&fs, kPath, std::nullopt, VerifyChecksums::kOnTouch, IoMode::kMapped);
  if (!segment.ok()) {
    FUZZ_CHECK(absl::IsDataLoss(segment.status()) || absl::IsUnimplemented(segment.status()));
    return;
  }
  const SegmentReading reading = ReadSegment(**segment);
  std::vector<Segment::Damage> damage;
  (*segment)->VerifyAll(&damage);
  (void)DumpSegment(&fs, kPath);
  (void)DumpFile(kPath, &fs);
  if (!damage.empty()) return;
  for (RowId row = 0; row < (*segment)->rows(); ++row) {
    const auto key = (*segment)->KeyOf(row);
    FUZZ_CHECK_OK(key);
    const auto found = (*segment)->FindKey(key->ns, key->key);
    FUZZ_CHECK(found.ok() && *found == row);
    const auto bound = (*segment)->LowerBound(key->ns, key->key);
    FUZZ_CHECK(bound.ok() && *bound == row);
    FUZZ_CHECK_OK((*segment)->ReadDocument(row));
    FUZZ_CHECK_OK((*segment)->SequenceOf(row));
  }
  // A segment that checked all its blocks at once answers the same.
  const auto eager = Segment::Open(&fs, kPath, std::nullopt, VerifyChecksums::kAtOpen, IoMode::kRead);
  FUZZ_CHECK_OK(eager);
  FUZZ_CHECK(ReadSegment(**eager).answers == reading.answers);
}

// Head, sections, header or footer.
std::pair<size_t, size_t> PickSection(std::string_view input, uint64_t random) {
  if (input.size() < kSegmentHeadBytes + SegmentFooter::kEncodedBytes) return {0, input.size()};
  const size_t footer_at = input.size() - SegmentFooter::kEncodedBytes;
  std::vector<std::pair<size_t, size_t>> ranges = {{0, kSegmentHeadBytes}, {footer_at, SegmentFooter::kEncodedBytes}};
  const auto header_at = LoadUnaligned<uint64_t>(input.data() + footer_at + SegmentFooterLayout::kHeaderOffset);
  pb::SegmentHeader header;
  if (header_at < footer_at) {
    ranges.emplace_back(header_at, footer_at - header_at);
    ranges.push_back(ranges.back());  // twice as often
    const std::string bytes(input.substr(header_at, footer_at - header_at));
    if (!header.ParseFromString(bytes)) header.Clear();
  }
  for (const pb::Section& section : header.sections()) {
    if (section.length() == 0 || section.offset() >= footer_at || section.length() > footer_at - section.offset()) {
      continue;
    }
    ranges.emplace_back(section.offset(), section.length());
    // Section headers are where the structure is.
    ranges.emplace_back(section.offset(), std::min<size_t>(section.length(), 192));
  }
  return ranges[random % ranges.size()];
}

// Of every kind of section that no engine writes yet, and of those that it does.
std::vector<std::string> SegmentSeeds() {
  std::vector<std::string> seeds;
  const auto add_sample = [&](uint64_t seed, const testing::SampleShape& shape) {
    ExactFileSystem fs;
    (void)Take(testing::WriteSample(&fs, kPath, testing::MakeSample(seed, shape)));
    seeds.push_back(Take(ReadWholeFile(&fs, kPath, 1 << 20)));
  };
  add_sample(1, {.rows = 0});
  add_sample(2, {.rows = 3});
  add_sample(3, {.rows = 70});
  add_sample(4, {.rows = 10, .expiry = false, .documents = false, .fields = false});

  for (const Metric metric : {Metric::kL2, Metric::kCosine}) {
    ExactFileSystem fs;
    Options options;
    options.file_system = &fs;
    options.threads = 1;
    options.background_merges = false;
    Schema schema = Schema::SingleVector(3, metric);
    schema.fields[0].index.type = IndexType::kHnsw;
    schema.fields[0].index.params = {{"m", 4}};
    const auto collection = Take(Collection::Create("/c", schema, options));
    WriteBatch batch;
    for (int i = 0; i < 40; ++i) {
      RecordInput record;
      record.ns = i % 3 == 0 ? "n" : "";
      record.key = "k" + std::to_string(i);
      record.vectors.push_back({"", VectorValue({static_cast<float>(i % 7), static_cast<float>(i % 5), 1})});
      record.metadata = "{\"n\":" + std::to_string(i) + "}";
      if (i % 4 == 0) record.ttl_seconds = 1'000'000'000;
      batch.Put(std::move(record));
    }
    FUZZ_CHECK_OK(collection->Write(batch));
    FUZZ_CHECK_OK(collection->Merge(/*full=*/true));  // a segment that stays: it gets the graph
    for (const auto& [name, bytes] : ReadDirectory(&fs, "/c/segments")) {
      if (name.ends_with(".vcnt")) seeds.push_back(bytes);
    }
  }
  return seeds;
}

}  // namespace

FuzzTarget SegmentTarget() {
  return {.name = "segment",
          .run = RunSegment,
          .seeds = SegmentSeeds,
          .repair = RepairSegment,
          .pick_range = PickSection,
          .words = {"VCNT"}};
}

}  // namespace varve::fuzz
