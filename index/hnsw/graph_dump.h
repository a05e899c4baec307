// The structure of a mapped graph as a JSON object for people.
#ifndef VARVE_INDEX_HNSW_GRAPH_DUMP_H_
#define VARVE_INDEX_HNSW_GRAPH_DUMP_H_

#include <string>

#include "absl/status/statusor.h"
#include "index/hnsw/hnsw_format.h"

namespace varve::hnsw {

// m, entry, and for each level its nodes and the smallest, mean and largest length of their lists. Where the graph
// could not be opened: why.
std::string DumpGraph(const absl::StatusOr<GraphView>& graph);

}  // namespace varve::hnsw

#endif  // VARVE_INDEX_HNSW_GRAPH_DUMP_H_
