#include "base/crc32c.h"

#include <string>

#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using ::varve::testing::StatusIs;

std::string RandomBytes(size_t size, uint64_t seed) {
  Random random(seed);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random.Next());
  return bytes;
}

TEST(Crc32cOf, MatchesKnownVectors) {
  std::string ascending(32, '\0');
  std::string descending(32, '\0');
  for (size_t i = 0; i < 32; ++i) {
    ascending[i] = static_cast<char>(i);
    descending[i] = static_cast<char>(31 - i);
  }
  // RFC 3720, appendix B.4, and the catalogue's check value.
  const std::pair<std::string, uint32_t> vectors[] = {
      {"", 0},
      {std::string(32, '\0'), 0x8A9136AA},
      {std::string(32, '\xFF'), 0x62A8AB43},
      {ascending, 0x46DD794E},
      {descending, 0x113FDB5C},
      {"123456789", 0xE3069283},
  };
  for (const auto& [data, expected] : vectors) {
    EXPECT_EQ(ComputeCrc32c(data), Crc32c{expected});
    EXPECT_EQ(ExtendCrc32cPortable(Crc32c{0}, data), Crc32c{expected});
  }
}

TEST(Crc32cOf, HardwareAgreesWithTablesForEveryLengthAndOffset) {
  const std::string data = RandomBytes(400, 1);
  const std::string_view view = data;
  for (size_t offset = 0; offset < 16; ++offset) {
    for (size_t length = 0; length <= 300; ++length) {
      const std::string_view part = view.substr(offset, length);
      ASSERT_EQ(ComputeCrc32c(part), ExtendCrc32cPortable(Crc32c{0}, part)) << offset << " " << length;
    }
  }
}

TEST(Crc32cOf, HardwareAgreesWithTablesForLongData) {
  const std::string data = RandomBytes(100'000, 2);
  const std::string_view view = data;
  for (const size_t length : {767u, 768u, 769u, 6143u, 6144u, 6145u, 12'288u, 65'536u, 65'543u, 99'991u}) {
    for (const size_t offset : {0u, 1u, 7u}) {
      const std::string_view part = view.substr(offset, length);
      EXPECT_EQ(ExtendCrc32c(Crc32c{0xDEADBEEF}, part), ExtendCrc32cPortable(Crc32c{0xDEADBEEF}, part)) << length;
    }
  }
}

TEST(Crc32cOf, ExtendingGoesOnWhereTheFirstPartEnded) {
  const std::string data = RandomBytes(1000, 3);
  const std::string_view view = data;
  for (size_t cut = 0; cut <= data.size(); cut += 37) {
    EXPECT_EQ(ExtendCrc32c(ComputeCrc32c(view.substr(0, cut)), view.substr(cut)), ComputeCrc32c(view));
  }
}

TEST(Crc32cOf, EveryFlippedBitIsSeen) {
  std::string data = RandomBytes(200, 4);
  const Crc32c whole = ComputeCrc32c(data);
  for (size_t bit = 0; bit < data.size() * 8; ++bit) {
    data[bit / 8] = static_cast<char>(data[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(ComputeCrc32c(data), whole) << bit;
    data[bit / 8] = static_cast<char>(data[bit / 8] ^ (1 << (bit % 8)));
  }
}

TEST(Crc32cHex, IsReadBack) {
  EXPECT_EQ(Crc32cToHex(Crc32c{0x00ABCDEF}), "00abcdef");
  EXPECT_EQ(Crc32cFromHex("00abcdef").value(), Crc32c{0x00ABCDEF});
  EXPECT_EQ(Crc32cFromHex("ffffffff").value(), Crc32c{0xFFFFFFFF});
}

TEST(Crc32cHex, RefusesAnythingElse) {
  for (const char* text : {"", "0", "1234567", "123456789", "0x123456", "1234567g", "ABCDEF01", " 1234567"}) {
    EXPECT_THAT(Crc32cFromHex(text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("eight"))) << text;
  }
}

}  // namespace
}  // namespace varve
