#include "engine/background/merge_policy.h"

#include <algorithm>
#include <bit>
#include <map>

namespace varve {
namespace {

uint64_t DeadRows(const pb::SegmentEntry& segment) { return segment.rows() - segment.live_rows(); }

bool HasManyDeadRows(const pb::SegmentEntry& segment) {
  return DeadRows(segment) * 100 > segment.rows() * kMaxDeadPercent;
}

}  // namespace

std::vector<FileId> PickMerge(absl::Span<const pb::SegmentEntry* const> segments, bool full) {
  if (full) {
    if (segments.empty() || (segments.size() == 1 && DeadRows(*segments[0]) == 0)) return {};
    std::vector<FileId> all;
    for (const pb::SegmentEntry* segment : segments) all.push_back(segment->id());
    return all;
  }
  std::map<int, std::vector<FileId>> tiers;
  for (const pb::SegmentEntry* segment : segments) {
    if (HasManyDeadRows(*segment)) return {segment->id()};
    tiers[static_cast<int>(std::bit_width(segment->live_rows())) / 2].push_back(segment->id());
  }
  // The smallest tier first: it costs least.
  for (const auto& [tier, members] : tiers) {
    if (members.size() >= kSegmentsPerTier) return members;
  }
  return {};
}

}  // namespace varve
