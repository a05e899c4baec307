#include "engine/background/merge_backoff.h"

#include <algorithm>

namespace varve {
namespace {

constexpr int64_t kFirstMicros = 10'000'000;
constexpr int64_t kLongestMicros = int64_t{3600} * 1'000'000;

}  // namespace

void MergeBackoff::Prolong(Wait* wait, int64_t now_us) {
  wait->length_us = std::clamp(wait->length_us * 2, kFirstMicros, kLongestMicros);
  wait->until_us = now_us + wait->length_us;
}

void MergeBackoff::Failed(absl::Span<const FileId> segments, int64_t now_us) {
  for (const FileId segment : segments) Prolong(&segments_[segment], now_us);
}

void MergeBackoff::TooLarge(uint64_t rows, int64_t now_us) {
  max_rows_ = rows / 2;
  Prolong(&too_large_, now_us);
}

bool MergeBackoff::LeavesOut(FileId segment, int64_t now_us) const {
  const auto found = segments_.find(segment);
  return found != segments_.end() && now_us < found->second.until_us;
}

uint64_t MergeBackoff::max_rows(int64_t now_us) const { return now_us < too_large_.until_us ? max_rows_ : UINT64_MAX; }

int64_t MergeBackoff::next_try_us(int64_t now_us) const {
  int64_t next = now_us < too_large_.until_us ? too_large_.until_us : 0;
  for (const auto& [segment, wait] : segments_) {
    if (now_us < wait.until_us) next = next == 0 ? wait.until_us : std::min(next, wait.until_us);
  }
  return next;
}

void MergeBackoff::Forget(const ReadView& view) {
  std::erase_if(segments_, [&](const auto& entry) {
    return std::none_of(view.segments.begin(), view.segments.end(),
                        [&](const SegmentPart& part) { return part.entry.id() == entry.first; });
  });
}

}  // namespace varve
