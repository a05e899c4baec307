// Searches an HNSW graph in place. See FieldIndexSearcher; thread-safe.
#ifndef VARVE_INDEX_HNSW_HNSW_SEARCHER_H_
#define VARVE_INDEX_HNSW_HNSW_SEARCHER_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "index/field_index.h"
#include "index/hnsw/hnsw_format.h"
#include "index/stored_vectors.h"

namespace varve::hnsw {

inline constexpr uint32_t kDefaultM = 16;
inline constexpr uint32_t kDefaultEfConstruction = 200;
inline constexpr uint32_t kDefaultEf = 64;

// How one query is answered.
struct Plan {
  bool scan;    // compare with every accepted slot
  uint32_t ef;  // else: candidates kept while the graph is searched
};

// Weighs a search that keeps `ef` candidates, more by as much as the filter takes away, against a scan of what it
// leaves. Requires: ef >= 1.
Plan MakePlan(uint32_t slot_count, uint32_t accepted, uint32_t ef);

class HnswSearcher final : public FieldIndexSearcher {
 public:
  HnswSearcher(GraphView graph, StoredVectors vectors, ParamMap params)
      : graph_(graph), vectors_(vectors), params_(std::move(params)) {}

  // With fewer than k rows at the end of a search although more are accepted, it is repeated with more candidates, and
  // at last a scan finds them: min(k, accepted rows) are always found, if not always the nearest.
  absl::Status Search(absl::Span<const FieldQuery> queries, const SearchParams& params, const SlotFilter& filter,
                      SearchContext* context, absl::Span<TopK> best) const override;

 private:
  // One search of the graph that keeps `ef` candidates. False, with nothing offered, if it met fewer than k rows.
  absl::StatusOr<bool> SearchOne(const FieldQuery& query, float radius, uint32_t ef, const SlotFilter& filter,
                                 SearchContext* context, TopK* best) const;

  const GraphView graph_;
  const StoredVectors vectors_;
  const ParamMap params_;
};

}  // namespace varve::hnsw

#endif  // VARVE_INDEX_HNSW_HNSW_SEARCHER_H_
