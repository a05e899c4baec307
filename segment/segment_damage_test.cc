// Segments that are not what was written: flipped, cut, mixed up, or made by an enemy who knows the checksums.
#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/memory_file_system.h"
#include "base/publish.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "segment/block_checksums.h"
#include "segment/section_directory.h"
#include "segment/segment.h"
#include "segment/segment_footer.h"
#include "segment/segment_head.h"
#include "tests/support/sample_segment.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ReadReport;
using testing::SampleSegment;
using testing::SampleShape;
using testing::StatusIs;

const std::string kDamagedPath = "/0000000001.vcnt";

// A segment file taken apart, changed, and put together again with all checksums made right.
struct Parts {
  explicit Parts(const std::string& file) {
    auto decoded = DecodeSegmentFooter(file, kDamagedPath);
    EXPECT_OK(decoded);
    footer = *decoded;
    body = file.substr(0, footer.header_offset);
    const size_t header_bytes = file.size() - SegmentFooter::kEncodedBytes - body.size();
    EXPECT_TRUE(header.ParseFromArray(file.data() + body.size(), static_cast<int>(header_bytes)));
  }

  pb::Section* Find(pb::SectionKind kind) {
    for (pb::Section& section : *header.mutable_sections()) {
      if (section.kind() == kind) return &section;
    }
    return nullptr;
  }

  // `follow`: the footer's offsets follow the directory, as an enemy would have them.
  std::string Join(bool follow = true) {
    StoreUnaligned(body.data() + kSegmentHeadBytes - 4, ComputeCrc32c(body.substr(0, kSegmentHeadBytes - 4)));
    pb::Section* checksums = Find(pb::BLOCK_CHECKSUMS);
    if (checksums != nullptr && checksums->offset() <= body.size()) {
      BlockChecksummer checksummer;
      checksummer.Append(body.substr(0, checksums->offset()));
      const std::vector<Crc32c> values = checksummer.Finish();
      const std::string bytes(reinterpret_cast<const char*>(values.data()), values.size() * 4);
      if (bytes.size() <= body.size() - checksums->offset()) {
        body.replace(checksums->offset(), bytes.size(), bytes);
        checksums->set_crc(static_cast<uint32_t>(ComputeCrc32c(bytes)));
      }
    }
    if (follow) SetSectionOffsets(Entries(), &footer);
    footer.header_offset = body.size();
    std::string encoded;
    EXPECT_TRUE(header.SerializeToString(&encoded));
    return body + encoded + EncodeSegmentFooter(footer, encoded);
  }

  std::vector<SectionEntry> Entries() const {
    std::vector<SectionEntry> entries;
    for (const pb::Section& section : header.sections()) {
      SectionEntry entry;
      entry.known = pb::SectionKind_IsValid(section.kind());
      entry.kind = static_cast<SectionKind>(section.kind());
      entry.offset = section.offset();
      entry.length = section.length();
      entries.push_back(entry);
    }
    return entries;
  }

  std::string body;
  pb::SegmentHeader header;
  SegmentFooter footer;
};

class DamagedSegment : public ::testing::Test {
 protected:
  void Make(uint64_t seed, const SampleShape& shape) {
    sample_ = MakeSample(seed, shape);
    ASSERT_OK(WriteSample(fs_.get(), kDamagedPath, sample_));
    ASSERT_OK_AND_ASSIGN(file_, ReadWholeFile(fs_.get(), kDamagedPath, 1 << 30));
  }
  absl::StatusOr<std::shared_ptr<const Segment>> Open(std::string_view bytes,
                                                      VerifyChecksums verify = VerifyChecksums::kOnTouch) {
    auto file = fs_->CreateFile(kDamagedPath);
    EXPECT_OK(file);
    EXPECT_OK((*file)->Append(bytes).status);
    return Segment::Open(fs_.get(), kDamagedPath, std::nullopt, verify, IoMode::kMapped);
  }
  static std::vector<Segment::Damage> VerifyAll(const Segment& segment) {
    std::vector<Segment::Damage> damage;
    segment.VerifyAll(&damage);
    return damage;
  }

  // Either opening says DataLoss, or the full check finds it, and no accessor gives a wrong answer.
  void ExpectFound(const std::string& damaged, const std::string& what, bool read) {
    const auto segment = Open(damaged);
    if (!segment.ok()) {
      ASSERT_THAT(segment, StatusIs(absl::StatusCode::kDataLoss, HasSubstr(kDamagedPath))) << what;
      return;
    }
    if (read) {
      const ReadReport report = ReadEverything(**segment, sample_);
      ASSERT_THAT(report.wrong, IsEmpty()) << what;
      for (const absl::Status& error : report.errors) {
        ASSERT_THAT(error, StatusIs(absl::StatusCode::kDataLoss, HasSubstr(kDamagedPath))) << what;
      }
    }
    ASSERT_FALSE(VerifyAll(**segment).empty()) << what;
  }

  const std::unique_ptr<FileSystem> fs_ = NewMemoryFileSystem();
  SampleSegment sample_;
  std::string file_;
};

TEST_F(DamagedSegment, EveryFlippedByteIsFound) {
  SampleShape shape;
  shape.rows = 200;
  Make(1, shape);

  for (size_t offset = 0; offset < file_.size(); ++offset) {
    std::string damaged = file_;
    damaged[offset] = static_cast<char>(damaged[offset] ^ (1 << (offset % 8)));
    ExpectFound(damaged, "byte " + std::to_string(offset) + " of " + std::to_string(file_.size()), offset % 101 == 0);
    if (HasFatalFailure()) return;
  }
}

TEST_F(DamagedSegment, ReadsNothingWrongWhenOneOfManyBlocksIsDamaged) {
  SampleShape shape;
  shape.rows = 4000;
  Make(2, shape);
  ASSERT_GT(file_.size(), 4 * BlockVerifier::kBlockBytes);

  for (size_t offset = 101; offset < file_.size(); offset += file_.size() / 40) {
    std::string damaged = file_;
    damaged[offset] = static_cast<char>(damaged[offset] ^ 0x40);
    ExpectFound(damaged, "byte " + std::to_string(offset), /*read=*/true);
    if (HasFatalFailure()) return;
  }
}

TEST_F(DamagedSegment, ADamagedBlockHurtsOnlyWhatLiesInIt) {
  SampleShape shape;
  shape.rows = 4000;
  Make(3, shape);
  Parts parts(file_);
  std::string damaged = file_;
  damaged[parts.Find(pb::VECTORS)->offset() + 5] ^= 1;

  ASSERT_OK_AND_ASSIGN(const auto segment, Open(damaged));

  EXPECT_OK(segment->FindKey(sample_.rows[0].ns, sample_.rows[0].key));
  const std::vector<Segment::Damage> damage = VerifyAll(*segment);
  ASSERT_EQ(damage.size(), 1u);
  EXPECT_EQ(damage[0].offset % BlockVerifier::kBlockBytes, 0u);
  EXPECT_THAT(Open(damaged, VerifyChecksums::kAtOpen), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("block")));
  EXPECT_OK(Open(damaged, VerifyChecksums::kNever));
}

TEST_F(DamagedSegment, NamesFileSectionAndOffset) {
  SampleShape shape;
  shape.rows = 4000;
  Make(4, shape);
  Parts parts(file_);
  const uint64_t offset = parts.Find(pb::DOCUMENTS)->offset() + 100;
  std::string damaged = file_;
  damaged[offset] ^= 1;
  ASSERT_OK_AND_ASSIGN(const auto segment, Open(damaged));

  const auto document = segment->ReadDocument(0);

  const uint64_t block = offset / BlockVerifier::kBlockBytes * BlockVerifier::kBlockBytes;
  EXPECT_THAT(document, StatusIs(absl::StatusCode::kDataLoss, HasSubstr(kDamagedPath)));
  EXPECT_THAT(document, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("DOCUMENTS")));
  EXPECT_THAT(document, StatusIs(absl::StatusCode::kDataLoss, HasSubstr(std::to_string(block))));
}

TEST_F(DamagedSegment, EveryTruncationIsRefused) {
  Make(5, SampleShape{});

  for (size_t length = 0; length < file_.size(); ++length) {
    ASSERT_THAT(Open(std::string_view(file_).substr(0, length)),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr(kDamagedPath)))
        << length;
  }
}

TEST_F(DamagedSegment, BytesBehindTheEndAreRefused) {
  Make(6, SampleShape{});

  EXPECT_THAT(Open(file_ + '\0'), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(kDamagedPath)));
  EXPECT_THAT(Open(file_ + std::string(4096, '\0')), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(kDamagedPath)));
  // A good footer behind another file's bytes.
  EXPECT_THAT(Open(std::string(64, 'x') + file_), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(kDamagedPath)));
  EXPECT_THAT(Open(file_ + file_), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(kDamagedPath)));
}

TEST_F(DamagedSegment, MixedUpBlocksAreFound) {
  SampleShape shape;
  shape.rows = 3000;
  Make(7, shape);
  const std::string first = file_;
  Make(8, shape);
  constexpr size_t kSector = 4096;

  for (size_t offset = 0; offset + 2 * kSector < std::min(first.size(), file_.size()); offset += 7 * kSector) {
    std::string swapped = file_;
    std::swap_ranges(swapped.begin() + static_cast<long>(offset), swapped.begin() + static_cast<long>(offset + kSector),
                     swapped.begin() + static_cast<long>(offset + kSector));
    if (swapped != file_) ExpectFound(swapped, "swapped at " + std::to_string(offset), /*read=*/false);
    std::string zeroed = file_;
    zeroed.replace(offset, kSector, kSector, '\0');
    if (zeroed != file_) ExpectFound(zeroed, "zeroed at " + std::to_string(offset), /*read=*/false);
    std::string foreign = file_;
    foreign.replace(offset, kSector, first, offset, kSector);
    if (foreign != file_) ExpectFound(foreign, "foreign at " + std::to_string(offset), /*read=*/false);
    if (HasFatalFailure()) return;
  }
}

TEST_F(DamagedSegment, ReportsDamageInSeveralPlaces) {
  SampleShape shape;
  shape.rows = 4000;
  Make(9, shape);
  std::string damaged = file_;
  damaged[200] ^= 1;
  damaged[BlockVerifier::kBlockBytes * 2 + 5] ^= 1;
  ASSERT_OK_AND_ASSIGN(const auto segment, Open(damaged));

  const std::vector<Segment::Damage> damage = VerifyAll(*segment);

  ASSERT_EQ(damage.size(), 2u);
  EXPECT_EQ(damage[0].offset, 0u);
  EXPECT_EQ(damage[1].offset, 2 * BlockVerifier::kBlockBytes);
}

class HostileSegment : public DamagedSegment {
 protected:
  void SetUp() override { Make(20, SampleShape{}); }

  void ExpectRefused(Parts* parts, const std::string& what, bool follow = true) {
    EXPECT_THAT(Open(parts->Join(follow)), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(what)));
  }
  // Opens, is read and verified without harm; what comes out does not matter.
  void Exercise(const std::string& bytes) {
    const auto segment = Open(bytes);
    if (!segment.ok()) {
      const bool expected = segment.status().code() == absl::StatusCode::kDataLoss ||
                            segment.status().code() == absl::StatusCode::kUnimplemented;
      EXPECT_TRUE(expected) << segment.status();
      return;
    }
    ++opened_;
    SampleSegment sample = sample_;
    sample.rows.resize(std::min<size_t>((*segment)->rows(), sample.rows.size()));
    ReadEverything(**segment, sample);
    VerifyAll(**segment);
  }

  int opened_ = 0;
};

TEST_F(HostileSegment, PutTogetherAgainItIsTheSame) {
  Parts parts(file_);
  EXPECT_EQ(parts.Join(), file_);
}

TEST_F(HostileSegment, RefusesSectionsOutsideTheirPlace) {
  static constexpr uint64_t kNasty[] = {
      0, 1, 63, 64, 4096, 0x7FFFFFFF, 0xFFFFFFFF, uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{63}};
  const int sections = Parts(file_).header.sections_size();
  for (int i = 0; i < sections; ++i) {
    for (const uint64_t value : kNasty) {
      Parts moved(file_);
      if (moved.header.sections(i).offset() != value) {
        moved.header.mutable_sections(i)->set_offset(value);
        EXPECT_THAT(Open(moved.Join()), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(kDamagedPath)))
            << i << " " << value;
      }
      Parts resized(file_);
      if (resized.header.sections(i).length() != value) {
        resized.header.mutable_sections(i)->set_length(value);
        EXPECT_THAT(Open(resized.Join()), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(kDamagedPath)))
            << i << " " << value;
      }
    }
  }
}

TEST_F(HostileSegment, RefusesAFooterThatDoesNotAgreeWithTheDirectory) {
  Parts vectors(file_);
  vectors.footer.vectors_offset += 4096;
  ExpectRefused(&vectors, "footer's offsets", /*follow=*/false);
  Parts terms(file_);
  terms.footer.term_dict_len = 1;
  ExpectRefused(&terms, "footer's offsets", /*follow=*/false);
  Parts count(file_);
  ++count.footer.doc_count;
  ++count.footer.max_doc_id;
  ExpectRefused(&count, "vector_count");
}

TEST_F(HostileSegment, RefusesAHeadThatDoesNotAgreeWithTheHeader) {
  Parts id(file_);
  id.body[8] ^= 1;
  ExpectRefused(&id, "segment id");
  Parts uuid(file_);
  uuid.body[16] ^= 1;
  ExpectRefused(&uuid, "uuid");
  Parts version(file_);
  version.body[4] = 2;
  EXPECT_THAT(Open(version.Join()), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("version 2")));
}

TEST_F(HostileSegment, RefusesCountsThatDoNotFitTheSections) {
  Parts more_rows(file_);
  more_rows.header.set_vector_count(101);
  more_rows.footer.doc_count = 101;
  more_rows.footer.max_doc_id = 100;
  ExpectRefused(&more_rows, kDamagedPath);
  Parts more_slots(file_);
  more_slots.header.mutable_fields(0)->set_slots(more_slots.header.fields(0).slots() + 1);
  ExpectRefused(&more_slots, "SLOT_ROWS");
  Parts most_slots(file_);
  most_slots.header.mutable_fields(2)->set_slots(~uint64_t{0});
  ExpectRefused(&most_slots, "too many slots");
  Parts dimension(file_);
  dimension.header.mutable_fields(2)->set_dimension(3);
  ExpectRefused(&dimension, "dimension");
  Parts element(file_);
  element.header.mutable_schema()->mutable_fields(2)->set_element(static_cast<pb::ElementType>(257));
  ExpectRefused(&element, "element type");
}

TEST_F(HostileSegment, RefusesFieldsThatMakeNoSense) {
  Parts twice(file_);
  twice.header.mutable_fields(1)->set_field_id(1);
  ExpectRefused(&twice, "occurs twice");
  Parts unknown(file_);
  unknown.header.mutable_fields(1)->set_field_id(77);
  ExpectRefused(&unknown, "schema");
  Parts lost(file_);
  lost.header.mutable_fields()->RemoveLast();
  ExpectRefused(&lost, "which the segment does not have");
  Parts undecided(file_);
  undecided.header.mutable_fields(0)->set_index_type(pb::AUTO);
  ExpectRefused(&undecided, "index type");
  Parts keyless(file_);
  keyless.Find(pb::IDS)->set_kind(static_cast<pb::SectionKind>(99));
  for (pb::Section& section : *keyless.header.mutable_sections()) {
    if (section.kind() == 99) section.set_required(false);
  }
  ExpectRefused(&keyless, "IDS");
}

TEST_F(HostileSegment, RefusesARequiredSectionOfAnUnknownKindAndSkipsOthers) {
  Parts required(file_);
  required.Find(pb::EXPIRY)->set_kind(static_cast<pb::SectionKind>(99));
  EXPECT_THAT(Open(required.Join()), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("kind 99")));

  Parts optional(file_);
  pb::Section* section = optional.Find(pb::EXPIRY);
  section->set_kind(static_cast<pb::SectionKind>(99));
  section->set_required(false);
  const uint64_t offset = section->offset();
  std::string bytes = optional.Join();
  ASSERT_OK_AND_ASSIGN(const auto segment, Open(bytes));
  EXPECT_THAT(VerifyAll(*segment), IsEmpty());
  EXPECT_TRUE(segment->Expiry()->empty());
  bytes[offset] ^= 1;  // its bytes are checksummed all the same
  ASSERT_OK_AND_ASSIGN(const auto damaged, Open(bytes));
  EXPECT_EQ(VerifyAll(*damaged).size(), 1u);
}

TEST_F(HostileSegment, RefusesPaddingThatIsNotZero) {
  Parts tail(file_);
  tail.body.back() ^= 1;
  ExpectRefused(&tail, "padding");
  Parts between(file_);
  between.body[between.Find(pb::VECTORS)->offset() - 1] ^= 1;
  ASSERT_OK_AND_ASSIGN(const auto segment, Open(between.Join()));
  const std::vector<Segment::Damage> damage = VerifyAll(*segment);
  ASSERT_EQ(damage.size(), 1u);
  EXPECT_EQ(damage[0].section, "PADDING");
}

TEST_F(HostileSegment, SequencesAndExpiryMustLieInTheStatedRange) {
  Parts sequence(file_);
  StoreUnaligned(sequence.body.data() + sequence.Find(pb::SEQUENCES)->offset() + 8, ~uint64_t{0});
  ASSERT_OK_AND_ASSIGN(const auto later, Open(sequence.Join()));
  EXPECT_THAT(later->SequenceOf(1), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("SEQUENCES")));
  EXPECT_OK(later->SequenceOf(2));
  EXPECT_EQ(VerifyAll(*later).size(), 1u);

  Parts expiry(file_);
  StoreUnaligned(expiry.body.data() + expiry.Find(pb::EXPIRY)->offset() + 8, int64_t{1} << 60);
  ASSERT_OK_AND_ASSIGN(const auto never, Open(expiry.Join()));
  EXPECT_THAT(never->Expiry(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("EXPIRY")));
  EXPECT_EQ(VerifyAll(*never).size(), 1u);
}

TEST_F(HostileSegment, SurvivesARandomBodyWithRightChecksums) {
  Random random(21);
  static constexpr uint64_t kNasty[] = {0,           1, 64, 99, 100, 101, 0x7FFFFFFF, 0xFFFFFFFF, uint64_t{1} << 63,
                                        ~uint64_t{0}};
  const uint64_t end = Parts(file_).Find(pb::BLOCK_CHECKSUMS)->offset();

  for (int round = 0; round < 2000; ++round) {
    Parts parts(file_);
    for (uint64_t edits = 1 + random.Below(6); edits > 0; --edits) {
      const uint64_t offset = kSegmentHeadBytes + random.Below((end - kSegmentHeadBytes - 8) / 4) * 4;
      const uint64_t value = random.Below(2) == 0 ? kNasty[random.Below(std::size(kNasty))] : random.Next();
      if (random.Below(2) == 0) {
        StoreUnaligned(parts.body.data() + offset, value);
      } else {
        StoreUnaligned(parts.body.data() + offset, static_cast<uint32_t>(value));
      }
    }
    Exercise(parts.Join());
  }
  EXPECT_GT(opened_, 1000);
}

TEST_F(HostileSegment, SurvivesARandomHeaderWithRightChecksums) {
  const google::protobuf::LogSilencer silencer;  // it logs strings that are not UTF-8
  Random random(22);
  Parts original(file_);
  std::string header;
  ASSERT_TRUE(original.header.SerializeToString(&header));

  for (int round = 0; round < 5000; ++round) {
    std::string damaged = header;
    for (uint64_t edits = 1 + random.Below(3); edits > 0; --edits) {
      damaged[random.Below(damaged.size())] = static_cast<char>(random.Next());
    }
    SegmentFooter footer = original.footer;
    Parts parts(file_);
    if (parts.header.ParseFromString(damaged)) SetSectionOffsets(parts.Entries(), &footer);
    Exercise(original.body + damaged + EncodeSegmentFooter(footer, damaged));
  }
}

}  // namespace
}  // namespace varve
