#include "bench/workload/key_model.h"

namespace varve::churn {
namespace {

constexpr int kTickShift = 26;
constexpr uint64_t kLiveBit = uint64_t{1} << 25;

}  // namespace

KeyModel::KeyModel(uint32_t keys, Clock* clock)
    : clock_(clock), words_(keys), expires_from_ms_(keys), expires_until_ms_(keys) {
  for (uint32_t key = 0; key < keys; ++key) SetDead(key);
}

void KeyModel::Set(uint32_t key, uint64_t low_bits) {
  words_[key].store(((tick_.fetch_add(1) + 1) << kTickShift) | low_bits);
}

void KeyModel::SetLive(uint32_t key, uint32_t row, const Expiry& expiry) {
  expires_from_ms_[key].store(expiry.from_ms);
  expires_until_ms_[key].store(expiry.until_ms);
  Set(key, kLiveBit | row);
}

void KeyModel::SetDead(uint32_t key) { Set(key, 0); }

KeyModel::Known KeyModel::Throughout(uint32_t key, const Moment& since) const {
  const uint64_t word = words_[key].load();
  if (word == 0 || (word >> kTickShift) > since.tick) return {};
  if ((word & kLiveBit) == 0) return {State::kDead};
  const int64_t from_ms = expires_from_ms_[key].load();
  const int64_t until_ms = expires_until_ms_[key].load();
  if (words_[key].load() != word) return {};
  if (until_ms <= since.wall_ms) return {State::kDead};
  if (from_ms <= NowMillis()) return {};
  return {State::kLive, static_cast<uint32_t>(word & (kMaxModelRows - 1)), from_ms != INT64_MAX};
}

}  // namespace varve::churn
