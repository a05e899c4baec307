// Which of a node's candidates become its neighbours: those that no chosen neighbour is nearer to, so that edges lead
// in different directions.
#ifndef VARVE_INDEX_HNSW_NEIGHBOR_SELECTION_H_
#define VARVE_INDEX_HNSW_NEIGHBOR_SELECTION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace varve::hnsw {

struct Candidate {
  float distance;  // to the node whose neighbours are chosen
  uint32_t node;

  friend bool operator<(const Candidate& a, const Candidate& b) {
    return a.distance < b.distance || (a.distance == b.distance && a.node < b.node);
  }
  friend bool operator==(const Candidate&, const Candidate&) = default;
};

// Writes to `chosen` at most `limit` of the sorted candidates: each, nearest first, unless a chosen one is nearer to it
// than the node is. Of candidates at one and the same distance at most half of the limit: many equal vectors would else
// be linked only to each other, and no search would leave them.
// `distance(a, b)` compares two nodes. O(candidates * limit) distances, in practice about five per candidate.
// Source: Malkov, Yashunin (hnsw_format.h), algorithm 4, without its two extensions.
template <class PairDistance>
void SelectDiverse(absl::Span<const Candidate> candidates, size_t limit, PairDistance distance,
                   std::vector<Candidate>* chosen) {
  chosen->clear();
  size_t equal = 0;  // chosen ones at the distance of the present candidate
  for (const Candidate& candidate : candidates) {
    if (chosen->size() == limit) return;
    if (!chosen->empty() && chosen->back().distance != candidate.distance) equal = 0;
    if (equal * 2 >= limit) continue;
    bool diverse = true;
    for (const Candidate& other : *chosen) {
      if (distance(other.node, candidate.node) < candidate.distance) {
        diverse = false;
        break;
      }
    }
    if (diverse) {
      chosen->push_back(candidate);
      ++equal;
    }
  }
}

// Adds to `chosen`, until it has `limit`, those of the sorted candidates that SelectDiverse would choose beside what is
// there already, in any order. That stays, even if an addition is nearer to it than the node is.
template <class PairDistance>
void AddDiverse(absl::Span<const Candidate> candidates, size_t limit, PairDistance distance,
                std::vector<Candidate>* chosen) {
  for (const Candidate& candidate : candidates) {
    if (chosen->size() >= limit) return;
    size_t equal = 0;
    bool diverse = true;
    for (const Candidate& other : *chosen) {
      equal += other.distance == candidate.distance;
      if (equal * 2 >= limit ||
          (other.distance <= candidate.distance && distance(other.node, candidate.node) < candidate.distance)) {
        diverse = false;
        break;
      }
    }
    if (diverse) chosen->push_back(candidate);
  }
}

}  // namespace varve::hnsw

#endif  // VARVE_INDEX_HNSW_NEIGHBOR_SELECTION_H_
