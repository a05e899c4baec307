#include "segment/section_directory.h"

#include <string>
#include <vector>

#include "base/bytes.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using testing::StatusIs;

// A directory that a writer could have made; what a case changes, it changes in here.
struct Directory {
  Directory() {
    Add(pb::IDS, 0, 100);
    Add(pb::SEQUENCES, 0, 80);
    Add(pb::DOCUMENTS, 0, 1000)->set_codec(pb::LZ4_BLOCKS);
    Add(pb::VECTORS, 1, 100'000);
    Add(pb::GRAPH, 1, 5000);
    Add(pb::VECTORS, 2, 64);
    End();
  }

  pb::Section* Add(pb::SectionKind kind, FieldId field, uint64_t length) {
    pb::Section* section = header.add_sections();
    section->set_kind(kind);
    section->set_field_id(field);
    const uint64_t alignment = pb::SectionKind_IsValid(kind) ? SectionAlignment(static_cast<SectionKind>(kind)) : 64;
    section->set_offset(AlignUp(end, alignment));
    section->set_length(length);
    section->set_required(true);
    end = section->offset() + length;
    return section;
  }
  void End() {
    const uint64_t blocks = (AlignUp(end, 64) + 65535) / 65536;
    Add(pb::BLOCK_CHECKSUMS, 0, blocks * 4);
    header_offset = AlignUp(end, 64);
  }
  absl::StatusOr<SectionDirectory> Read() const { return SectionDirectory::Read(header, header_offset, "a.vcnt"); }

  pb::SegmentHeader header;
  uint64_t end = 64;
  uint64_t header_offset = 0;
};

void ExpectDamage(const Directory& directory, const std::string& what) {
  EXPECT_THAT(directory.Read(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(what)));
  EXPECT_THAT(directory.Read(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("a.vcnt")));
}

TEST(SectionDirectory, FindsItsSections) {
  const Directory directory;

  ASSERT_OK_AND_ASSIGN(const SectionDirectory read, directory.Read());

  EXPECT_EQ(read.entries().size(), 7u);
  ASSERT_NE(read.Find(2, SectionKind::kVectors), nullptr);
  EXPECT_EQ(read.Find(2, SectionKind::kVectors)->length, 64u);
  EXPECT_EQ(read.Find(2, SectionKind::kVectors)->offset % 4096, 0u);
  EXPECT_EQ(read.Find(3, SectionKind::kVectors), nullptr);
  EXPECT_EQ(read.Find(0, SectionKind::kExpiry), nullptr);
  EXPECT_EQ(read.block_checksums().length, 8u);
}

TEST(SectionDirectory, GivesTheFooterTheFirstSectionOfEachKind) {
  const Directory directory;
  ASSERT_OK_AND_ASSIGN(const SectionDirectory read, directory.Read());
  SegmentFooter footer;
  footer.postings_offset = 77;

  SetSectionOffsets(read.entries(), &footer);

  EXPECT_EQ(footer.ids_offset, 64u);
  EXPECT_EQ(footer.vectors_offset, read.Find(1, SectionKind::kVectors)->offset);
  EXPECT_EQ(footer.graph_offset, read.Find(1, SectionKind::kGraph)->offset);
  EXPECT_EQ(footer.term_dict_offset, 0u);
  EXPECT_EQ(footer.postings_offset, 0u);
}

TEST(SectionDirectory, EntriesSurviveEncoding) {
  SectionEntry entry;
  entry.kind = SectionKind::kQuantizer;
  entry.known = true;
  entry.kind_number = 7;
  entry.field = 3;
  entry.offset = 64;
  entry.length = 10;
  entry.required = true;
  entry.crc = Crc32c{0xDEADBEEF};
  entry.params = {{"epoch", 4}, {"bits", 8}};

  const pb::Section section = EncodeSectionEntry(entry);

  EXPECT_EQ(section.kind(), pb::QUANTIZER);
  EXPECT_EQ(section.crc(), 0xDEADBEEFu);
  ASSERT_EQ(section.params_size(), 2);
  EXPECT_EQ(section.params(0).name(), "bits");
  EXPECT_EQ(section.params(1).value(), 4);
}

TEST(SectionDirectory, RefusesSectionsOutOfPlace) {
  for (const uint64_t offset :
       {uint64_t{0}, uint64_t{65}, uint64_t{64}, uint64_t{1} << 40, uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{63}}) {
    Directory directory;
    directory.header.mutable_sections(1)->set_offset(offset);
    EXPECT_THAT(directory.Read(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("SEQUENCES"))) << offset;
  }
  Directory unaligned;
  unaligned.header.mutable_sections(3)->set_offset(unaligned.header.sections(3).offset() + 64);
  ExpectDamage(unaligned, "is not aligned");
}

TEST(SectionDirectory, RefusesLengthsThatReachElsewhere) {
  Directory overlap;
  overlap.header.mutable_sections(1)->set_length(200);
  ExpectDamage(overlap, "overlaps");
  for (const uint64_t length : {uint64_t{1} << 20, uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{0} - 255}) {
    Directory directory;
    directory.header.mutable_sections(3)->set_length(length);
    ExpectDamage(directory, "reaches beyond");
  }
  Directory gap;
  gap.header.mutable_sections(3)->set_length(10);  // leaves pages that belong to nothing
  ExpectDamage(gap, "does not follow");
}

TEST(SectionDirectory, RefusesDisorder) {
  Directory directory;
  directory.header.mutable_sections()->SwapElements(0, 1);
  EXPECT_THAT(directory.Read(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("section directory")));

  Directory twice;
  twice.header.mutable_sections(5)->set_field_id(1);
  ExpectDamage(twice, "occurs twice");
}

TEST(SectionDirectory, NeedsBlockChecksumsAtTheEnd) {
  Directory missing;
  missing.header.mutable_sections()->RemoveLast();
  ExpectDamage(missing, "BLOCK_CHECKSUMS");
  Directory empty;
  empty.header.clear_sections();
  ExpectDamage(empty, "BLOCK_CHECKSUMS");
  Directory too_few;
  too_few.header.mutable_sections(6)->set_length(4);
  ExpectDamage(too_few, "one checksum for each block");
  Directory moved;
  moved.header_offset += 64;
  ExpectDamage(moved, "where the header begins");
}

TEST(SectionDirectory, RefusesARequiredSectionOfAnUnknownKind) {
  for (const int kind : {22, 99, 65536 + 1, -5}) {
    Directory directory;
    directory.header.mutable_sections(2)->set_kind(static_cast<pb::SectionKind>(kind));
    EXPECT_THAT(directory.Read(),
                StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("kind " + std::to_string(kind))));
  }
}

TEST(SectionDirectory, PassesOverAnUnknownKindThatIsNotRequired) {
  Directory directory;
  directory.header.mutable_sections(2)->set_kind(static_cast<pb::SectionKind>(99));
  directory.header.mutable_sections(2)->set_required(false);
  directory.header.mutable_sections(2)->set_codec(static_cast<pb::SectionCodec>(7));

  ASSERT_OK_AND_ASSIGN(const SectionDirectory read, directory.Read());

  EXPECT_FALSE(read.entries()[2].known);
  EXPECT_EQ(read.entries()[2].name(), "section kind 99");
  EXPECT_EQ(read.Find(0, SectionKind::kDocuments), nullptr);
}

TEST(SectionDirectory, RefusesKindsInTheWrongPlace) {
  Directory no_kind;
  no_kind.header.mutable_sections(2)->set_kind(pb::SECTION_UNSPECIFIED);
  ExpectDamage(no_kind, "has no kind");
  Directory row_section_of_field;
  row_section_of_field.header.mutable_sections(1)->set_field_id(1);
  ExpectDamage(row_section_of_field, "field id 1");
  Directory field_section_of_rows;
  field_section_of_rows.header.mutable_sections(3)->set_field_id(0);
  ExpectDamage(field_section_of_rows, "field id 0");
}

TEST(SectionDirectory, RefusesCodecsThatItDoesNotKnow) {
  Directory unknown;
  unknown.header.mutable_sections(2)->set_codec(static_cast<pb::SectionCodec>(5));
  EXPECT_THAT(unknown.Read(), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("codec 5")));
  Directory wrong;
  wrong.header.mutable_sections(3)->set_codec(pb::LZ4_BLOCKS);
  ExpectDamage(wrong, "codec");
}

TEST(SectionDirectory, RefusesMoreSectionsThanTheCap) {
  Directory directory;
  for (int i = 0; i < kMaxSections; ++i) *directory.header.add_sections() = directory.header.sections(0);
  ExpectDamage(directory, "more than 4096");
}

TEST(SectionDirectory, RefusesParamsOutOfOrder) {
  Directory directory;
  for (const char* name : {"b", "a"}) directory.header.mutable_sections(4)->add_params()->set_name(name);
  ExpectDamage(directory, "not sorted");
}

TEST(SectionKind, HasTheNamesAndNumbersOfTheStoredEnum) {
  for (int kind = pb::SectionKind_MIN + 1; kind <= pb::SectionKind_MAX; ++kind) {
    ASSERT_TRUE(pb::SectionKind_IsValid(kind));
    EXPECT_EQ(SectionKindName(static_cast<SectionKind>(kind)), pb::SectionKind_Name(kind));
  }
  EXPECT_EQ(SectionKindName(static_cast<SectionKind>(pb::SectionKind_MAX + 1)), "UNKNOWN");
}

}  // namespace
}  // namespace varve
