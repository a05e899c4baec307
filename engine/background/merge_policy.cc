#include "engine/background/merge_policy.h"

#include <algorithm>
#include <bit>
#include <map>

namespace varve {
namespace {

double DeadShare(const pb::SegmentEntry& segment) {
  if (segment.rows() == 0) return 1;
  return 1 - static_cast<double>(segment.live_rows()) / static_cast<double>(segment.rows());
}

}  // namespace

std::vector<FileId> PickMerge(absl::Span<const pb::SegmentEntry* const> segments, bool full) {
  if (full) {
    if (segments.empty() || (segments.size() == 1 && DeadShare(*segments[0]) == 0)) return {};
    std::vector<FileId> all;
    for (const pb::SegmentEntry* segment : segments) all.push_back(segment->id());
    return all;
  }
  std::map<int, std::vector<FileId>> tiers;
  for (const pb::SegmentEntry* segment : segments) {
    if (DeadShare(*segment) > kMaxDeadShare) return {segment->id()};
    tiers[static_cast<int>(std::bit_width(segment->live_rows())) / 2].push_back(segment->id());
  }
  // The smallest tier first: it costs least.
  for (const auto& [tier, members] : tiers) {
    if (members.size() >= kSegmentsPerTier) return members;
  }
  return {};
}

}  // namespace varve
