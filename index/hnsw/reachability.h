// Makes every node of level 0 reachable from node 0, so that no vector is lost to searches: choosing diverse neighbours
// can cut the last edge that leads to a node.
#ifndef VARVE_INDEX_HNSW_REACHABILITY_H_
#define VARVE_INDEX_HNSW_REACHABILITY_H_

#include "index/hnsw/build_vectors.h"
#include "index/hnsw/link_table.h"

namespace varve::hnsw {

// Adds for each node that cannot be reached an edge from a near one that can, in place of that one's farthest edge
// where its row is full and the edge is not the only way known to its target. Rows stay sorted and within the limit.
// O(nodes * limit), and a walk through the neighbourhood for each node that is connected.
void ConnectUnreachable(const BuildVectors& vectors, LinkTable* table);

}  // namespace varve::hnsw

#endif  // VARVE_INDEX_HNSW_REACHABILITY_H_
