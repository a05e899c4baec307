// The exact k nearest among the accepted slots, by comparing each of them. What FLAT does always, and every other type
// for exact searches and where a filter leaves too little for its structure to pay.
#ifndef VARVE_INDEX_EXACT_SCAN_H_
#define VARVE_INDEX_EXACT_SCAN_H_

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "base/top_k.h"
#include "index/field_index.h"
#include "index/search_context.h"
#include "index/slot_filter.h"
#include "index/stored_vectors.h"

namespace varve {

// Memory that a scan needs; kept between scans.
struct ExactScanScratch {
  std::vector<std::byte> queries;  // row-major, when there are several
  std::vector<float> distances;
  std::vector<SlotId> slots;
  std::vector<RowId> rows;
};

// Offers a row within the radius. NaN counts as infinitely far, so that such rows are found last but found.
inline void OfferWithin(float distance, RowId row, float radius, TopK* best) {
  if (std::isnan(distance)) distance = std::numeric_limits<float>::infinity();
  if (distance <= radius) best->Offer(distance, row);
}

// Scans for all queries at once; see FieldIndexSearcher::Search. Only slots that the filter accepts are compared, but
// for several queries stretches of which it accepts most are compared whole. Blocks are verified before they are read.
// Errors: DataLoss; Cancelled; InvalidArgument if a query is not one dense vector.
absl::Status ExactScan(const StoredVectors& vectors, absl::Span<const FieldQuery> queries, float radius,
                       const SlotFilter& filter, ExactScanScratch* scratch, SearchContext* context,
                       absl::Span<TopK> best);

// InvalidArgument or Unimplemented unless each query is one dense vector.
absl::Status CheckDenseQueries(absl::Span<const FieldQuery> queries);

}  // namespace varve

#endif  // VARVE_INDEX_EXACT_SCAN_H_
