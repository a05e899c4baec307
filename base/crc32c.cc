#include "base/crc32c.h"

#include <array>

#include "base/bytes.h"
#include "base/status.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace varve {
namespace {

// The polynomial with its bits reflected: bit 31 is the coefficient of x^0.
constexpr uint32_t kPolynomial = 0x82F63B78;

// value * x mod P, both reflected.
constexpr uint32_t TimesX(uint32_t value) { return (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0); }

// kTables[k][b]: what byte b contributes when k more bytes follow it in the same group of eight (slicing by eight:
// Kounavis and Berry, "A Systematic Approach to Building High Performance Software-based CRC Generators", ISCC 2005).
using Tables = std::array<std::array<uint32_t, 256>, 8>;

constexpr Tables MakeTables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = TimesX(value);
    tables[0][byte] = value;
  }
  for (size_t k = 1; k < tables.size(); ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t shorter = tables[k - 1][byte];
      tables[k][byte] = (shorter >> 8) ^ tables[0][shorter & 0xFF];
    }
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

// These work on the register, that is the checksum with all bits inverted.
uint32_t UpdatePortable(uint32_t state, const char* data, size_t size) {
  for (; size >= 8; data += 8, size -= 8) {
    const uint64_t word = LoadUnaligned<uint64_t>(data) ^ state;
    state = 0;
    for (size_t i = 0; i < 8; ++i) state ^= kTables[7 - i][(word >> (8 * i)) & 0xFF];
  }
  for (; size > 0; ++data, --size) {
    state = (state >> 8) ^ kTables[0][(state ^ static_cast<unsigned char>(*data)) & 0xFF];
  }
  return state;
}

#if defined(__x86_64__)

// x^exponent mod P, reflected.
constexpr uint32_t XPower(size_t exponent) {
  uint32_t value = 0x80000000;
  for (size_t i = 0; i < exponent; ++i) value = TimesX(value);
  return value;
}

// The crc32 instruction takes three cycles but a new one can start each cycle, so three streams of kStreamBytes run
// side by side. To join them, the first two registers are multiplied by x^(8 n), where n is the number of bytes behind
// them. The carry-less product of two reflected 32-bit values, taken as a reflected 64-bit one, is their product times
// x, and the crc32 instruction on it multiplies by x^32 and reduces: hence the 33. Method: Gopal et al., "Fast CRC
// Computation for iSCSI Polynomial Using CRC32 Instruction", Intel 2011.
template <size_t kStreamBytes>
__attribute__((target("sse4.2,pclmul"))) inline uint64_t UpdateTriples(uint64_t state, const char** data,
                                                                       size_t* size) {
  static_assert(kStreamBytes % 8 == 0 && kStreamBytes * 8 > 33);
  constexpr long long kShiftOne = XPower(kStreamBytes * 8 - 33);
  constexpr long long kShiftTwo = XPower(kStreamBytes * 16 - 33);
  const char* next = *data;
  size_t left = *size;
  for (; left >= 3 * kStreamBytes; next += 3 * kStreamBytes, left -= 3 * kStreamBytes) {
    uint64_t a = state;
    uint64_t b = 0;
    uint64_t c = 0;
    for (size_t i = 0; i < kStreamBytes; i += 8) {
      a = _mm_crc32_u64(a, LoadUnaligned<uint64_t>(next + i));
      b = _mm_crc32_u64(b, LoadUnaligned<uint64_t>(next + kStreamBytes + i));
      c = _mm_crc32_u64(c, LoadUnaligned<uint64_t>(next + 2 * kStreamBytes + i));
    }
    const __m128i product_a =
        _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<long long>(a)), _mm_cvtsi64_si128(kShiftTwo), 0);
    const __m128i product_b =
        _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<long long>(b)), _mm_cvtsi64_si128(kShiftOne), 0);
    const auto joined = static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_xor_si128(product_a, product_b)));
    state = _mm_crc32_u64(0, joined) ^ c;
  }
  *data = next;
  *size = left;
  return state;
}

__attribute__((target("sse4.2,pclmul"))) uint32_t UpdateSse42(uint32_t initial, const char* data, size_t size) {
  uint64_t state = initial;
  state = UpdateTriples<2048>(state, &data, &size);
  state = UpdateTriples<256>(state, &data, &size);
  state = UpdateTriples<64>(state, &data, &size);
  for (; size >= 8; data += 8, size -= 8) state = _mm_crc32_u64(state, LoadUnaligned<uint64_t>(data));
  auto last = static_cast<uint32_t>(state);
  for (; size > 0; ++data, --size) last = _mm_crc32_u8(last, static_cast<unsigned char>(*data));
  return last;
}

#endif

using Update = uint32_t (*)(uint32_t state, const char* data, size_t size);

Update ChooseUpdate() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul")) return UpdateSse42;
#endif
  return UpdatePortable;
}

Crc32c Extend(Update update, Crc32c crc, std::string_view data) {
  return Crc32c{~update(~static_cast<uint32_t>(crc), data.data(), data.size())};
}

}  // namespace

Crc32c ComputeCrc32c(std::string_view data) { return ExtendCrc32c(Crc32c{0}, data); }
Crc32c ComputeCrc32c(absl::Span<const std::byte> data) { return ExtendCrc32c(Crc32c{0}, AsChars(data)); }

Crc32c ExtendCrc32c(Crc32c crc, std::string_view data) {
  static const Update update = ChooseUpdate();
  return Extend(update, crc, data);
}
Crc32c ExtendCrc32c(Crc32c crc, absl::Span<const std::byte> data) { return ExtendCrc32c(crc, AsChars(data)); }

Crc32c ExtendCrc32cPortable(Crc32c crc, std::string_view data) { return Extend(UpdatePortable, crc, data); }

std::string Crc32cToHex(Crc32c crc) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const auto value = static_cast<uint32_t>(crc);
  std::string hex;
  for (int shift = 28; shift >= 0; shift -= 4) hex += kDigits[(value >> shift) & 15];
  return hex;
}

absl::StatusOr<Crc32c> Crc32cFromHex(std::string_view hex) {
  uint32_t value = 0;
  bool valid = hex.size() == 8;
  for (const char c : hex) {
    const bool digit = c >= '0' && c <= '9';
    valid = valid && (digit || (c >= 'a' && c <= 'f'));
    if (!valid) break;
    value = value << 4 | static_cast<uint32_t>(digit ? c - '0' : c - 'a' + 10);
  }
  if (!valid) return InvalidArgument("checksum: " + Quoted(hex) + ": expected eight lower-case hex digits");
  return Crc32c{value};
}

}  // namespace varve
