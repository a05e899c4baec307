// The search loop of a proximity graph: from the candidates in a pool, expand the nearest until none of the best is
// left unexpanded. Shared by the searcher (rows from the mapping) and the builder (rows in memory).
//
// A Space supplies the graph and the distances:
// - uint32_t row_width(), node_count();
// - const uint32_t* Row(node): its row, ended by kEndOfList or by the width; null if it cannot be read;
// - void PrefetchRow(node), Prefetch(node): the row; the node's vector;
// - bool Compute(nodes, count, distances): finite distances of the nodes; false if one cannot be read;
// - void BadNeighbor(node, place): told of a number in a row that is no node.
//
// Source: Malkov, Yashunin (hnsw_format.h), algorithm 2.
#ifndef VARVE_INDEX_HNSW_BEAM_SEARCH_H_
#define VARVE_INDEX_HNSW_BEAM_SEARCH_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "index/hnsw/candidate_pool.h"
#include "index/hnsw/hnsw_format.h"
#include "index/hnsw/visited_set.h"
#include "index/search_context.h"

namespace varve::hnsw {

// Nodes that are expanded together: their neighbours make larger batches, whose misses overlap.
inline constexpr size_t kPops = 2;
// Neighbours of one batch: rows are at most 2 * kMaxM wide, in the builder a quarter more.
inline constexpr size_t kMaxRowWidth = 2 * kMaxM + kMaxM / 2;
inline constexpr size_t kMaxFresh = kPops * kMaxRowWidth;
// Vectors whose first lines are fetched before the first distance; batch kernels read ahead from there on.
inline constexpr size_t kLookAhead = 4;

// Appends the row's nodes that were not visited to `fresh`, and marks them. False if a number in it is no node.
template <class Space>
[[nodiscard]] bool AppendFresh(Space* space, uint32_t node, VisitedSet* visited, uint32_t* fresh, size_t* count) {
  const uint32_t* row = space->Row(node);
  if (row == nullptr) return false;
  for (uint32_t place = 0; place < space->row_width(); ++place) {
    const uint32_t neighbor = row[place];
    if (neighbor >= space->node_count()) {
      if (neighbor == kEndOfList) break;
      space->BadNeighbor(node, place);
      return false;
    }
    fresh[*count] = neighbor;
    *count += visited->Insert(neighbor);
  }
  return true;
}

// Expands candidates until none of the pool is left to expand. `see(distance, node)` is called for every node whose
// distance is computed. What the pool holds at first has been visited and seen. False if the graph is damaged.
template <class Space, class See>
[[nodiscard]] bool BeamSearch(Space* space, CandidatePool* pool, VisitedSet* visited, SearchWork* work, See see) {
  uint32_t fresh[kMaxFresh];
  float distances[kMaxFresh];
  while (pool->HasNext()) {
    size_t count = 0;
    for (size_t pops = 0; pops < kPops && pool->HasNext(); ++pops) {
      ++work->nodes_visited;
      if (!AppendFresh(space, pool->Pop(), visited, fresh, &count)) return false;
    }
    for (size_t i = 0; i < std::min(count, kLookAhead); ++i) space->Prefetch(fresh[i]);
    if (pool->HasNext()) space->PrefetchRow(pool->next_node());
    if (!space->Compute(fresh, count, distances)) return false;
    work->distances += count;
    for (size_t i = 0; i < count; ++i) {
      see(distances[i], fresh[i]);
      if (distances[i] < pool->bound()) {
        pool->Insert(distances[i], fresh[i]);
        space->PrefetchRow(fresh[i]);
      }
    }
  }
  return true;
}

}  // namespace varve::hnsw

#endif  // VARVE_INDEX_HNSW_BEAM_SEARCH_H_
