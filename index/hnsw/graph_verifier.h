// A full pass over a mapped graph.
#ifndef VARVE_INDEX_HNSW_GRAPH_VERIFIER_H_
#define VARVE_INDEX_HNSW_GRAPH_VERIFIER_H_

#include <vector>

#include "index/field_index.h"
#include "index/hnsw/hnsw_format.h"

namespace varve::hnsw {

// Checks that every row holds different numbers of nodes, none the row's own, and nothing behind its end; that members
// have different slots, the first of them the entry. With `deep` also that every slot can be reached from the entry on
// level 0. Adds at most kMaxFindings of each section, and goes on where it can. Memory with `deep`: five bytes per
// slot.
void VerifyGraph(const GraphView& graph, bool deep, std::vector<IndexDamage>* damage);

inline constexpr size_t kMaxFindings = 100;

}  // namespace varve::hnsw

#endif  // VARVE_INDEX_HNSW_GRAPH_VERIFIER_H_
