// The best of one part (a memtable or a segment) for one prepared search.
#ifndef VARVE_ENGINE_SEARCH_PART_SEARCH_H_
#define VARVE_ENGINE_SEARCH_PART_SEARCH_H_

#include <vector>

#include "absl/status/statusor.h"
#include "engine/search/prepared_search.h"
#include "engine/version/read_view.h"
#include "engine/version/row_access.h"
#include "varve/search.h"

namespace varve {

// A row that a part offers.
struct Candidate {
  float distance;
  RowLocation location;
};

// Appends at most prepared.k candidates; `profile` is filled if it is not null. Equal distances are decided by key.
absl::Status SearchMemtable(Memtable* memtable, const PreparedSearch& prepared, const ReadPoint& point,
                            SearchContext* context, std::vector<Candidate>* candidates, PartProfile* profile);
absl::Status SearchSegment(const SegmentPart& part, const PreparedSearch& prepared, const ReadPoint& point,
                           SearchContext* context, std::vector<Candidate>* candidates, PartProfile* profile);

}  // namespace varve

#endif  // VARVE_ENGINE_SEARCH_PART_SEARCH_H_
