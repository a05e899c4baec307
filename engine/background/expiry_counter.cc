#include "engine/background/expiry_counter.h"

#include <algorithm>

namespace varve {
namespace {

constexpr int64_t kRememberMillis = 30'000;

}  // namespace

uint64_t ExpiryCounter::Expired(const SegmentPart& part, int64_t now_ms) {
  Count& count = counts_[part.entry.id()];
  if (count.at_ms != 0 && now_ms - count.at_ms < kRememberMillis) return count.expired;
  count = {now_ms, 0};
  const absl::StatusOr<absl::Span<const int64_t>> expiry = part.segment().Expiry();
  if (!expiry.ok()) return 0;
  for (size_t row = 0; row < expiry->size(); ++row) {
    if ((*expiry)[row] > now_ms) continue;
    if (part.dead == nullptr || !part.dead->Contains(static_cast<RowId>(row))) ++count.expired;
  }
  return count.expired;
}

bool ExpiryCounter::HasExpiring(const ReadView& view) {
  return std::any_of(view.segments.begin(), view.segments.end(), [](const SegmentPart& part) {
    const absl::StatusOr<absl::Span<const int64_t>> expiry = part.segment().Expiry();
    return expiry.ok() && !expiry->empty();
  });
}

void ExpiryCounter::Forget(const ReadView& view) {
  std::erase_if(counts_, [&](const auto& counted) {
    return std::none_of(view.segments.begin(), view.segments.end(),
                        [&](const SegmentPart& part) { return part.entry.id() == counted.first; });
  });
}

}  // namespace varve
