#include "base/bytes.h"

#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

TEST(ByteWriter, WritesLittleEndian) {
  ByteWriter writer;
  writer.Fixed(uint32_t{0x04030201});
  writer.Fixed(uint8_t{5});
  writer.Fixed(uint64_t{0x0D0C0B0A09080706});
  EXPECT_EQ(writer.str(), "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D");
  EXPECT_EQ(writer.size(), 13u);
}

TEST(ByteWriter, AlignsWithZeros) {
  ByteWriter writer;
  writer.AlignTo(8);
  EXPECT_EQ(writer.size(), 0u);
  writer.Bytes("abc");
  writer.AlignTo(8);
  EXPECT_EQ(writer.str(), std::string("abc\0\0\0\0\0", 8));
  writer.AlignTo(8);
  EXPECT_EQ(writer.size(), 8u);
}

TEST(ByteWriter, TakeLeavesItEmpty) {
  ByteWriter writer;
  writer.Bytes("abc");
  EXPECT_EQ(writer.Take(), "abc");
}

TEST(Varint, EveryLengthIsReadBack) {
  std::vector<uint64_t> values = {0, 1, 127, 128, 16'383, 16'384, std::numeric_limits<uint64_t>::max()};
  for (int bit = 0; bit < 64; ++bit) {
    values.push_back(uint64_t{1} << bit);
    values.push_back((uint64_t{1} << bit) - 1);
  }
  for (const uint64_t value : values) {
    ByteWriter writer;
    writer.Varint(value);
    EXPECT_EQ(writer.size(), value == 0 ? 1u : (static_cast<size_t>(std::bit_width(value)) + 6) / 7);
    EXPECT_LE(writer.size(), kMaxVarintBytes);
    ByteReader reader(writer.str());
    uint64_t read = 42;
    ASSERT_TRUE(reader.Varint(&read));
    EXPECT_EQ(read, value);
    EXPECT_EQ(reader.remaining(), 0u);
  }
}

TEST(Varint, RefusesEveryCutAndChangesNothing) {
  ByteWriter writer;
  writer.Varint(std::numeric_limits<uint64_t>::max());
  for (size_t length = 0; length < writer.size(); ++length) {
    ByteReader reader(std::string_view(writer.str()).substr(0, length));
    uint64_t value = 42;
    EXPECT_FALSE(reader.Varint(&value)) << length;
    EXPECT_EQ(value, 42u);
    EXPECT_EQ(reader.position(), 0u);
  }
}

TEST(Varint, RefusesMoreThanSixtyFourBitsOrTenBytes) {
  uint64_t value = 42;
  const std::string nine(9, '\xFF');
  EXPECT_TRUE(ByteReader(std::string_view(nine + '\x01')).Varint(&value));
  EXPECT_EQ(value, std::numeric_limits<uint64_t>::max());
  EXPECT_FALSE(ByteReader(std::string_view(nine + '\x02')).Varint(&value));
  EXPECT_FALSE(ByteReader(std::string_view(nine + "\x81\x01")).Varint(&value));
  EXPECT_FALSE(ByteReader(std::string_view(std::string(11, '\x80'))).Varint(&value));
}

TEST(ByteReader, ReadsWhatWasWritten) {
  ByteWriter writer;
  writer.Fixed(1.5f);
  writer.LengthPrefixed("key");
  writer.LengthPrefixed("");
  writer.Fixed(int64_t{-7});
  ByteReader reader(AsBytes(writer.str()));

  float number = 0;
  std::string_view key;
  std::string_view empty = "not yet";
  int64_t negative = 0;
  ASSERT_TRUE(reader.Fixed(&number) && reader.LengthPrefixed(&key) && reader.LengthPrefixed(&empty) &&
              reader.Fixed(&negative));
  EXPECT_EQ(number, 1.5f);
  EXPECT_EQ(key, "key");
  EXPECT_EQ(empty, "");
  EXPECT_EQ(negative, -7);
  EXPECT_EQ(reader.remaining(), 0u);
}

TEST(ByteReader, NeverLeavesItsBounds) {
  ByteReader reader(std::string_view("abc"));
  ASSERT_TRUE(reader.Skip(1));
  uint32_t word = 42;
  std::string_view bytes = "untouched";
  EXPECT_FALSE(reader.Fixed(&word));
  EXPECT_FALSE(reader.Bytes(3, &bytes));
  EXPECT_FALSE(reader.Bytes(std::numeric_limits<size_t>::max(), &bytes));
  EXPECT_FALSE(reader.Skip(std::numeric_limits<size_t>::max()));
  EXPECT_EQ(word, 42u);
  EXPECT_EQ(bytes, "untouched");
  EXPECT_EQ(reader.position(), 1u);
  EXPECT_TRUE(reader.Bytes(2, &bytes));
  EXPECT_EQ(bytes, "bc");
}

TEST(ByteReader, ALengthBeyondTheEndChangesNothing) {
  for (const uint64_t length : {uint64_t{4}, uint64_t{1} << 40, std::numeric_limits<uint64_t>::max()}) {
    ByteWriter writer;
    writer.Varint(length);
    writer.Bytes("abc");
    ByteReader reader(writer.str());
    std::string_view bytes = "untouched";
    EXPECT_FALSE(reader.LengthPrefixed(&bytes));
    EXPECT_EQ(bytes, "untouched");
    EXPECT_EQ(reader.position(), 0u);
  }
}

TEST(ByteReader, SurvivesRandomBytes) {
  Random random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string data(random.Below(40), '\0');
    for (char& c : data) c = static_cast<char>(random.Below(8) == 0 ? random.Next() : random.Below(12));
    ByteReader reader(data);
    uint64_t number = 0;
    std::string_view bytes;
    while (reader.remaining() > 0) {
      const size_t before = reader.position();
      const bool read = random.Below(2) == 0 ? reader.Varint(&number) : reader.LengthPrefixed(&bytes);
      ASSERT_LE(reader.position(), data.size());
      if (!read) {
        ASSERT_EQ(reader.position(), before);
        break;
      }
    }
  }
}

TEST(CheckedArithmetic, RefusesWhatDoesNotFit) {
  uint64_t result = 0;
  EXPECT_TRUE(CheckedAdd(1, 2, &result));
  EXPECT_EQ(result, 3u);
  EXPECT_FALSE(CheckedAdd(std::numeric_limits<uint64_t>::max(), 1, &result));
  EXPECT_TRUE(CheckedMul(uint64_t{1} << 32, (uint64_t{1} << 32) - 1, &result));
  EXPECT_FALSE(CheckedMul(uint64_t{1} << 32, uint64_t{1} << 32, &result));
}

TEST(CheckedArithmetic, AlignUpGoesToTheNextMultiple) {
  EXPECT_EQ(AlignUp(0, 64), 0u);
  EXPECT_EQ(AlignUp(1, 64), 64u);
  EXPECT_EQ(AlignUp(64, 64), 64u);
}

}  // namespace
}  // namespace varve
