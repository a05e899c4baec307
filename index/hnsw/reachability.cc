#include "index/hnsw/reachability.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "index/hnsw/beam_search.h"

namespace varve::hnsw {
namespace {

constexpr uint32_t kUnreached = 0xFFFFFFFF;
// Reachable nodes near an unreachable one that are tried as its source before any other.
constexpr size_t kNearNodes = 64;

class Connector {
 public:
  Connector(const BuildVectors& vectors, LinkTable* table)
      : vectors_(vectors), table_(*table), parents_(table->nodes(), kUnreached) {}

  void Run() {
    if (table_.nodes() == 0) return;
    Reach(0, 0);
    for (uint32_t node = 1; node < table_.nodes(); ++node) {
      if (parents_[node] != kUnreached) continue;
      const uint32_t source = Connect(node);
      Reach(node, source);
    }
  }

 private:
  // The searched graph is the table's; distances are those to `node_`.
  class NearSpace {
   public:
    NearSpace(const LinkTable& table, const BuildVectors& vectors, uint32_t node)
        : table_(table), vectors_(vectors), node_(node) {}
    uint32_t row_width() const { return table_.capacity(); }
    uint32_t node_count() const { return table_.nodes(); }
    const uint32_t* Row(uint32_t node) const { return table_.Row(node); }
    void PrefetchRow(uint32_t) const {}
    void Prefetch(uint32_t node) const { vectors_.Prefetch(node); }
    bool Compute(const uint32_t* nodes, size_t count, float* distances) const {
      vectors_.Distances(node_, nodes, count, distances);
      return true;
    }
    void BadNeighbor(uint32_t, uint32_t) const { VARVE_CHECK(false); }

   private:
    const LinkTable& table_;
    const BuildVectors& vectors_;
    const uint32_t node_;
  };

  // Marks what can be reached over `node`, itself reached over `parent`. Each node is reached once: the edges from
  // parents form a tree, which Connect leaves as it is.
  void Reach(uint32_t node, uint32_t parent) {
    parents_[node] = parent;
    queue_.assign(1, node);
    for (size_t head = 0; head < queue_.size(); ++head) {
      const uint32_t from = queue_[head];
      for (size_t i = 0; i < table_.size(from); ++i) {
        const uint32_t to = table_.link(from, i).node;
        if (parents_[to] != kUnreached) continue;
        parents_[to] = from;
        queue_.push_back(to);
      }
    }
  }

  // Links the node from the nearest reachable node found that can take an edge, and returns that node.
  uint32_t Connect(uint32_t node) {
    pool_.Reset(kNearNodes);
    visited_.Reset(table_.nodes());
    visited_.Insert(0);
    pool_.Insert(vectors_.Distance(node, 0), 0);
    NearSpace space(table_, vectors_, node);
    // The search begins at node 0 and meets reachable nodes only.
    VARVE_CHECK(BeamSearch(&space, &pool_, &visited_, &work_, [](float, uint32_t) {}));
    for (size_t i = 0; i < pool_.size(); ++i) {
      if (TryLink(pool_.node(i), {pool_.distance(i), node})) return pool_.node(i);
    }
    // Rows have several places and a tree has fewer edges than nodes, so one of the others must have room.
    for (uint32_t source = 0; source < table_.nodes(); ++source) {
      if (parents_[source] != kUnreached && TryLink(source, {vectors_.Distance(node, source), node})) return source;
    }
    VARVE_CHECK(false);
    return 0;
  }

  bool TryLink(uint32_t source, Candidate link) {
    links_.clear();
    for (size_t i = 0; i < table_.size(source); ++i) links_.push_back(table_.link(source, i));
    if (links_.size() >= table_.limit()) {
      size_t i = links_.size();
      while (i > 0 && parents_[links_[i - 1].node] == source) --i;
      if (i == 0) return false;
      links_.erase(links_.begin() + static_cast<ptrdiff_t>(i - 1));
    }
    links_.insert(std::upper_bound(links_.begin(), links_.end(), link), link);
    table_.Assign(source, links_);
    return true;
  }

  const BuildVectors& vectors_;
  LinkTable& table_;
  std::vector<uint32_t> parents_;  // over which a node is reached
  std::vector<uint32_t> queue_;
  std::vector<Candidate> links_;
  CandidatePool pool_;
  VisitedSet visited_;
  SearchWork work_;
};

}  // namespace

void ConnectUnreachable(const BuildVectors& vectors, LinkTable* table) { Connector(vectors, table).Run(); }

}  // namespace varve::hnsw
