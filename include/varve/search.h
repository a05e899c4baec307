// What to look for, and what was found. Value types.
#ifndef VARVE_SEARCH_H_
#define VARVE_SEARCH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "varve/filter.h"
#include "varve/record.h"
#include "varve/schema.h"

namespace varve {

struct SearchRequest {
  std::string field;  // empty: the first dense field
  VectorValue vector;
  size_t k = 10;                         // at least 1
  std::optional<std::string> ns;         // only records of this namespace
  std::optional<Filter> filter;          // only records whose metadata it matches; k of them if there are k
  ParamMap params;                       // search parameters of the index type, such as ef
  bool exact = false;                    // compare with every vector, of the memtable too: recall 1
  std::optional<float> score_threshold;  // drop hits whose score is below
  bool with_records = false;             // fill Hit::record
  bool with_profile = false;             // fill SearchResult::parts
};

struct Hit {
  std::string ns;
  std::string key;
  float score = 0;     // larger is better: minus the distance for l2, l1, hamming; the inner product; the cosine
  float distance = 0;  // smaller is nearer: see Metric
  std::optional<Record> record;
};

// How one part (segment or memtable) was searched.
struct PartProfile {
  FileId segment = 0;  // 0: a memtable
  std::string index;   // "HNSW", "FLAT", "MEMTABLE"
  // "index" or "exact", as the index does it; "scan" of a memtable, or "scan of codes" where few of its rows had to be
  // compared; "no vectors" of the field. Under a filter: "filtered index", "scan of matching rows", or "no matching
  // rows".
  std::string plan;
  uint64_t rows = 0;
  uint64_t matching_rows = 0;  // live rows of a segment that match the filter; 0 without one
  uint64_t distances = 0;      // vectors compared
  uint64_t nodes_visited = 0;  // graph nodes expanded
  double microseconds = 0;
};

struct SearchResult {
  std::vector<Hit> hits;  // best first; equal scores ordered by namespace and key
  std::vector<PartProfile> parts;
};

}  // namespace varve

#endif  // VARVE_SEARCH_H_
