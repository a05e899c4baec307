// The hash of keys and the key filter: a Bloom filter in blocks of one cache line, which says of most keys that are not
// in a segment that they are not. About ten bits per key; about one wrong "maybe" in a hundred. Source: Putze, Sanders,
// Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", JEA 2009, section 3. Thread-safe: free functions.
#ifndef VARVE_SEGMENT_KEY_FILTER_H_
#define VARVE_SEGMENT_KEY_FILTER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace varve {

inline constexpr uint64_t kKeyFilterBlockBytes = 64;

// XXH3-64 of the key, seeded with XXH3-64 of the namespace, which is seeded with `seed`: no two (ns, key) pairs are the
// same string to it. The seed is random per segment, so that nobody can make keys that collide.
uint64_t HashKey(uint64_t seed, std::string_view ns, std::string_view key);

// `hash` spread evenly over 0 .. bound - 1, by its high bits. Requires: bound > 0.
constexpr uint64_t SpreadHash(uint64_t hash, uint64_t bound) {
  return static_cast<uint64_t>((static_cast<__uint128_t>(hash) * bound) >> 64);
}

// Blocks of the filter of `rows` keys.
uint64_t KeyFilterBlockCount(uint64_t rows);

// `block` is the address of block SpreadHash(hash, block count) of the filter: 64 bytes.
void KeyFilterAdd(std::byte* block, uint64_t hash);
bool KeyFilterMayContain(const std::byte* block, uint64_t hash);

}  // namespace varve

#endif  // VARVE_SEGMENT_KEY_FILTER_H_
