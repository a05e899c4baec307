#include "index/hnsw/hnsw_format.h"

#include <string>

#include "base/bytes.h"
#include "base/status.h"

namespace varve::hnsw {
namespace {

constexpr uint64_t kVersionOffset = 0, kMOffset = 4, kSlotCountOffset = 8, kEntryOffset = 12, kLevelCountOffset = 16,
                   kZerosOffset = 20, kCountsOffset = 32;

absl::Status CheckCounts(const Header& header, const SectionView& levels) {
  for (uint32_t i = 0; i < kMaxUpperLevels; ++i) {
    const uint32_t limit = i == 0 ? header.slot_count : header.counts[i - 1];
    const bool used = i < header.level_count;
    if (used ? header.counts[i] == 0 || header.counts[i] > limit : header.counts[i] != 0) {
      return levels.Damaged(kCountsOffset + 4 * i,
                            "level " + std::to_string(i + 1) + " has " + std::to_string(header.counts[i]) + " members");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckHeader(const Header& header, const SectionView& levels, uint32_t slot_count, const ParamMap& params) {
  if (header.version != kVersion) {
    if (header.version > kVersion) {
      return Unimplemented("HNSW index of version " + std::to_string(header.version) + ": this build reads " +
                           std::to_string(kVersion));
    }
    return levels.Damaged(kVersionOffset, "version " + std::to_string(header.version));
  }
  const auto given_m = params.find("m");
  if (header.m < kMinM || header.m > kMaxM || (given_m != params.end() && given_m->second != header.m)) {
    return levels.Damaged(kMOffset, "m is " + std::to_string(header.m));
  }
  if (header.slot_count != slot_count || slot_count > kMaxSlots) {
    return levels.Damaged(kSlotCountOffset,
                          std::to_string(header.slot_count) + " slots: expected " + std::to_string(slot_count));
  }
  if (slot_count == 0 ? header.entry_slot != kNoSlot : header.entry_slot >= slot_count) {
    return levels.Damaged(kEntryOffset,
                          "entry slot " + std::to_string(header.entry_slot) + " of " + std::to_string(slot_count));
  }
  if (header.level_count > kMaxUpperLevels) {
    return levels.Damaged(kLevelCountOffset, std::to_string(header.level_count) + " levels");
  }
  for (const uint32_t zero : header.zeros) {
    if (zero != 0) return levels.Damaged(kZerosOffset, "reserved bytes are not zero");
  }
  return CheckCounts(header, levels);
}

bool IsAligned(const SectionView& view) { return reinterpret_cast<uintptr_t>(view.data()) % alignof(uint32_t) == 0; }

}  // namespace

LevelsLayout::LevelsLayout(const Header& header) {
  // At most 2^32 members of 128 links on each of 24 levels: far from overflow.
  bytes = kHeaderBytes + uint64_t{header.counts[0]} * sizeof(uint32_t);
  for (uint32_t level = 0; level < header.level_count; ++level) {
    links[level] = AlignUp(bytes, kLevelAlignment);
    bytes = links[level] + uint64_t{header.counts[level]} * header.m * sizeof(uint32_t);
  }
}

absl::StatusOr<GraphView> GraphView::Open(const SectionSource& sections, uint32_t slot_count, const ParamMap& params) {
  GraphView view;
  view.graph_ = sections.Find(SectionKind::kGraph);
  view.levels_ = sections.Find(SectionKind::kGraphLevels);
  if (!view.graph_.present() || !view.levels_.present()) {
    return DataLoss("HNSW index has no section GRAPH or GRAPH_LEVELS");
  }
  const SectionView& levels = view.levels_;
  if (levels.size() < kHeaderBytes) return levels.Damaged(0, "section is shorter than its header");
  if (!IsAligned(levels) || !IsAligned(view.graph_)) return levels.Damaged(0, "section is not aligned");
  RETURN_IF_ERROR(levels.Verify(0, kHeaderBytes));
  view.header_ = LoadUnaligned<Header>(levels.data());
  RETURN_IF_ERROR(CheckHeader(view.header_, levels, slot_count, params));

  const LevelsLayout layout(view.header_);
  if (levels.size() != layout.bytes) {
    return levels.Damaged(
        0, "section has " + std::to_string(levels.size()) + " bytes: expected " + std::to_string(layout.bytes));
  }
  if (view.graph_.size() != slot_count * view.RowBytes()) {
    return view.graph_.Damaged(0, "section has " + std::to_string(view.graph_.size()) + " bytes: expected " +
                                      std::to_string(slot_count) + " rows of " + std::to_string(view.RowBytes()));
  }
  view.layout_links_ = layout.links;
  view.level0_ = reinterpret_cast<const uint32_t*>(view.graph_.data());
  return view;
}

}  // namespace varve::hnsw
