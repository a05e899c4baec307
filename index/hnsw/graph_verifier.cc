#include "index/hnsw/graph_verifier.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace varve::hnsw {
namespace {

class Verifier {
 public:
  Verifier(const GraphView& graph, std::vector<IndexDamage>* damage) : graph_(graph), damage_(*damage) {}

  void CheckLevel0() {
    for (SlotId slot = 0; slot < graph_.slot_count(); ++slot) {
      const uint64_t offset = graph_.RowOffset(slot);
      if (!Readable(graph_.graph(), offset, graph_.RowBytes())) continue;
      CheckRow(graph_.Row(slot), graph_.row_width(), slot, graph_.slot_count(), SectionKind::kGraph, offset,
               "slot " + std::to_string(slot));
    }
  }

  void CheckUpperLevels() {
    for (uint32_t level = 1; level <= graph_.level_count(); ++level) {
      for (uint32_t member = 0; member < graph_.member_count(level); ++member) {
        const uint64_t offset = graph_.UpperRowOffset(level, member);
        if (!Readable(graph_.levels(), offset, graph_.UpperRowBytes())) continue;
        CheckRow(graph_.UpperRow(level, member), graph_.m(), member, graph_.member_count(level),
                 SectionKind::kGraphLevels, offset,
                 "member " + std::to_string(member) + " of level " + std::to_string(level));
      }
    }
  }

  void CheckMembers() {
    if (graph_.level_count() == 0) return;
    std::vector<SlotId> slots;
    for (uint32_t member = 0; member < graph_.member_count(1); ++member) {
      const uint64_t offset = GraphView::MemberSlotOffset(member);
      if (!Readable(graph_.levels(), offset, sizeof(uint32_t))) continue;
      const SlotId slot = graph_.MemberSlot(member);
      if (slot >= graph_.slot_count()) {
        Add(SectionKind::kGraphLevels, offset,
            "member " + std::to_string(member) + " has slot " + std::to_string(slot) + ": expected below " +
                std::to_string(graph_.slot_count()));
      }
      if (member == 0 && slot != graph_.entry_slot()) {
        Add(SectionKind::kGraphLevels, offset,
            "the first member is slot " + std::to_string(slot) + ": expected the entry, " +
                std::to_string(graph_.entry_slot()));
      }
      slots.push_back(slot);
    }
    std::sort(slots.begin(), slots.end());
    const auto twice = std::adjacent_find(slots.begin(), slots.end());
    if (twice != slots.end()) {
      Add(SectionKind::kGraphLevels, kHeaderBytes, "slot " + std::to_string(*twice) + " is a member twice");
    }
  }

  void CheckReachability() {
    if (graph_.slot_count() == 0) return;
    std::vector<bool> reached(graph_.slot_count());
    std::vector<SlotId> stack = {graph_.entry_slot()};
    reached[graph_.entry_slot()] = true;
    while (!stack.empty()) {
      const SlotId slot = stack.back();
      stack.pop_back();
      const uint32_t* row = graph_.Row(slot);
      for (uint32_t i = 0; i < graph_.row_width() && row[i] < graph_.slot_count(); ++i) {
        if (reached[row[i]]) continue;
        reached[row[i]] = true;
        stack.push_back(row[i]);
      }
    }
    const auto lost = static_cast<uint64_t>(std::count(reached.begin(), reached.end(), false));
    if (lost == 0) return;
    const auto first = static_cast<SlotId>(std::find(reached.begin(), reached.end(), false) - reached.begin());
    Add(SectionKind::kGraph, graph_.RowOffset(first),
        std::to_string(lost) + " slots cannot be reached from the entry, the first is " + std::to_string(first));
  }

 private:
  bool Readable(const SectionView& section, uint64_t offset, uint64_t length) {
    const absl::Status status = section.Verify(offset, length);
    if (!status.ok()) Add(section.kind(), offset, std::string(status.message()));
    return status.ok();
  }

  void CheckRow(const uint32_t* row, uint32_t width, uint32_t self, uint32_t nodes, SectionKind section,
                uint64_t offset, const std::string& whose) {
    uint32_t size = 0;
    while (size < width && row[size] != kEndOfList) ++size;
    sorted_.assign(row, row + size);
    std::sort(sorted_.begin(), sorted_.end());
    if (size > 0 && sorted_.back() >= nodes) {
      Add(section, offset,
          whose + " has neighbour " + std::to_string(sorted_.back()) + ": expected below " + std::to_string(nodes));
    }
    if (std::adjacent_find(sorted_.begin(), sorted_.end()) != sorted_.end()) {
      Add(section, offset, whose + " has a neighbour twice");
    }
    if (std::binary_search(sorted_.begin(), sorted_.end(), self)) Add(section, offset, whose + " is its own neighbour");
    for (uint32_t i = size; i < width; ++i) {
      if (row[i] == kEndOfList) continue;
      Add(section, offset, whose + " has a neighbour behind the end of its list");
      break;
    }
  }

  void Add(SectionKind section, uint64_t offset, std::string what) {
    size_t& findings = section == SectionKind::kGraph ? graph_findings_ : level_findings_;
    if (findings++ < kMaxFindings) damage_.push_back({section, offset, std::move(what)});
  }

  const GraphView& graph_;
  std::vector<IndexDamage>& damage_;
  std::vector<uint32_t> sorted_;
  size_t graph_findings_ = 0;
  size_t level_findings_ = 0;
};

}  // namespace

void VerifyGraph(const GraphView& graph, bool deep, std::vector<IndexDamage>* damage) {
  Verifier verifier(graph, damage);
  verifier.CheckMembers();
  verifier.CheckUpperLevels();
  verifier.CheckLevel0();
  if (deep) verifier.CheckReachability();
}

}  // namespace varve::hnsw
