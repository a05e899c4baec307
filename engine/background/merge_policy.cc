#include "engine/background/merge_policy.h"

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

namespace varve {
namespace {

bool HasManyDeadRows(const MergeCandidate& segment) {
  return (segment.rows - segment.live_rows) * 100 > segment.rows * kMaxDeadPercent;
}

// 0: a fragment.
int TierOf(uint64_t live_rows) {
  int tier = 0;
  for (uint64_t from = kMiddleRows / 2; live_rows >= from; from *= kSegmentsPerTier) {
    ++tier;
    if (from > UINT64_MAX / kSegmentsPerTier) break;
  }
  return tier;
}

std::vector<MergeCandidate> SmallestFirst(absl::Span<const MergeCandidate> segments) {
  std::vector<MergeCandidate> sorted(segments.begin(), segments.end());
  std::sort(sorted.begin(), sorted.end(), [](const MergeCandidate& a, const MergeCandidate& b) {
    return std::pair(a.live_rows, a.id) < std::pair(b.live_rows, b.id);
  });
  return sorted;
}

// The plan for the smallest of `members` (ascending) that fit together, or none if those are fewer than two.
std::optional<MergePlan> Fold(absl::Span<const MergeCandidate> members, const MergeLimits& limits, std::string why) {
  MergePlan plan;
  for (const MergeCandidate& member : members) {
    if (member.live_rows > limits.max_rows - std::min(limits.max_rows, plan.rows)) break;
    if (member.row_bytes > limits.max_row_bytes - std::min(limits.max_row_bytes, plan.row_bytes)) break;
    plan.inputs.push_back(member.id);
    plan.rows += member.live_rows;
    plan.row_bytes += member.row_bytes;
  }
  if (plan.inputs.size() < 2) return std::nullopt;
  std::sort(plan.inputs.begin(), plan.inputs.end());
  plan.level = TierOf(plan.rows) > 0 ? 1 : 0;
  plan.why = std::move(why);
  return plan;
}

MergePlan Rewrite(const MergeCandidate& segment, std::string why) {
  MergePlan plan;
  plan.inputs = {segment.id};
  plan.rows = segment.live_rows;
  plan.row_bytes = segment.row_bytes;
  plan.level = TierOf(plan.rows) > 0 ? 1 : 0;
  plan.why = std::move(why);
  return plan;
}

uint64_t RowsOf(absl::Span<const MergeCandidate> segments) {
  uint64_t rows = 0;
  for (const MergeCandidate& segment : segments) rows += segment.live_rows;
  return rows;
}

std::vector<MergeCandidate> FragmentsOf(absl::Span<const MergeCandidate> sorted) {
  std::vector<MergeCandidate> fragments;
  for (const MergeCandidate& segment : sorted) {
    if (TierOf(segment.live_rows) == 0) fragments.push_back(segment);
  }
  return fragments;
}

// Fragments become a middle segment; many tiny ones a larger fragment before that.
std::optional<MergePlan> FoldFragments(absl::Span<const MergeCandidate> fragments, const MergeLimits& limits) {
  // With little memory a middle segment is smaller.
  const uint64_t enough = std::min(kMiddleRows, limits.max_rows / 2);
  if (RowsOf(fragments) >= enough) {
    if (auto plan = Fold(fragments, limits, "fragments of " + std::to_string(RowsOf(fragments)) + " rows")) {
      plan->level = 1;
      return plan;
    }
  }
  std::map<int, std::vector<MergeCandidate>> sizes;
  for (const MergeCandidate& fragment : fragments) {
    sizes[static_cast<int>(std::bit_width(fragment.live_rows)) / 3].push_back(fragment);
  }
  for (const auto& [size, members] : sizes) {
    if (members.size() < kFragmentsPerMerge) continue;
    if (auto plan = Fold(members, limits, std::to_string(members.size()) + " small fragments")) return plan;
  }
  return std::nullopt;
}

std::optional<MergePlan> FoldTiers(absl::Span<const MergeCandidate> sorted, const MergeLimits& limits) {
  std::map<int, std::vector<MergeCandidate>> tiers;
  for (const MergeCandidate& segment : sorted) {
    if (const int tier = TierOf(segment.live_rows); tier > 0) tiers[tier].push_back(segment);
  }
  for (const auto& [tier, members] : tiers) {
    if (members.size() < kSegmentsPerTier) continue;
    const std::string why = std::to_string(members.size()) + " segments of tier " + std::to_string(tier);
    if (auto plan = Fold(members, limits, why)) return plan;
  }
  return std::nullopt;
}

}  // namespace

std::optional<MergePlan> PickMerge(absl::Span<const MergeCandidate> segments, const MergeLimits& limits) {
  const std::vector<MergeCandidate> sorted = SmallestFirst(segments);
  const std::vector<MergeCandidate> fragments = FragmentsOf(sorted);
  if (auto plan = FoldFragments(fragments, limits)) return plan;
  for (const MergeCandidate& segment : sorted) {
    if (HasManyDeadRows(segment)) {
      return Rewrite(segment, std::to_string(segment.rows - segment.live_rows) + " of " + std::to_string(segment.rows) +
                                  " rows dead or expired");
    }
  }
  // Fragments get theirs when they are folded.
  for (const MergeCandidate& segment : sorted) {
    const bool fits = segment.live_rows <= limits.max_rows && segment.row_bytes <= limits.max_row_bytes;
    if (segment.lacks_graph && fits && TierOf(segment.live_rows) > 0) {
      return Rewrite(segment, "flushed without a graph for want of memory");
    }
  }
  if (sorted.size() > limits.max_segments) {
    const size_t count = std::max<size_t>(sorted.size() - limits.max_segments + 1, kSegmentsPerTier / 2);
    const std::string why =
        std::to_string(sorted.size()) + " segments, more than " + std::to_string(limits.max_segments);
    if (auto plan = Fold(absl::MakeConstSpan(sorted).subspan(0, count), limits, why)) return plan;
  }
  return FoldTiers(sorted, limits);
}

std::optional<MergePlan> PickRequestedMerge(absl::Span<const MergeCandidate> segments, const MergeLimits& limits) {
  if (auto plan = PickMerge(segments, limits)) return plan;
  auto plan = Fold(FragmentsOf(SmallestFirst(segments)), limits, "asked for");
  if (plan.has_value()) plan->level = 1;
  return plan;
}

std::optional<MergePlan> PickFullMerge(absl::Span<const MergeCandidate> segments, const MergeLimits& limits) {
  const std::vector<MergeCandidate> sorted = SmallestFirst(segments);
  auto plan = Fold(sorted, limits, "asked for");
  if (!plan.has_value()) {
    for (const MergeCandidate& segment : sorted) {
      if (segment.live_rows < segment.rows) {
        plan = Rewrite(segment, "asked for, without its dead rows");
        break;
      }
    }
  }
  if (plan.has_value()) plan->level = 1;
  return plan;
}

}  // namespace varve
