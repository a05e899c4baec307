#include "index/hnsw/hnsw_searcher.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "base/status.h"
#include "index/accepted_slots.h"
#include "index/exact_scan.h"
#include "index/hnsw/beam_search.h"
#include "index/hnsw/slot_space.h"

namespace varve::hnsw {
namespace {

// A graph search compares about fifteen vectors for each candidate that it keeps, at addresses all over the section,
// which costs half as much again as in a scan.
constexpr uint64_t kScansPerCandidate = 20;
// Growth of ef where a filter hides more than was expected.
constexpr uint32_t kWidening = 4;
constexpr size_t kQueryAlignment = 64;

struct HnswScratch final : SearchContext::Scratch {
  CandidatePool pool;
  CandidatePool accepted;  // those of the pool and beyond that the filter accepts
  VisitedSet visited;
  std::vector<std::byte> query;
  ExactScanScratch scan;

  // The query at a cache line's beginning: it is read for every vector.
  const std::byte* Align(const std::byte* from, size_t bytes) {
    query.resize(bytes + kQueryAlignment);
    const uintptr_t start = reinterpret_cast<uintptr_t>(query.data());
    std::byte* aligned = query.data() + (AlignUp(start, kQueryAlignment) - start);
    std::memcpy(aligned, from, bytes);
    return aligned;
  }
};

// Finds the nearest entry to level 0 by moving to ever nearer neighbours, level by level. All that is seen on the way
// enters the pool. `see` as in BeamSearch. False if the graph is damaged.
template <class See>
bool DescendLevels(const GraphView& graph, SlotSpace* space, CandidatePool* pool, VisitedSet* visited, SearchWork* work,
                   See see) {
  uint32_t members[kMaxM];
  SlotId slots[kMaxM];
  float distances[kMaxM];
  uint32_t member = 0;
  SlotId entry = graph.entry_slot();
  if (graph.level_count() > 0 && !space->ReadMemberSlot(member, &entry)) return false;
  float nearest;
  if (!space->Compute(&entry, 1, &nearest)) return false;
  ++work->distances;
  visited->Insert(entry);
  see(nearest, entry);
  pool->Insert(nearest, entry);
  for (uint32_t level = graph.level_count(); level > 0; --level) {
    for (bool moved = true; moved;) {
      moved = false;
      size_t listed, count = 0;
      if (!space->ReadUpperRow(level, member, members, slots, &listed)) return false;
      for (size_t i = 0; i < listed; ++i) {
        members[count] = members[i];
        slots[count] = slots[i];
        if (visited->Insert(slots[i])) space->Prefetch(slots[count++]);
      }
      if (!space->Compute(slots, count, distances)) return false;
      ++work->nodes_visited;
      work->distances += count;
      for (size_t i = 0; i < count; ++i) {
        see(distances[i], slots[i]);
        if (distances[i] < pool->bound()) pool->Insert(distances[i], slots[i]);
        if (distances[i] < nearest) {
          nearest = distances[i];
          member = members[i];
          moved = true;
        }
      }
    }
  }
  return true;
}

// From Finite's largest float back to infinity.
float Restore(float distance) {
  return distance < std::numeric_limits<float>::max() ? distance : std::numeric_limits<float>::infinity();
}

// Searches the graph once; `see(distance, slot)` for all that is compared.
template <class See>
absl::Status SearchGraph(const GraphView& graph, const StoredVectors& vectors, const FieldQuery& query, uint32_t ef,
                         HnswScratch* scratch, SearchWork* work, See see) {
  const QueryDistance distance(&vectors, query.dense, query.inverse_norm);
  SlotSpace space(&graph, &vectors, &distance);
  scratch->pool.Reset(ef);
  scratch->visited.Reset(graph.slot_count());
  if (!DescendLevels(graph, &space, &scratch->pool, &scratch->visited, work, see) ||
      !BeamSearch(&space, &scratch->pool, &scratch->visited, work, see)) {
    return space.status();
  }
  return absl::OkStatus();
}

}  // namespace

Plan MakePlan(uint32_t slot_count, uint32_t accepted, uint32_t ef) {
  if (accepted == 0) return {.scan = true, .ef = ef};
  const uint64_t scaled = std::min<uint64_t>((uint64_t{ef} * slot_count + accepted - 1) / accepted, slot_count);
  return {.scan = accepted <= kScansPerCandidate * scaled, .ef = static_cast<uint32_t>(scaled)};
}

absl::Status HnswSearcher::Search(absl::Span<const FieldQuery> queries, const SearchParams& params,
                                  const SlotFilter& filter, SearchContext* context, absl::Span<TopK> best) const {
  RETURN_IF_ERROR(CheckDenseQueries(queries));
  HnswScratch* scratch = context->GetScratch<HnswScratch>(IndexType::kHnsw);
  const double given = SearchParam(params, params_, "ef", kDefaultEf);
  const uint32_t ef = given >= 1 ? static_cast<uint32_t>(std::min<double>(given, kMaxSlots)) : 1;
  const uint32_t accepted = EstimateAcceptedSlots(filter, graph_.slot_count());
  const auto plan_for = [&](const TopK& top) {
    return MakePlan(graph_.slot_count(), accepted,
                    std::max(ef, static_cast<uint32_t>(std::min<size_t>(top.k(), kMaxSlots))));
  };
  if (params.exact || std::all_of(best.begin(), best.end(), [&](const TopK& top) { return plan_for(top).scan; })) {
    return ExactScan(vectors_, queries, params.radius, filter, &scratch->scan, context, best);
  }
  for (size_t q = 0; q < queries.size(); ++q) {
    if (context->cancellation != nullptr && context->cancellation->cancelled()) return Cancelled("HNSW search");
    bool enough = best[q].k() == 0;
    for (uint64_t width = plan_for(best[q]).ef; !enough && accepted > kScansPerCandidate * width; width *= kWidening) {
      ASSIGN_OR_RETURN(enough,
                       SearchOne(queries[q], params.radius, static_cast<uint32_t>(width), filter, context, &best[q]));
    }
    if (!enough) {
      RETURN_IF_ERROR(ExactScan(vectors_, queries.subspan(q, 1), params.radius, filter, &scratch->scan, context,
                                best.subspan(q, 1)));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> HnswSearcher::SearchOne(const FieldQuery& given_query, float radius, uint32_t ef,
                                             const SlotFilter& filter, SearchContext* context, TopK* best) const {
  HnswScratch* scratch = context->GetScratch<HnswScratch>(IndexType::kHnsw);
  FieldQuery query = given_query;
  query.dense = scratch->Align(given_query.dense, vectors_.shape().bytes());
  const bool all = AcceptsEverySlot(filter, graph_.slot_count());
  if (all) {
    RETURN_IF_ERROR(SearchGraph(graph_, vectors_, query, ef, scratch, &context->work, [](float, SlotId) {}));
  } else {
    // Rows that may not be returned lead the way like all others; the rest are kept apart.
    CandidatePool& accepted = scratch->accepted;
    accepted.Reset(best->k());
    RETURN_IF_ERROR(SearchGraph(graph_, vectors_, query, ef, scratch, &context->work, [&](float distance, SlotId slot) {
      if (distance < accepted.bound() && filter.Accept(slot) != kNoRow) accepted.Insert(distance, slot);
    }));
  }
  const CandidatePool& found = all ? scratch->pool : scratch->accepted;
  if (found.size() < best->k()) return false;
  for (size_t i = 0; i < best->k(); ++i) {
    OfferWithin(Restore(found.distance(i)), filter.RowOf(found.node(i)), radius, best);
  }
  return true;
}

}  // namespace varve::hnsw
