#include "engine/search/search_runner.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "engine/search/part_search.h"

namespace varve {
namespace {

// Runs one part and notes what it cost.
template <typename SearchPart>
absl::Status RunPart(SearchContext* context, Clock* clock, std::vector<PartProfile>* profiles, uint64_t* distances,
                     SearchPart search) {
  context->work = {};
  if (profiles == nullptr) {
    absl::Status status = search(nullptr);
    *distances += context->work.distances;
    return status;
  }
  PartProfile profile;
  const int64_t start = clock->MonotonicMicros();
  absl::Status status = search(&profile);
  *distances += context->work.distances;
  RETURN_IF_ERROR(status);
  profile.microseconds = static_cast<double>(clock->MonotonicMicros() - start);
  profile.distances = context->work.distances;
  profile.nodes_visited = context->work.nodes_visited;
  if (!profile.index.empty()) profiles->push_back(std::move(profile));
  return absl::OkStatus();
}

struct KeyedCandidate {
  Candidate candidate;
  std::string_view ns;
  std::string_view key;
};

absl::StatusOr<KeyedCandidate> WithKey(const Candidate& candidate) {
  if (candidate.location.memtable != nullptr) {
    const Memtable::Row& row = *candidate.location.memtable_row;
    return KeyedCandidate{candidate, row.ns, row.key};
  }
  ASSIGN_OR_RETURN(const Segment::Key key, candidate.location.part->segment().KeyOf(candidate.location.row));
  return KeyedCandidate{candidate, key.ns, key.key};
}

// The k best in order of distance, then key. Keys are read only for those that can be among them.
absl::StatusOr<std::vector<KeyedCandidate>> BestOf(std::vector<Candidate> candidates, size_t k) {
  const auto by_distance = [](const Candidate& a, const Candidate& b) { return a.distance < b.distance; };
  std::sort(candidates.begin(), candidates.end(), by_distance);
  size_t end = std::min(k, candidates.size());
  while (end > 0 && end < candidates.size() && candidates[end].distance == candidates[end - 1].distance) ++end;
  std::vector<KeyedCandidate> keyed;
  keyed.reserve(end);
  for (size_t i = 0; i < end; ++i) {
    ASSIGN_OR_RETURN(KeyedCandidate one, WithKey(candidates[i]));
    keyed.push_back(one);
  }
  std::sort(keyed.begin(), keyed.end(), [](const KeyedCandidate& a, const KeyedCandidate& b) {
    if (a.candidate.distance != b.candidate.distance) return a.candidate.distance < b.candidate.distance;
    return std::pair(a.ns, a.key) < std::pair(b.ns, b.key);
  });
  if (keyed.size() > k) keyed.resize(k);
  return keyed;
}

}  // namespace

absl::StatusOr<SearchResult> RunSearch(const Schema& schema, const SearchRequest& request, const ViewRegistry::Pin& pin,
                                       Clock* clock, std::vector<PartProfile>* profiles, uint64_t* distances) {
  ASSIGN_OR_RETURN(const PreparedSearch prepared, PrepareSearch(schema, request));
  SearchResult result;
  std::vector<Candidate> candidates;
  SearchContext* context = pin.context();
  for (const std::shared_ptr<Memtable>& memtable : pin.view().memtables) {
    RETURN_IF_ERROR(RunPart(context, clock, profiles, distances, [&](PartProfile* profile) {
      return SearchMemtable(memtable.get(), prepared, pin.point, context, &candidates, profile);
    }));
  }
  for (const SegmentPart& part : pin.view().segments) {
    RETURN_IF_ERROR(RunPart(context, clock, profiles, distances, [&](PartProfile* profile) {
      return SearchSegment(part, prepared, pin.point, context, &candidates, profile);
    }));
  }
  ASSIGN_OR_RETURN(const std::vector<KeyedCandidate> best, BestOf(std::move(candidates), prepared.k));
  result.hits.reserve(best.size());
  for (const KeyedCandidate& found : best) {
    Hit hit;
    hit.distance = found.candidate.distance;
    hit.score = ScoreOf(prepared.field->metric, hit.distance);
    if (request.score_threshold.has_value() && hit.score < *request.score_threshold) break;
    hit.ns = std::string(found.ns);
    hit.key = std::string(found.key);
    if (request.with_records) {
      ASSIGN_OR_RETURN(hit.record, ReadRecord(schema, found.candidate.location, /*keys_only=*/false));
    }
    result.hits.push_back(std::move(hit));
  }
  return result;
}

}  // namespace varve
