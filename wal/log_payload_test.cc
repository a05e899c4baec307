#include "wal/log_payload.h"

#include <string>

#include "base/bytes.h"
#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "wal/log_format.h"

namespace varve {
namespace {

using ::testing::_;
using ::testing::HasSubstr;
using ::varve::testing::StatusIs;

std::string Noise(size_t size) {
  Random random(size);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random.Next());
  return text;
}

TEST(LogPayload, ComesBackAsItWas) {
  for (const std::string& plain : {std::string(128, 'x'), std::string(100'000, 'y'), Noise(50) + std::string(500, 'z'),
                                   std::string(kMaxLogPayloadBytes, '\0')}) {
    std::string stored = "before";
    ASSERT_TRUE(AppendCompressedPayload(plain, &stored));
    EXPECT_EQ(stored.substr(0, 6), "before");
    EXPECT_LE(stored.size() - 6, plain.size() - plain.size() / 8);
    EXPECT_EQ(LoadUnaligned<uint32_t>(stored.data() + 6), plain.size());
    ASSERT_OK_AND_ASSIGN(const std::string back, DecompressPayload(std::string_view(stored).substr(6)));
    EXPECT_TRUE(back == plain);
  }
}

TEST(LogPayload, StaysPlainWhereLittleIsSaved) {
  for (const std::string& plain : {std::string(), std::string(127, 'x'), Noise(5000)}) {
    std::string stored = "before";
    EXPECT_FALSE(AppendCompressedPayload(plain, &stored));
    EXPECT_EQ(stored, "before");
  }
}

TEST(LogPayload, RefusesALengthThatTheBlockDoesNotGive) {
  const std::string plain(1000, 'x');
  std::string stored;
  ASSERT_TRUE(AppendCompressedPayload(plain, &stored));
  for (const uint32_t claim : {0u, 1u, 999u, 1001u, kMaxLogPayloadBytes, kMaxLogPayloadBytes + 1, 0xFFFFFFFFu}) {
    StoreUnaligned(stored.data(), claim);
    EXPECT_THAT(DecompressPayload(stored), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(std::to_string(claim))));
  }
}

TEST(LogPayload, RefusesEveryTruncation) {
  std::string stored;
  ASSERT_TRUE(AppendCompressedPayload(std::string(300, 'x') + Noise(100), &stored));
  for (size_t length = 0; length < stored.size(); ++length) {
    EXPECT_THAT(DecompressPayload(std::string_view(stored).substr(0, length)),
                StatusIs(absl::StatusCode::kDataLoss, _));
  }
}

TEST(LogPayload, SurvivesNoise) {
  for (size_t size = 0; size < 300; ++size) {
    std::string stored = Noise(size);
    if (size >= 4) StoreUnaligned(stored.data(), static_cast<uint32_t>(size * 3));
    if (const auto plain = DecompressPayload(stored); plain.ok()) {
      EXPECT_EQ(plain->size(), size * 3);
    }
  }
}

}  // namespace
}  // namespace varve
