#include "segment/key_filter.h"

#include <xxhash.h>

#include "base/random.h"

namespace varve {
namespace {

constexpr uint64_t kBitsPerKey = 10;
constexpr uint64_t kBlockBits = kKeyFilterBlockBytes * 8;
// Bits set per key. The optimum for ten bits per key is seven; uneven filling of the blocks favours one less, and six
// positions of nine bits are what one hash gives.
constexpr int kProbes = 6;
constexpr int kPositionBits = 9;
static_assert(uint64_t{1} << kPositionBits == kBlockBits && kProbes * kPositionBits <= 64);

// Scrambled again, since the high bits of the hash itself have chosen the block.
constexpr uint64_t Positions(uint64_t hash) { return Mix64(hash); }

}  // namespace

uint64_t HashKey(uint64_t seed, std::string_view ns, std::string_view key) {
  return XXH3_64bits_withSeed(key.data(), key.size(), XXH3_64bits_withSeed(ns.data(), ns.size(), seed));
}

uint64_t KeyFilterBlockCount(uint64_t rows) { return (rows * kBitsPerKey + kBlockBits - 1) / kBlockBits; }

void KeyFilterAdd(std::byte* block, uint64_t hash) {
  uint64_t positions = Positions(hash);
  for (int i = 0; i < kProbes; ++i, positions >>= kPositionBits) {
    const uint64_t bit = positions % kBlockBits;
    block[bit / 8] |= std::byte{1} << (bit % 8);
  }
}

bool KeyFilterMayContain(const std::byte* block, uint64_t hash) {
  uint64_t positions = Positions(hash);
  for (int i = 0; i < kProbes; ++i, positions >>= kPositionBits) {
    const uint64_t bit = positions % kBlockBits;
    if ((block[bit / 8] & (std::byte{1} << (bit % 8))) == std::byte{0}) return false;
  }
  return true;
}

}  // namespace varve
