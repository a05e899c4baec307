#include "segment/segment.h"

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/memory_file_system.h"
#include "base/publish.h"
#include "gtest/gtest.h"
#include "segment/segment_dump.h"
#include "segment/segment_footer.h"
#include "tests/support/sample_segment.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ReadReport;
using testing::SampleSegment;
using testing::SampleShape;
using testing::StatusIs;

const std::string kPath = "/0000000001.vcnt";

std::vector<std::string> VerifyAll(const Segment& segment) {
  std::vector<Segment::Damage> damage;
  segment.VerifyAll(&damage);
  std::vector<std::string> lines;
  for (const Segment::Damage& line : damage) {
    lines.push_back(line.section + " at " + std::to_string(line.offset) + ": " + line.what);
  }
  return lines;
}

void ExpectReadsBack(const Segment& segment, const SampleSegment& sample) {
  const ReadReport report = ReadEverything(segment, sample);
  EXPECT_THAT(report.wrong, IsEmpty());
  EXPECT_THAT(report.errors, IsEmpty());
  EXPECT_THAT(VerifyAll(segment), IsEmpty());
}

class SegmentFile : public ::testing::Test {
 protected:
  absl::StatusOr<std::shared_ptr<const Segment>> Open(const std::optional<SegmentExpectation>& expected = std::nullopt,
                                                      VerifyChecksums verify = VerifyChecksums::kOnTouch) {
    return Segment::Open(fs_.get(), kPath, expected, verify, IoMode::kMapped);
  }

  const std::unique_ptr<FileSystem> fs_ = NewMemoryFileSystem();
};

TEST_F(SegmentFile, GivesBackWhatWasWritten) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    SampleShape shape;
    shape.rows = static_cast<uint32_t>(seed * seed * 60);
    shape.expiry = seed % 2 == 0;
    shape.documents = seed % 3 != 0;
    const SampleSegment sample = MakeSample(seed, shape);
    ASSERT_OK_AND_ASSIGN(const FinishedSegment finished, WriteSample(fs_.get(), kPath, sample));

    ASSERT_OK_AND_ASSIGN(const auto segment, Open(ExpectationOf(sample, finished)));

    EXPECT_EQ(segment->rows(), shape.rows);
    EXPECT_EQ(segment->id(), sample.id);
    EXPECT_EQ(segment->bytes(), finished.bytes);
    EXPECT_EQ(segment->footer_crc(), finished.footer_crc);
    ExpectReadsBack(*segment, sample);
  }
}

TEST_F(SegmentFile, ReadsTheSameInEveryMode) {
  const testing::TempDir directory;
  const std::string path = directory / "0000000001.vcnt";
  const SampleSegment sample = MakeSample(7, SampleShape{});
  ASSERT_OK(WriteSample(FileSystem::Default(), path, sample));

  for (const VerifyChecksums verify : {VerifyChecksums::kOnTouch, VerifyChecksums::kAtOpen, VerifyChecksums::kNever}) {
    for (const IoMode io : {IoMode::kMapped, IoMode::kRead}) {
      ASSERT_OK_AND_ASSIGN(const auto segment, Segment::Open(FileSystem::Default(), path, std::nullopt, verify, io));
      ExpectReadsBack(*segment, sample);
    }
  }
}

TEST_F(SegmentFile, WorksWithoutRows) {
  for (const bool fields : {false, true}) {
    SampleShape shape;
    shape.rows = 0;
    shape.fields = fields;
    const SampleSegment sample = MakeSample(8, shape);
    ASSERT_OK(WriteSample(fs_.get(), kPath, sample));

    ASSERT_OK_AND_ASSIGN(const auto segment, Open());

    EXPECT_EQ(segment->rows(), 0u);
    EXPECT_EQ(*segment->FindKey("", "k"), kNoRow);
    EXPECT_EQ(*segment->LowerBound("", "k"), 0u);
    EXPECT_TRUE(segment->Expiry()->empty());
    ExpectReadsBack(*segment, sample);
  }
}

TEST_F(SegmentFile, LeavesOutSectionsThatSayNothing) {
  SampleShape shape;
  shape.expiry = false;
  shape.documents = false;
  ASSERT_OK(WriteSample(fs_.get(), kPath, MakeSample(9, shape)));

  ASSERT_OK_AND_ASSIGN(const auto segment, Open());

  for (const pb::Section& section : segment->header().sections()) {
    EXPECT_NE(section.kind(), pb::EXPIRY);
    EXPECT_NE(section.kind(), pb::DOCUMENTS);
    EXPECT_FALSE(section.kind() == pb::SLOT_ROWS && section.field_id() == testing::kFullField);
  }
  EXPECT_TRUE(segment->SlotRows(testing::kFullField)->empty());
  EXPECT_FALSE(segment->SlotRows(testing::kSparseField)->empty());
}

TEST_F(SegmentFile, DescribesItselfInItsHeader) {
  const SampleSegment sample = MakeSample(10, SampleShape{});
  ASSERT_OK(WriteSample(fs_.get(), kPath, sample));
  ASSERT_OK_AND_ASSIGN(const auto segment, Open());
  const pb::SegmentHeader& header = segment->header();

  EXPECT_EQ(header.collection_uuid(), sample.collection.ToHex());
  EXPECT_EQ(header.vector_count(), 100u);
  EXPECT_EQ(header.dimension(), 4u);  // of the first dense field
  EXPECT_EQ(header.index_type(), pb::FLAT);
  EXPECT_EQ(header.compression(), pb::NONE);
  EXPECT_EQ(header.created_at(), 123);
  EXPECT_EQ(header.writer_version(), "test");
  EXPECT_EQ(header.replaces_size(), 2);
  EXPECT_EQ(header.schema().fields_size(), 5);
  Sequence smallest = kMaxSequence;
  for (const auto& row : sample.rows) smallest = std::min(smallest, row.sequence);
  EXPECT_EQ(header.smallest_sequence(), smallest);
  ASSERT_NE(segment->FindField(testing::kSparseField), nullptr);
  EXPECT_EQ(segment->FindField(testing::kSparseField)->why(), "a test");
  EXPECT_EQ(segment->FindField(99), nullptr);
}

TEST_F(SegmentFile, PutsEverySectionWhereTheFooterSays) {
  ASSERT_OK(WriteSample(fs_.get(), kPath, MakeSample(11, SampleShape{})));
  ASSERT_OK_AND_ASSIGN(const std::string file, ReadWholeFile(fs_.get(), kPath, 1 << 30));
  ASSERT_OK_AND_ASSIGN(const auto segment, Open());
  ASSERT_OK_AND_ASSIGN(const SegmentFooter footer, DecodeSegmentFooter(file, kPath));

  EXPECT_EQ(footer.vectors_offset % 4096, 0u);
  EXPECT_EQ(footer.graph_offset % 4096, 0u);
  const SectionSource& sparse = segment->FieldSections(testing::kSparseField);
  EXPECT_EQ(footer.vectors_offset, sparse.Find(SectionKind::kVectors).file_offset());
  EXPECT_EQ(footer.graph_offset, sparse.Find(SectionKind::kGraph).file_offset());
  EXPECT_EQ(sparse.Params(SectionKind::kGraph).at("size"), 700);
  const SectionSource& text = segment->FieldSections(testing::kTextField);
  EXPECT_EQ(footer.term_dict_offset, text.Find(SectionKind::kTermDictionary).file_offset());
  EXPECT_EQ(footer.term_dict_len, 100u);
  EXPECT_EQ(footer.postings_offset, text.Find(SectionKind::kPostings).file_offset());
  EXPECT_EQ(footer.postings_len, 333u);
  EXPECT_EQ(footer.doc_count, 100u);
  EXPECT_EQ(footer.max_doc_id, 99u);
  for (const pb::Section& section : segment->header().sections()) EXPECT_EQ(section.offset() % 64, 0u);
}

TEST_F(SegmentFile, HasNoSectionsForAFieldThatItLacks) {
  ASSERT_OK(WriteSample(fs_.get(), kPath, MakeSample(12, SampleShape{})));
  ASSERT_OK_AND_ASSIGN(const auto segment, Open());

  EXPECT_FALSE(segment->FieldSections(99).Find(SectionKind::kVectors).present());
  EXPECT_TRUE(segment->FieldSections(99).Params(SectionKind::kVectors).empty());
  EXPECT_EQ(*segment->SlotOf(99, 0), kNoSlot);
  EXPECT_TRUE(segment->VectorOf(99, 0)->empty());
  EXPECT_FALSE(segment->FieldSections(1).Find(SectionKind::kCodes).present());
}

TEST_F(SegmentFile, RefusesRowsThatItDoesNotHave) {
  ASSERT_OK(WriteSample(fs_.get(), kPath, MakeSample(13, SampleShape{})));
  ASSERT_OK_AND_ASSIGN(const auto segment, Open());
  const auto expect_refused = [](const auto& result) {
    EXPECT_THAT(result, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("100")));
  };

  expect_refused(segment->KeyOf(100));
  expect_refused(segment->SequenceOf(100));
  expect_refused(segment->TimesOf(100));
  expect_refused(segment->ReadDocument(100));
  expect_refused(segment->NewDocumentReader()->Read(100));
  expect_refused(segment->SlotOf(testing::kSparseField, 100));
  expect_refused(segment->VectorOf(testing::kFullField, 100));
}

TEST_F(SegmentFile, IsComparedWithTheManifest) {
  const SampleSegment sample = MakeSample(14, SampleShape{});
  ASSERT_OK_AND_ASSIGN(const FinishedSegment finished, WriteSample(fs_.get(), kPath, sample));
  const SegmentExpectation right = ExpectationOf(sample, finished);
  const auto expect_refused = [this](const SegmentExpectation& expected, const std::string& what) {
    EXPECT_THAT(Open(expected), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(what)));
    EXPECT_THAT(Open(expected), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(kPath)));
  };

  EXPECT_OK(Open(right));
  SegmentExpectation wrong = right;
  wrong.collection.bytes[3] = static_cast<char>(wrong.collection.bytes[3] + 1);
  expect_refused(wrong, "collection");
  wrong = right;
  ++wrong.id;
  expect_refused(wrong, "this is segment");
  wrong = right;
  ++wrong.bytes;
  expect_refused(wrong, "bytes");
  wrong = right;
  wrong.footer_crc = Crc32c{static_cast<uint32_t>(right.footer_crc) ^ 1};
  expect_refused(wrong, "checksum");
}

TEST_F(SegmentFile, IsNotFoundWhereThereIsNone) {
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kNotFound, HasSubstr(kPath)));
}

TEST_F(SegmentFile, OutlivesItsName) {
  const SampleSegment sample = MakeSample(15, SampleShape{});
  ASSERT_OK(WriteSample(fs_.get(), kPath, sample));
  ASSERT_OK_AND_ASSIGN(const auto segment, Open());

  ASSERT_OK(fs_->RemoveFile(kPath));

  ExpectReadsBack(*segment, sample);
}

TEST_F(SegmentFile, IsShownAsJson) {
  const SampleSegment sample = MakeSample(16, SampleShape{});
  ASSERT_OK(WriteSample(fs_.get(), kPath, sample));

  ASSERT_OK_AND_ASSIGN(const std::string json, DumpSegment(fs_.get(), kPath));

  EXPECT_EQ(json.front(), '{');
  EXPECT_EQ(json.back(), '}');
  EXPECT_THAT(json, HasSubstr("\"type\":\"segment\""));
  EXPECT_THAT(json, HasSubstr("\"doc_count\":100"));
  EXPECT_THAT(json, HasSubstr("\"kind\":\"BLOCK_CHECKSUMS\""));
  EXPECT_THAT(json, HasSubstr("\"collection_uuid\":\"" + sample.collection.ToHex() + "\""));
  EXPECT_THAT(json, HasSubstr("\"first_keys\":[{\"row\":0,\"namespace\":\"\",\"key"));
}

}  // namespace
}  // namespace varve
