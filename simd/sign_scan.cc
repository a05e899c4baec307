// The order matters.
// clang-format off
#include "simd/sign_scan.h"
#include "simd/highway_config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/sign_scan.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// clang-format on

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace varve {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

void SumEntries(const uint8_t* codes, const uint8_t* tables, size_t groups, uint32_t* sums) {
  for (size_t g = 0; g < groups; ++g, codes += kSignTableBytes, tables += kSignTableBytes) {
    for (size_t row = 0; row < kSignTableBytes; ++row) {
      sums[row] += tables[codes[row] & 0x0F];
      sums[kSignTableBytes + row] += tables[codes[row] >> 4];
    }
  }
}

#else

// A register holds the same 32 rows of as many groups as it has blocks of 16 bytes.
using ByteTag = hn::ScalableTag<uint8_t>;
using WordTag = hn::Repartition<uint16_t, ByteTag>;
using Words = hn::Vec<WordTag>;
using RowWordTag = hn::Full128<uint16_t>;
using RowWords = hn::Vec<RowWordTag>;

// Sums of so many entries of 255 at most fit into 16 bits.
constexpr size_t kMostGroupsInWords = 256;

// Adds up the blocks of 16 bytes of a register.
RowWords SumBlocks(Words words) {
  const WordTag d;
  const RowWordTag rows;
  HWY_ALIGN uint16_t blocks[hn::MaxLanes(WordTag())];
  hn::Store(words, d, blocks);
  RowWords sum = hn::Load(rows, blocks);
  for (size_t i = hn::Lanes(rows); i < hn::Lanes(d); i += hn::Lanes(rows))
    sum = hn::Add(sum, hn::Load(rows, blocks + i));
  return sum;
}

// Adds 16 sums, of which `even` and `odd` have every other one, to those in `sums`.
void AddSums(RowWords even, RowWords odd, uint32_t* sums) {
  const RowWordTag d;
  const hn::Full128<uint32_t> d32;
  const hn::Full64<uint16_t> half;
  const RowWords lower = hn::InterleaveLower(d, even, odd);
  const RowWords upper = hn::InterleaveUpper(d, even, odd);
  const auto add = [&](hn::Vec<hn::Full64<uint16_t>> words, uint32_t* to) {
    hn::Store(hn::Add(hn::Load(d32, to), hn::PromoteTo(d32, words)), d32, to);
  };
  add(hn::LowerHalf(half, lower), sums);
  add(hn::UpperHalf(half, lower), sums + 4);
  add(hn::LowerHalf(half, upper), sums + 8);
  add(hn::UpperHalf(half, upper), sums + 12);
}

// The entries' sums of 32 rows.
void SumEntries(const uint8_t* codes, const uint8_t* tables, size_t groups, uint32_t* sums) {
  const ByteTag d8;
  const WordTag d16;
  const auto nibble = hn::Set(d8, uint8_t{0x0F});
  const auto low_byte = hn::Set(d16, uint16_t{0x00FF});
  const size_t groups_in_step = hn::Lanes(d8) / kSignTableBytes;
  for (size_t first = 0; first < groups; first += kMostGroupsInWords) {
    const size_t last = std::min(groups, first + kMostGroupsInWords);
    Words even_low = hn::Zero(d16), odd_low = hn::Zero(d16), even_high = hn::Zero(d16), odd_high = hn::Zero(d16);
    for (size_t g = first; g < last; g += groups_in_step) {
      const auto code = hn::LoadU(d8, codes + g * kSignTableBytes);
      const auto table = hn::LoadU(d8, tables + g * kSignTableBytes);
      const auto upper = hn::And(hn::BitCast(d8, hn::ShiftRight<4>(hn::BitCast(d16, code))), nibble);
      const Words low = hn::BitCast(d16, hn::TableLookupBytes(table, hn::And(code, nibble)));
      const Words high = hn::BitCast(d16, hn::TableLookupBytes(table, upper));
      even_low = hn::Add(even_low, hn::And(low, low_byte));
      odd_low = hn::Add(odd_low, hn::ShiftRight<8>(low));
      even_high = hn::Add(even_high, hn::And(high, low_byte));
      odd_high = hn::Add(odd_high, hn::ShiftRight<8>(high));
    }
    AddSums(SumBlocks(even_low), SumBlocks(odd_low), sums);
    AddSums(SumBlocks(even_high), SumBlocks(odd_high), sums + 16);
  }
}

#endif

uint32_t RowsWithin(const SignBlock& block, const SignQuery& query, float limit) {
  HWY_ALIGN uint32_t sums[kSignBlockRows] = {};
  SumEntries(block.codes, query.tables, query.groups, sums);
  const hn::CappedTag<float, kSignBlockRows> d;
  const hn::RebindToSigned<decltype(d)> d32;
  const auto step = hn::Set(d, query.step), offset = hn::Set(d, query.offset), base = hn::Set(d, query.base);
  const auto deviation = hn::Set(d, query.deviation), most = hn::Set(d, limit);
  uint32_t within = 0;
  for (size_t row = 0; row < kSignBlockRows; row += hn::Lanes(d)) {
    const auto entries = hn::ConvertTo(d, hn::BitCast(d32, hn::Load(hn::RebindToUnsigned<decltype(d)>(), sums + row)));
    auto bound = hn::Add(hn::LoadU(d, block.base + row), base);
    bound = hn::NegMulAdd(hn::LoadU(d, block.scale + row), hn::MulAdd(entries, step, offset), bound);
    bound = hn::NegMulAdd(hn::LoadU(d, block.deviation + row), deviation, bound);
    uint8_t bits[8] = {};
    hn::StoreMaskBits(d, hn::Gt(bound, most), bits);
    uint32_t above = 0;
    for (size_t byte = 0; byte < (hn::Lanes(d) + 7) / 8; ++byte) above |= uint32_t{bits[byte]} << (8 * byte);
    within |= (~above & ((uint32_t{1} << hn::Lanes(d)) - 1)) << row;
  }
  return within;
}

}  // namespace HWY_NAMESPACE
}  // namespace varve
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace varve {

HWY_EXPORT(RowsWithin);

uint32_t SignRowsWithin(const SignBlock& block, const SignQuery& query, float limit) {
  return HWY_DYNAMIC_DISPATCH(RowsWithin)(block, query, limit);
}

}  // namespace varve
#endif  // HWY_ONCE
