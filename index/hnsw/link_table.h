// The neighbour lists of one level while its graph is built: rows of node numbers with their distances, and some room
// above the limit, so that a row is not chosen anew for every edge that comes back to it. Thread-compatible;
// different rows may be changed by different threads at once.
#ifndef VARVE_INDEX_HNSW_LINK_TABLE_H_
#define VARVE_INDEX_HNSW_LINK_TABLE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "base/check.h"
#include "base/page_allocator.h"
#include "index/hnsw/hnsw_format.h"
#include "index/hnsw/neighbor_selection.h"

namespace varve::hnsw {

class LinkTable {
 public:
  // Rows that exceed `limit` are cut at the end; before, they may be a quarter longer.
  LinkTable(uint32_t nodes, uint32_t limit)
      : nodes_(nodes),
        limit_(limit),
        capacity_(Capacity(limit)),
        ids_(size_t{nodes} * capacity_, kEndOfList),
        distances_(size_t{nodes} * capacity_),
        sizes_(nodes, 0) {}

  static uint32_t Capacity(uint32_t limit) { return limit + limit / 4; }
  static uint64_t BytesPerNode(uint32_t limit) {
    return Capacity(limit) * (sizeof(uint32_t) + sizeof(float)) + sizeof(uint16_t);
  }

  uint32_t nodes() const { return nodes_; }
  uint32_t limit() const { return limit_; }
  uint32_t capacity() const { return capacity_; }

  // capacity() numbers, ended by kEndOfList unless full.
  const uint32_t* Row(uint32_t node) const { return &ids_[size_t{node} * capacity_]; }
  size_t size(uint32_t node) const { return sizes_[node]; }
  Candidate link(uint32_t node, size_t i) const {
    return {distances_[size_t{node} * capacity_ + i], ids_[size_t{node} * capacity_ + i]};
  }

  // Requires: size(node) < capacity().
  void Append(uint32_t node, Candidate link) {
    VARVE_DCHECK(sizes_[node] < capacity_);
    Set(node, sizes_[node]++, link);
  }
  void Set(uint32_t node, size_t i, Candidate link) {
    ids_[size_t{node} * capacity_ + i] = link.node;
    distances_[size_t{node} * capacity_ + i] = link.distance;
  }
  // Requires: at most capacity() links.
  void Assign(uint32_t node, absl::Span<const Candidate> links) {
    VARVE_DCHECK(links.size() <= capacity_);
    for (size_t i = 0; i < links.size(); ++i) Set(node, i, links[i]);
    uint32_t* row = &ids_[size_t{node} * capacity_];
    for (size_t i = links.size(); i < sizes_[node]; ++i) row[i] = kEndOfList;
    sizes_[node] = static_cast<uint16_t>(links.size());
  }

 private:
  const uint32_t nodes_;
  const uint32_t limit_;
  const uint32_t capacity_;
  LargeVector<uint32_t> ids_;
  LargeVector<float> distances_;
  std::vector<uint16_t> sizes_;
};

}  // namespace varve::hnsw

#endif  // VARVE_INDEX_HNSW_LINK_TABLE_H_
