#include "index/hnsw/slot_space.h"

namespace varve::hnsw {

bool SlotSpace::ReadMemberSlot(uint32_t member, SlotId* slot) {
  const uint64_t offset = GraphView::MemberSlotOffset(member);
  if (!Readable(graph_.levels(), offset, sizeof(uint32_t))) return false;
  *slot = graph_.MemberSlot(member);
  if (*slot < graph_.slot_count()) return true;
  status_ = graph_.levels().Damaged(
      offset, "member's slot " + std::to_string(*slot) + " of " + std::to_string(graph_.slot_count()));
  return false;
}

bool SlotSpace::ReadUpperRow(uint32_t level, uint32_t member, uint32_t* members, SlotId* slots, size_t* count) {
  const uint64_t offset = graph_.UpperRowOffset(level, member);
  if (!Readable(graph_.levels(), offset, graph_.UpperRowBytes())) return false;
  const uint32_t* row = graph_.UpperRow(level, member);
  *count = 0;
  for (uint32_t place = 0; place < graph_.m() && row[place] != kEndOfList; ++place) {
    if (row[place] >= graph_.member_count(level)) {
      status_ = graph_.levels().Damaged(
          offset + place * sizeof(uint32_t),
          "neighbour " + std::to_string(row[place]) + " of " + std::to_string(graph_.member_count(level)) + " members");
      return false;
    }
    members[*count] = row[place];
    if (!ReadMemberSlot(row[place], &slots[*count])) return false;
    ++*count;
  }
  return true;
}

}  // namespace varve::hnsw
