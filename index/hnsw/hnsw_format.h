// The sections of an HNSW index, and a checked view of them.
//
// Section kGraph: level 0. One row for every slot, in slot order, of 2 * m slot numbers (u32): the neighbours, nearest
// first. Unused places hold 0xFFFFFFFF; the first of them ends the list. Rows have no header, so that with m = 16 a row
// is exactly two cache lines, and never straddles one more wherever 2 * m is a multiple of 16.
//
// Section kGraphLevels: the levels above 0, over the few slots that reach them. Those are numbered from 0, by
// descending level: the members of level l are 0 .. counts[l] - 1 on each level, whence neither lists nor descents need
// a look-up.
//
//   offset  size  field
//   0       4     version         1
//   4       4     m
//   8       4     slot_count      that of the field
//   12      4     entry_slot      where a search begins: slots[0], or any slot if there are no levels above 0;
//                                 0xFFFFFFFF if slot_count is 0
//   16      4     level_count     levels above 0, at most 24
//   20      12    zeros
//   32      96    counts          u32 each: members of level 1, of level 2 ...; never larger than the one before; zeros
//                                 beyond level_count
//   128           slots           u32 for each member of level 1: its slot
//   then for each level from 1 on, beginning at a multiple of 64: a row of m member numbers (u32) for each of its
//   members, ended as on level 0. The section ends with the last level.
//
// All integers little-endian. m is also a param of both sections' directory entries.
// Source: Malkov, Yashunin, "Efficient and robust approximate nearest neighbor search using Hierarchical Navigable
// Small World graphs", TPAMI 2020.
#ifndef VARVE_INDEX_HNSW_HNSW_FORMAT_H_
#define VARVE_INDEX_HNSW_HNSW_FORMAT_H_

#include <array>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "index/field_index.h"
#include "segment/section.h"
#include "varve/types.h"

namespace varve::hnsw {

inline constexpr uint32_t kVersion = 1;
inline constexpr uint32_t kMinM = 4;
inline constexpr uint32_t kMaxM = 128;
inline constexpr uint32_t kMaxUpperLevels = 24;
inline constexpr uint64_t kHeaderBytes = 128;
inline constexpr uint64_t kLevelAlignment = 64;
inline constexpr uint32_t kEndOfList = 0xFFFFFFFF;
// Candidates are kept as 31 bits of slot and one of state.
inline constexpr uint32_t kMaxSlots = 0x7FFFFFFF;

struct Header {
  uint32_t version = kVersion;
  uint32_t m = 0;
  uint32_t slot_count = 0;
  uint32_t entry_slot = kNoSlot;
  uint32_t level_count = 0;
  uint32_t zeros[3] = {};
  std::array<uint32_t, kMaxUpperLevels> counts = {};
};
static_assert(sizeof(Header) == kHeaderBytes);

// Where the parts of kGraphLevels lie. Requires: a header with level_count <= kMaxUpperLevels.
struct LevelsLayout {
  explicit LevelsLayout(const Header& header);

  std::array<uint64_t, kMaxUpperLevels> links = {};  // offset of level l + 1
  uint64_t bytes = 0;                                // of the section
};

// The graph in place. Numbers found in rows and slots are not trusted: whoever follows one checks it first.
// Thread-safe.
class GraphView {
 public:
  GraphView() = default;

  // O(1): reads and checks the header, the sizes of both sections and the entry point. `params` are the index's.
  // Errors: DataLoss; Unimplemented for a newer version.
  static absl::StatusOr<GraphView> Open(const SectionSource& sections, uint32_t slot_count, const ParamMap& params);

  uint32_t slot_count() const { return header_.slot_count; }
  uint32_t m() const { return header_.m; }
  uint32_t row_width() const { return 2 * header_.m; }
  uint32_t level_count() const { return header_.level_count; }
  uint32_t entry_slot() const { return header_.entry_slot; }
  // Members of level 1 .. level_count().
  uint32_t member_count(uint32_t level) const { return header_.counts[level - 1]; }

  // The row of a slot on level 0. Requires: slot < slot_count().
  const uint32_t* Row(SlotId slot) const { return level0_ + size_t{slot} * row_width(); }
  uint64_t RowOffset(SlotId slot) const { return uint64_t{slot} * row_width() * sizeof(uint32_t); }
  uint64_t RowBytes() const { return uint64_t{row_width()} * sizeof(uint32_t); }

  // The row of a member on a level above 0; its slot. Requires: member < member_count(level).
  const uint32_t* UpperRow(uint32_t level, uint32_t member) const {
    return reinterpret_cast<const uint32_t*>(levels_.data() + UpperRowOffset(level, member));
  }
  uint64_t UpperRowOffset(uint32_t level, uint32_t member) const {
    return layout_links_[level - 1] + uint64_t{member} * header_.m * sizeof(uint32_t);
  }
  uint64_t UpperRowBytes() const { return uint64_t{header_.m} * sizeof(uint32_t); }
  SlotId MemberSlot(uint32_t member) const {
    return reinterpret_cast<const uint32_t*>(levels_.data() + kHeaderBytes)[member];
  }
  static uint64_t MemberSlotOffset(uint32_t member) { return kHeaderBytes + uint64_t{member} * sizeof(uint32_t); }

  const SectionView& graph() const { return graph_; }
  const SectionView& levels() const { return levels_; }

 private:
  Header header_;
  std::array<uint64_t, kMaxUpperLevels> layout_links_ = {};
  const uint32_t* level0_ = nullptr;
  SectionView graph_;
  SectionView levels_;
};

}  // namespace varve::hnsw

#endif  // VARVE_INDEX_HNSW_HNSW_FORMAT_H_
