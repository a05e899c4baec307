#include "segment/key_filter.h"

#include <string>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

struct Filter {
  explicit Filter(uint64_t rows) : blocks(KeyFilterBlockCount(rows)), bytes(blocks * kKeyFilterBlockBytes) {}
  std::byte* Block(uint64_t hash) { return bytes.data() + SpreadHash(hash, blocks) * kKeyFilterBlockBytes; }

  uint64_t blocks;
  std::vector<std::byte> bytes;
};

TEST(KeyFilter, NeverRulesOutAKeyThatItHolds) {
  for (uint64_t rows : {1, 2, 50, 51, 52, 1000, 20'000}) {
    Filter filter(rows);
    for (uint64_t i = 0; i < rows; ++i) {
      const uint64_t hash = HashKey(7, "", std::to_string(i));
      KeyFilterAdd(filter.Block(hash), hash);
    }
    for (uint64_t i = 0; i < rows; ++i) {
      const uint64_t hash = HashKey(7, "", std::to_string(i));
      ASSERT_TRUE(KeyFilterMayContain(filter.Block(hash), hash)) << i << " of " << rows;
    }
  }
}

TEST(KeyFilter, LetsFewerThanTwoInAHundredOtherKeysPass) {
  for (uint64_t rows : {10'000, 200'000}) {
    Filter filter(rows);
    for (uint64_t i = 0; i < rows; ++i) {
      const uint64_t hash = HashKey(3, "ns", std::to_string(i));
      KeyFilterAdd(filter.Block(hash), hash);
    }
    constexpr uint64_t kProbes = 200'000;
    uint64_t passed = 0;
    for (uint64_t i = 0; i < kProbes; ++i) {
      const uint64_t hash = HashKey(3, "ns", std::to_string(rows + i));
      passed += KeyFilterMayContain(filter.Block(hash), hash) ? 1 : 0;
    }
    EXPECT_LT(static_cast<double>(passed) / kProbes, 0.02) << rows << " keys";
  }
}

TEST(KeyHash, TellsNamespaceFromKey) {
  EXPECT_NE(HashKey(1, "a", "bc"), HashKey(1, "ab", "c"));
  EXPECT_NE(HashKey(1, "", "abc"), HashKey(1, "abc", ""));
  EXPECT_NE(HashKey(1, "", "abc"), HashKey(2, "", "abc"));
}

// The function is part of the format: a change would make every stored filter useless.
TEST(KeyHash, HasTheSameValuesForEver) {
  EXPECT_EQ(HashKey(42, "tenant", "key"), uint64_t{0x41E2B46BFE2B412F});
  EXPECT_EQ(HashKey(0, "", "a"), uint64_t{0x795C83728C2A36E1});
}

}  // namespace
}  // namespace varve
