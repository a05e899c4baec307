#include "wal/log_format.h"

#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "wal/log_test_support.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using ::varve::testing::HeaderOf;
using ::varve::testing::Little;
using ::varve::testing::ReferenceCrc32c;
using ::varve::testing::StatusIs;
using ::varve::testing::UuidOf;

LogHeader FullHeader() {
  LogHeader header = HeaderOf(0x1122334455667788, 0x99);
  header.pad_to = 4096;
  header.previous = {0x77, 0x6000, Crc32c{0xCAFEBABE}, 0x98};
  return header;
}

// The bytes with their last four replaced by the checksum of the others.
std::string WithChecksum(std::string bytes) {
  bytes.resize(124);
  return bytes + Little(ReferenceCrc32c(bytes), 4);
}

TEST(LogHeader, HasExactlyTheBytesOfTheFormat) {
  const std::string expected =
      WithChecksum("VWAL" + Little(1, 4) + Little(0x1122334455667788, 8) + Little(0x99, 8) + "ABCDEFGHIJKLMNOP" +
                   "abcdefghijklmnop" + Little(4096, 4) + Little(0x77, 8) + Little(0x6000, 8) + Little(0xCAFEBABE, 4) +
                   Little(0x98, 8) + std::string(36, '\0'));
  ASSERT_EQ(expected.size(), 128u);

  EXPECT_EQ(EncodeLogHeader(FullHeader()), expected);
  EXPECT_EQ(StoredLogHeaderCrc(expected), Crc32c{ReferenceCrc32c(expected.substr(0, 124))});
}

TEST(LogHeader, DecodesToWhatWasEncoded) {
  const LogHeader header = FullHeader();
  ASSERT_OK_AND_ASSIGN(const LogHeader decoded, DecodeLogHeader(EncodeLogHeader(header), "f"));
  EXPECT_EQ(decoded.number, header.number);
  EXPECT_EQ(decoded.first_sequence, header.first_sequence);
  EXPECT_EQ(decoded.collection, header.collection);
  EXPECT_EQ(decoded.secret, header.secret);
  EXPECT_EQ(decoded.pad_to, header.pad_to);
  EXPECT_EQ(decoded.previous, header.previous);
}

TEST(LogHeader, RejectsEveryFlippedBitAndEveryTruncation) {
  const std::string good = EncodeLogHeader(FullHeader());
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_THAT(DecodeLogHeader(bad, "7.vwal"), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("7.vwal"))) << bit;
  }
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_THAT(DecodeLogHeader(good.substr(0, length), "7.vwal"),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("7.vwal")));
  }
}

TEST(LogHeader, RefusesANewerVersionByName) {
  const std::string bytes = WithChecksum(EncodeLogHeader(FullHeader()).replace(4, 4, Little(2, 4)));
  EXPECT_THAT(DecodeLogHeader(bytes, "7.vwal"), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("version 2")));
}

TEST(LogHeader, RefusesFieldsThatNoWriterMakesWhateverTheirChecksum) {
  struct Case {
    size_t offset;
    std::string bytes;
    std::string message;
  };
  const std::vector<Case> cases = {
      {4, Little(0, 4), "version is 0"},
      {8, Little(0, 8), "number is 0"},
      {16, Little(0, 8), "first sequence is 0"},
      {56, Little(16, 4), "pad_to"},
      {60, Little(0x1122334455667788, 8), "not below the log's own"},
      {60, Little(0, 8), "names no predecessor"},
      {68, Little(127, 8), "impossible length"},
      {68, Little(4097, 8), "impossible length"},
      {80, Little(0x99, 8), "last sequence is not below"},
      {90, "x", "not zero"},
  };
  for (const Case& c : cases) {
    std::string bytes = EncodeLogHeader(FullHeader());
    bytes = WithChecksum(bytes.replace(c.offset, c.bytes.size(), c.bytes));
    EXPECT_THAT(DecodeLogHeader(bytes, "7.vwal"), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(c.message)));
  }
}

TEST(LogRecordHeader, HasExactlyTheBytesOfTheFormat) {
  LogRecordHeader header;
  header.payload_crc = Crc32c{0x01020304};
  header.payload_bytes = 77;
  header.type = 3;
  header.flags = 9;
  header.sequence = 0x1122334455667788;
  header.synced_up_to = 0x2000;
  const uint64_t offset = 0x2040;
  const std::string fields = Little(0x01020304, 4) + Little(77, 4) + Little(3, 1) + Little(9, 1) + Little(0, 2) +
                             Little(0x1122334455667788, 8) + Little(0x2000, 8);
  const uint32_t crc = ReferenceCrc32c("abcdefghijklmnop" + Little(5, 8) + Little(offset, 8) + fields);

  const Crc32c seed = LogRecordSeed(UuidOf('a'), 5);
  std::string bytes(kLogRecordHeaderBytes, '?');
  EXPECT_EQ(EncodeLogRecordHeader(header, seed, offset, bytes.data()), Crc32c{crc});
  EXPECT_EQ(bytes, Little(crc, 4) + fields);

  LogRecordHeader decoded;
  Crc32c decoded_crc{};
  ASSERT_TRUE(DecodeLogRecordHeader(bytes.data(), seed, offset, &decoded, &decoded_crc));
  EXPECT_EQ(decoded_crc, Crc32c{crc});
  EXPECT_EQ(decoded.payload_crc, header.payload_crc);
  EXPECT_EQ(decoded.payload_bytes, 77u);
  EXPECT_EQ(decoded.type, 3);
  EXPECT_EQ(decoded.flags, 9);
  EXPECT_EQ(decoded.sequence, header.sequence);
  EXPECT_EQ(decoded.synced_up_to, 0x2000u);
}

TEST(LogRecordHeader, BelongsToOneOffsetOfOneLogOfOneCollection) {
  LogRecordHeader header;
  std::string bytes(kLogRecordHeaderBytes, '\0');
  EncodeLogRecordHeader(header, LogRecordSeed(UuidOf('a'), 5), 128, bytes.data());
  Crc32c crc{};
  EXPECT_TRUE(DecodeLogRecordHeader(bytes.data(), LogRecordSeed(UuidOf('a'), 5), 128, &header, &crc));
  EXPECT_FALSE(DecodeLogRecordHeader(bytes.data(), LogRecordSeed(UuidOf('a'), 5), 136, &header, &crc));
  EXPECT_FALSE(DecodeLogRecordHeader(bytes.data(), LogRecordSeed(UuidOf('a'), 6), 128, &header, &crc));
  EXPECT_FALSE(DecodeLogRecordHeader(bytes.data(), LogRecordSeed(UuidOf('b'), 5), 128, &header, &crc));
}

TEST(LogRecordEnd, PadsToEightAndASyncGroupToItsPadding) {
  EXPECT_EQ(FirstRecordOffset(8), 128u);
  EXPECT_EQ(FirstRecordOffset(4096), 4096u);
  EXPECT_EQ(LogRecordEnd(128, 0, kLastOfSyncGroup, 8), 160u);
  EXPECT_EQ(LogRecordEnd(128, 1, kLastOfSyncGroup, 8), 168u);
  EXPECT_EQ(LogRecordEnd(4096, 1, 0, 4096), 4136u);
  EXPECT_EQ(LogRecordEnd(4096, 1, kLastOfSyncGroup, 4096), 8192u);
  EXPECT_EQ(LogRecordEnd(4096, 4064, kLastOfSyncGroup, 4096), 8192u);
  EXPECT_EQ(LogRecordEnd(4096, 4065, kLastOfSyncGroup, 4096), 12288u);
}

}  // namespace
}  // namespace varve
