#include "segment/segment_footer.h"

#include <string>

#include "base/bytes.h"
#include "gtest/gtest.h"
#include "segment/segment_head.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using testing::StatusIs;

SegmentFooter Example() {
  SegmentFooter footer;
  footer.header_offset = 0x0102030405060708;
  footer.vectors_offset = 0x1112131415161718;
  footer.graph_offset = 0x2122232425262728;
  footer.ids_offset = 0x3132333435363738;
  footer.term_dict_offset = 0x4142434445464748;
  footer.term_dict_len = 0x5152535455565758;
  footer.postings_offset = 0x6162636465666768;
  footer.postings_len = 0x7172737475767778;
  footer.doc_count = 0x81828384;
  footer.max_doc_id = 0x81828383;
  return footer;
}

// A file of a head's length in zeros, a header, and its footer.
std::string MakeFile(std::string_view header, uint32_t doc_count = 3) {
  SegmentFooter footer;
  footer.header_offset = kSegmentHeadBytes;
  footer.ids_offset = 64;
  footer.doc_count = doc_count;
  footer.max_doc_id = doc_count == 0 ? 0 : doc_count - 1;
  return std::string(kSegmentHeadBytes, '\0') + std::string(header) + EncodeSegmentFooter(footer, header);
}

// As the table in the format document has it, byte for byte.
TEST(SegmentFooter, HasTheDocumentedBytes) {
  const unsigned char expected[80] = {
      'V',  'C',  'N',  'T',                           // 0 magic
      1,    0,    0,    0,                             // 4 format_version
      0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01,  // 8 header_offset
      0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11,  // 16 vectors_offset
      0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21,  // 24 graph_offset
      0x38, 0x37, 0x36, 0x35, 0x34, 0x33, 0x32, 0x31,  // 32 ids_offset
      0x48, 0x47, 0x46, 0x45, 0x44, 0x43, 0x42, 0x41,  // 40 term_dict_offset
      0x58, 0x57, 0x56, 0x55, 0x54, 0x53, 0x52, 0x51,  // 48 term_dict_len
      0x68, 0x67, 0x66, 0x65, 0x64, 0x63, 0x62, 0x61,  // 56 postings_offset
      0x78, 0x77, 0x76, 0x75, 0x74, 0x73, 0x72, 0x71,  // 64 postings_len
      0x84, 0x83, 0x82, 0x81,                          // 72 doc_count
      0x83, 0x83, 0x82, 0x81,                          // 76 max_doc_id
  };
  const std::string_view expected_bytes(reinterpret_cast<const char*>(expected), sizeof(expected));

  const std::string encoded = EncodeSegmentFooter(Example(), "the header");

  ASSERT_EQ(encoded.size(), 84u);
  EXPECT_EQ(encoded.substr(0, 80), expected_bytes);
  EXPECT_EQ(Crc32c{LoadUnaligned<uint32_t>(encoded.data() + 80)},
            ComputeCrc32c("the header" + std::string(expected_bytes)));
}

TEST(SegmentFooter, GivesBackWhatItWasGiven) {
  const std::string file = MakeFile("some header");

  ASSERT_OK_AND_ASSIGN(const SegmentFooter footer, DecodeSegmentFooter(file, "a.vcnt"));

  EXPECT_EQ(footer.header_offset, kSegmentHeadBytes);
  EXPECT_EQ(footer.ids_offset, 64u);
  EXPECT_EQ(footer.doc_count, 3u);
  EXPECT_EQ(footer.max_doc_id, 2u);
  EXPECT_EQ(footer.checksum, Crc32c{LoadUnaligned<uint32_t>(file.data() + file.size() - 4)});
}

TEST(SegmentFooter, RejectsEveryFlippedBitOfHeaderAndFooter) {
  const std::string file = MakeFile("a header of some bytes");

  for (size_t bit = kSegmentHeadBytes * 8; bit < file.size() * 8; ++bit) {
    std::string damaged = file;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_THAT(DecodeSegmentFooter(damaged, "a.vcnt"), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("a.vcnt")))
        << "bit " << bit;
  }
}

TEST(SegmentFooter, RejectsEveryTruncation) {
  const std::string file = MakeFile("a header of some bytes");

  for (size_t length = 0; length < file.size(); ++length) {
    ASSERT_THAT(DecodeSegmentFooter(file.substr(0, length), "a.vcnt"),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("a.vcnt")));
  }
}

TEST(SegmentFooter, RefusesAnotherVersionByName) {
  std::string file = MakeFile("header");
  char* footer = file.data() + file.size() - SegmentFooter::kEncodedBytes;
  StoreUnaligned(footer + 4, uint32_t{2});
  const std::string_view summed(file.data() + kSegmentHeadBytes, file.size() - kSegmentHeadBytes - 4);
  StoreUnaligned(footer + 80, ComputeCrc32c(summed));

  EXPECT_THAT(DecodeSegmentFooter(file, "a.vcnt"), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("version 2")));
}

TEST(SegmentFooter, RefusesAHeaderOutsideTheFile) {
  for (const uint64_t offset : {uint64_t{0}, uint64_t{63}, uint64_t{71}, uint64_t{1} << 63, ~uint64_t{0}}) {
    SegmentFooter footer;
    footer.header_offset = offset;
    const std::string file = std::string(70, '\0') + EncodeSegmentFooter(footer, "");
    EXPECT_THAT(DecodeSegmentFooter(file, "a.vcnt"), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("header_offset")))
        << offset;
  }
}

TEST(SegmentFooter, RefusesAHeaderBeyondItsCap) {
  EXPECT_OK(DecodeSegmentFooter(MakeFile(std::string(kMaxSegmentHeaderBytes, 'h')), "a.vcnt"));
  EXPECT_THAT(DecodeSegmentFooter(MakeFile(std::string(kMaxSegmentHeaderBytes + 1, 'h')), "a.vcnt"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("1 MiB")));
}

TEST(SegmentFooter, RefusesCountsThatDoNotAgree) {
  for (const auto& [doc_count, max_doc_id] : {std::pair<uint32_t, uint32_t>(0, 1), {3, 3}, {3, 0}, {0xFFFFFFFF, 0}}) {
    SegmentFooter footer;
    footer.header_offset = kSegmentHeadBytes;
    footer.doc_count = doc_count;
    footer.max_doc_id = max_doc_id;
    const std::string file = std::string(kSegmentHeadBytes, '\0') + EncodeSegmentFooter(footer, "");
    EXPECT_THAT(DecodeSegmentFooter(file, "a.vcnt"), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("max_doc_id")));
  }
  EXPECT_OK(DecodeSegmentFooter(MakeFile("", 0), "a.vcnt"));
}

TEST(SegmentHead, HasTheDocumentedBytes) {
  SegmentHead head;
  head.segment_id = 0x0102030405060708;
  for (size_t i = 0; i < 16; ++i) head.collection.bytes[i] = static_cast<char>('a' + i);

  const std::string encoded = EncodeSegmentHead(head);

  ASSERT_EQ(encoded.size(), 64u);
  EXPECT_EQ(encoded.substr(0, 8), std::string("VCNT\1\0\0\0", 8));
  EXPECT_EQ(encoded.substr(8, 8), "\x08\x07\x06\x05\x04\x03\x02\x01");
  EXPECT_EQ(encoded.substr(16, 16), "abcdefghijklmnop");
  EXPECT_EQ(encoded.substr(32, 28), std::string(28, '\0'));
  EXPECT_EQ(Crc32c{LoadUnaligned<uint32_t>(encoded.data() + 60)}, ComputeCrc32c(encoded.substr(0, 60)));
  ASSERT_OK_AND_ASSIGN(const SegmentHead back, DecodeSegmentHead(encoded + "what follows", "a.vcnt"));
  EXPECT_EQ(back.segment_id, head.segment_id);
  EXPECT_EQ(back.collection, head.collection);
}

TEST(SegmentHead, RejectsEveryFlippedBit) {
  const std::string encoded = EncodeSegmentHead({7, {}});

  for (size_t bit = 0; bit < encoded.size() * 8; ++bit) {
    std::string damaged = encoded;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_THAT(DecodeSegmentHead(damaged, "a.vcnt"), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("a.vcnt")));
  }
}

TEST(SegmentHead, RefusesAnotherVersionByNameAndReservedBytes) {
  std::string newer = EncodeSegmentHead({7, {}});
  newer[4] = 9;
  StoreUnaligned(newer.data() + 60, ComputeCrc32c(newer.substr(0, 60)));
  std::string reserved = EncodeSegmentHead({7, {}});
  reserved[40] = 1;
  StoreUnaligned(reserved.data() + 60, ComputeCrc32c(reserved.substr(0, 60)));

  EXPECT_THAT(DecodeSegmentHead(newer, "a.vcnt"), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("version 9")));
  EXPECT_THAT(DecodeSegmentHead(reserved, "a.vcnt"), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("reserved")));
}

}  // namespace
}  // namespace varve
