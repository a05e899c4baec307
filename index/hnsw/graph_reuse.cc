#include "index/hnsw/graph_reuse.h"

#include <algorithm>
#include <iterator>

#include "base/status.h"
#include "base/thread_pool.h"
#include "index/hnsw/graph_verifier.h"

namespace varve::hnsw {
namespace {

// A node that keeps fewer of its neighbours than one in so many is inserted anew. Few do where slots were dropped at
// random, but with three tenths dropped a quarter of the recall that was lost is theirs.
constexpr size_t kLeastKeptPart = 2;
// Nodes no longer there that are looked through for one row: of those behind the neighbours lost as many again, and
// more only while most of what is seen is lost too, for then a whole region was dropped and few rows are concerned.
// More for all would cost twice the time, and add nothing to the recall of graphs that have lost a tenth.
constexpr size_t kPassedPerNeighbor = 2;
constexpr size_t kMostPassed = 64;
constexpr size_t kRowsPerPiece = 1024;

}  // namespace

struct GraphReuse::Scratch {
  std::vector<uint32_t> kept;   // new nodes that the row leads to
  std::vector<uint32_t> lost;   // old nodes that it led to, then those seen through them
  std::vector<uint32_t> found;  // new nodes behind the lost ones
  std::vector<float> distances;
  std::vector<Candidate> links;
  std::vector<Candidate> candidates;
};

absl::StatusOr<GraphReuse> GraphReuse::Open(const GraphView& graph, absl::Span<const SlotId> new_slots,
                                            uint32_t slot_count) {
  std::vector<IndexDamage> damage;
  VerifyGraph(graph, /*deep=*/false, &damage);
  if (!damage.empty()) {
    const SectionView& section = damage[0].section == SectionKind::kGraph ? graph.graph() : graph.levels();
    return section.Damaged(damage[0].offset, damage[0].what);
  }
  GraphReuse reuse(graph, new_slots, slot_count);
  reuse.KeepLevels();
  reuse.ChooseKept();
  return reuse;
}

absl::Span<const uint32_t> GraphReuse::OldRow(uint32_t level, uint32_t old_node) const {
  const uint32_t* row = level == 0 ? graph_.Row(old_node) : graph_.UpperRow(level, old_node);
  const uint32_t* end = row + (level == 0 ? graph_.row_width() : graph_.m());
  return {row, static_cast<size_t>(std::find(row, end, kEndOfList) - row)};
}

void GraphReuse::KeepLevels() {
  for (const SlotId slot : new_slots_) {
    if (slot != kNoSlot) levels_[slot] = 0;
  }
  for (uint32_t level = 1; level <= graph_.level_count(); ++level) {
    for (uint32_t member = 0; member < graph_.member_count(level); ++member) {
      const SlotId slot = new_slots_[graph_.MemberSlot(member)];
      if (slot != kNoSlot) levels_[slot] = static_cast<uint8_t>(level);
    }
  }
}

void GraphReuse::ChooseKept() {
  is_kept_.resize(new_slots_.size());
  for (SlotId old = 0; old < new_slots_.size(); ++old) {
    if (new_slots_[old] == kNoSlot) continue;
    const absl::Span<const uint32_t> row = OldRow(0, old);
    const auto left = static_cast<size_t>(
        std::count_if(row.begin(), row.end(), [&](SlotId other) { return new_slots_[other] != kNoSlot; }));
    is_kept_[old] = left * kLeastKeptPart >= row.size();
    kept_count_ += is_kept_[old];
  }
}

absl::Status GraphReuse::Build(const BuildContext& context, GraphBuilder* builder) {
  const InsertionOrder& order = builder->order();
  std::vector<uint32_t> node_of_slot(order.slots.size());
  for (uint32_t node = 0; node < node_of_slot.size(); ++node) node_of_slot[order.slots[node]] = node;
  std::vector<bool> is_missing(node_of_slot.size(), true);
  new_node_.assign(new_slots_.size(), kEndOfList);
  for (SlotId old = 0; old < new_slots_.size(); ++old) {
    if (!is_kept_[old]) continue;
    new_node_[old] = node_of_slot[new_slots_[old]];
    is_missing[new_node_[old]] = false;
  }
  std::vector<uint32_t> missing;
  missing.reserve(is_missing.size() - kept_count_);
  for (uint32_t node = 0; node < is_missing.size(); ++node) {
    if (is_missing[node]) missing.push_back(node);
  }
  for (uint32_t level = 0; level <= graph_.level_count(); ++level) {
    RETURN_IF_ERROR(CopyLevel(level, context, builder));
  }
  return builder->AddTo(missing);
}

absl::Status GraphReuse::CopyLevel(uint32_t level, const BuildContext& context, GraphBuilder* builder) const {
  const uint32_t old_nodes = level == 0 ? graph_.slot_count() : graph_.member_count(level);
  std::vector<Scratch> scratch(static_cast<size_t>(std::max(context.threads, 1)));
  const auto cancelled = [&] { return context.cancellation != nullptr && context.cancellation->cancelled(); };
  ParallelFor(context.threads, old_nodes, kRowsPerPiece, [&](int worker, size_t from, size_t to) {
    for (uint32_t old_node = static_cast<uint32_t>(from); old_node < to && !cancelled(); ++old_node) {
      // Where a level has lost all of its nodes there may be no table.
      if (!is_kept_[OldSlot(level, old_node)]) continue;
      CopyRow(level, old_node, builder->vectors(), builder->table(level), &scratch[static_cast<size_t>(worker)]);
    }
  });
  return cancelled() ? Cancelled("HNSW merge") : absl::OkStatus();
}

void GraphReuse::CopyRow(uint32_t level, uint32_t old_node, const BuildVectors& vectors, LinkTable* table,
                         Scratch* scratch) const {
  const uint32_t node = new_node_[OldSlot(level, old_node)];
  scratch->kept.clear();
  scratch->lost.clear();
  for (const uint32_t other : OldRow(level, old_node)) {
    const uint32_t new_node = new_node_[OldSlot(level, other)];
    if (new_node != kEndOfList) {
      scratch->kept.push_back(new_node);
    } else {
      scratch->lost.push_back(other);
    }
  }
  scratch->distances.resize(scratch->kept.size());
  vectors.Distances(node, scratch->kept.data(), scratch->kept.size(), scratch->distances.data());
  scratch->links.clear();
  for (size_t i = 0; i < scratch->kept.size(); ++i) scratch->links.push_back({scratch->distances[i], scratch->kept[i]});
  if (!scratch->lost.empty()) Replace(level, old_node, node, vectors, scratch);
  table->Assign(node, scratch->links);
}

void GraphReuse::Replace(uint32_t level, uint32_t old_node, uint32_t node, const BuildVectors& vectors,
                         Scratch* scratch) const {
  std::vector<uint32_t>& lost = scratch->lost;
  std::vector<uint32_t>& found = scratch->found;
  const size_t old_neighbors = lost.size();
  const size_t places = scratch->links.size() + old_neighbors;
  size_t seen_lost = 0;
  found.clear();
  for (size_t i = 0; i < lost.size(); ++i) {
    if (i >= kPassedPerNeighbor * old_neighbors && found.size() >= std::max(places, seen_lost)) break;
    for (const uint32_t other : OldRow(level, lost[i])) {
      const uint32_t new_node = new_node_[OldSlot(level, other)];
      if (new_node != kEndOfList) {
        if (new_node != node) found.push_back(new_node);
        continue;
      }
      ++seen_lost;
      if (other != old_node && lost.size() < kMostPassed && std::find(lost.begin(), lost.end(), other) == lost.end()) {
        lost.push_back(other);
      }
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  std::sort(scratch->kept.begin(), scratch->kept.end());
  std::erase_if(found,
                [&](uint32_t other) { return std::binary_search(scratch->kept.begin(), scratch->kept.end(), other); });
  scratch->distances.resize(found.size());
  vectors.Distances(node, found.data(), found.size(), scratch->distances.data());
  scratch->candidates.clear();
  for (size_t i = 0; i < found.size(); ++i) scratch->candidates.push_back({scratch->distances[i], found[i]});
  std::sort(scratch->candidates.begin(), scratch->candidates.end());
  AddDiverse(
      scratch->candidates, places, [&](uint32_t a, uint32_t b) { return vectors.Distance(a, b); }, &scratch->links);
}

}  // namespace varve::hnsw
