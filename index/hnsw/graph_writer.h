// Writes a finished graph as the sections of hnsw_format.h.
#ifndef VARVE_INDEX_HNSW_GRAPH_WRITER_H_
#define VARVE_INDEX_HNSW_GRAPH_WRITER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "index/hnsw/graph_builder.h"
#include "segment/section.h"

namespace varve::hnsw {

// Errors: those of the sink.
absl::Status WriteGraph(const BuiltGraph& graph, uint32_t m, SectionSink* sink);

// Bytes of both sections, on average over seeds.
uint64_t EstimateSectionBytes(uint64_t slot_count, uint32_t m);

}  // namespace varve::hnsw

#endif  // VARVE_INDEX_HNSW_GRAPH_WRITER_H_
