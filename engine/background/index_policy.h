// Which index a field gets in a segment. A pure function of rows, shape and schema.
#ifndef VARVE_ENGINE_BACKGROUND_INDEX_POLICY_H_
#define VARVE_ENGINE_BACKGROUND_INDEX_POLICY_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "index/field_index.h"
#include "varve/schema.h"

namespace varve {

struct IndexChoice {
  const FieldIndexFactory* factory = nullptr;
  ParamMap params;  // validated and defaulted
  std::string why;  // for people
};

// From so many vectors a graph is built: below it an exact scan costs about as little as a graph search, and nothing to
// build (bench/hnsw_vs_hnswlib prints both).
inline constexpr uint64_t kGraphThreshold = 4096;

absl::StatusOr<IndexChoice> ChooseIndex(const FieldSpec& field, uint64_t vectors);

}  // namespace varve

#endif  // VARVE_ENGINE_BACKGROUND_INDEX_POLICY_H_
