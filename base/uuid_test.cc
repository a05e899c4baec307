#include "base/uuid.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using ::varve::testing::StatusIs;

TEST(Uuid, HexIsReadBackInEitherCase) {
  ASSERT_OK_AND_ASSIGN(const Uuid uuid, Uuid::FromHex("00112233445566778899aabbccddeeff"));
  EXPECT_EQ(uuid.ToHex(), "00112233445566778899aabbccddeeff");
  EXPECT_EQ(uuid.view().size(), 16u);
  EXPECT_EQ(static_cast<unsigned char>(uuid.bytes[15]), 0xFF);
  EXPECT_EQ(Uuid::FromHex("00112233445566778899AABBCCDDEEFF").value(), uuid);
}

TEST(Uuid, RefusesAnythingElse) {
  for (const std::string& text : {std::string(), std::string(31, '0'), std::string(33, '0'), std::string(31, '0') + 'g',
                                  std::string(16, '0') + '-' + std::string(15, '0')}) {
    EXPECT_THAT(Uuid::FromHex(text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("32 hex digits"))) << text;
  }
}

TEST(Uuid, RandomOnesDiffer) {
  ASSERT_OK_AND_ASSIGN(const Uuid one, Uuid::Random());
  ASSERT_OK_AND_ASSIGN(const Uuid other, Uuid::Random());
  EXPECT_NE(one, other);
  EXPECT_NE(one, Uuid());
  EXPECT_EQ(Uuid::FromHex(one.ToHex()).value(), one);
}

TEST(Uuid, UnderASeedTheSameComeAgain) {
  Uuid first;
  {
    const ScopedUuidSeed seed(7);
    ASSERT_OK_AND_ASSIGN(first, Uuid::Random());
    EXPECT_NE(*Uuid::Random(), first);
  }
  EXPECT_NE(*Uuid::Random(), first);
  {
    const ScopedUuidSeed seed(8);
    EXPECT_NE(*Uuid::Random(), first);
  }
  const ScopedUuidSeed seed(7);
  EXPECT_EQ(*Uuid::Random(), first);
}

}  // namespace
}  // namespace varve
