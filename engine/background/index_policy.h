// Which index a field gets in a segment. Pure functions of rows, shape, schema and memory.
#ifndef VARVE_ENGINE_BACKGROUND_INDEX_POLICY_H_
#define VARVE_ENGINE_BACKGROUND_INDEX_POLICY_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "index/field_index.h"
#include "varve/schema.h"

namespace varve {

struct IndexChoice {
  const FieldIndexFactory* factory = nullptr;
  ParamMap params;         // validated and defaulted
  int threads = 1;         // for the build: fewer than there are, where more would need too much memory
  size_t build_bytes = 0;  // memory that the build needs, beside the vectors
  std::string why;         // for people
};

struct IndexCircumstances {
  uint64_t vectors = 0;
  size_t memory_bytes = SIZE_MAX;  // for the build
  int threads = 1;                 // at most
};

// From so many vectors on a graph is built. Below, an exact scan takes about as long as a graph search, and there is
// nothing to build: at 128 floats both take the same time somewhere from 2,048 to 4,096 vectors, at 784 below 1,024
// (bench/hnsw_build --limit; docs/design/0009-graphs-by-partitions.md).
uint64_t GraphThreshold(const FieldSpec& field);

absl::StatusOr<IndexChoice> ChooseIndex(const FieldSpec& field, const IndexCircumstances& circumstances);

// The most rows of a segment for which `memory_bytes` suffice to build the index of every field: graphs, where they
// suffice for graphs worth having, else what can be scanned. Never less than some.
uint64_t MaxRowsFor(const Schema& schema, size_t memory_bytes);

// What a build holds per row beside the index: row maps, keys, sequences, addresses.
inline constexpr size_t kRowBuildBytes = 128;

}  // namespace varve

#endif  // VARVE_ENGINE_BACKGROUND_INDEX_POLICY_H_
