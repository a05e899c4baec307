#include "compression/block_codec.h"

#include <string>

#include "base/random.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

std::string RandomBytes(Random* random, size_t length, uint64_t alphabet) {
  std::string bytes(length, '\0');
  for (char& c : bytes) c = static_cast<char>(random->Below(alphabet));
  return bytes;
}

TEST(BlockCodec, GivesBackWhatItWasGiven) {
  Random random(1);
  for (size_t length : {0, 1, 2, 15, 16, 17, 255, 4096, 65536, 1 << 20}) {
    for (uint64_t alphabet : {1, 2, 16, 256}) {
      const std::string plain = RandomBytes(&random, length, alphabet);

      const std::string compressed = Lz4Compress(plain);
      const std::optional<std::string> back = Lz4Decompress(compressed, plain.size());

      ASSERT_TRUE(back.has_value()) << length << " bytes of " << alphabet << " values";
      EXPECT_EQ(*back, plain);
      EXPECT_LE(plain.size(), MaxLz4PlainBytes(compressed.size()));
    }
  }
}

TEST(BlockCodec, CompressesRepetition) { EXPECT_LT(Lz4Compress(std::string(65536, 'x')).size(), 1024u); }

TEST(BlockCodec, RefusesAnotherPlainLength) {
  Random random(2);
  const std::string plain = RandomBytes(&random, 5000, 4);
  const std::string compressed = Lz4Compress(plain);

  EXPECT_FALSE(Lz4Decompress(compressed, plain.size() - 1).has_value());
  EXPECT_FALSE(Lz4Decompress(compressed, plain.size() + 1).has_value());
  EXPECT_FALSE(Lz4Decompress(compressed, 0).has_value());
}

TEST(BlockCodec, RefusesEveryTruncation) {
  Random random(3);
  const std::string plain = RandomBytes(&random, 2000, 4);
  const std::string compressed = Lz4Compress(plain);

  for (size_t length = 0; length < compressed.size(); ++length) {
    EXPECT_FALSE(Lz4Decompress(std::string_view(compressed).substr(0, length), plain.size()).has_value()) << length;
  }
}

TEST(BlockCodec, SurvivesRandomBytes) {
  Random random(4);
  for (int i = 0; i < 20'000; ++i) {
    const std::string noise = RandomBytes(&random, random.Below(200), 256);
    const size_t plain_bytes = random.Below(4096);
    const std::optional<std::string> plain = Lz4Decompress(noise, plain_bytes);
    if (plain.has_value()) {
      EXPECT_EQ(plain->size(), plain_bytes);
    }
  }
}

TEST(BlockCodec, RefusesImpossibleLengthsBeforeItAllocates) {
  EXPECT_FALSE(Lz4Decompress("abc", size_t{1} << 30).has_value());
  EXPECT_FALSE(Lz4Decompress("abc", ~size_t{0}).has_value());
  EXPECT_FALSE(Lz4Decompress("", 1).has_value());
}

}  // namespace
}  // namespace varve
