#include "bench/workload/recall.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace varve::churn {
namespace {

constexpr uint32_t kExactQueries = 20;

// Part of the exact answer that is found.
double RecallOf(const SearchResult& exact, const SearchResult& found) {
  if (exact.hits.empty()) return 1;
  const float last = exact.hits.back().distance;
  const auto good =
      std::count_if(found.hits.begin(), found.hits.end(), [last](const Hit& hit) { return hit.distance <= last; });
  return static_cast<double>(good) / static_cast<double>(exact.hits.size());
}

struct Live {
  uint32_t key;
  uint32_t row;
};

void CheckExact(const Workload& workload, uint32_t query, const std::vector<Live>& live, const SearchResult& result,
                Findings* findings) {
  std::vector<double> distances;
  const std::optional<std::string> ns = workload.NamespaceOfQuery(query);
  for (const Live& record : live) {
    if (ns.has_value() && workload.NamespaceOf(record.key) != *ns) continue;
    distances.push_back(workload.Distance(query, record.row));
  }
  const size_t count = std::min(workload.settings().k, distances.size());
  std::partial_sort(distances.begin(), distances.begin() + static_cast<std::ptrdiff_t>(count), distances.end());
  bool same = result.hits.size() == count;
  for (size_t i = 0; same && i < count; ++i) same = Workload::Same(distances[i], result.hits[i].distance);
  if (!same) findings->Add("the exact answer to query " + std::to_string(query) + " is not the nearest records");
}

}  // namespace

absl::StatusOr<double> MeasureRecall(const Workload& workload, Collection* collection) {
  const absl::StatusOr<Snapshot> snapshot = collection->GetSnapshot();
  if (!snapshot.ok()) return snapshot.status();
  const ReadOptions options{&*snapshot};
  const uint32_t queries = std::min(workload.settings().recall_queries, workload.queries().rows);
  double sum = 0;
  for (uint32_t query = 0; query < queries; ++query) {
    SearchRequest request = workload.MakeSearch(query);
    const absl::StatusOr<SearchResult> found = collection->Search(request, options);
    if (!found.ok()) return found.status();
    request.exact = true;
    request.params.clear();
    const absl::StatusOr<SearchResult> exact = collection->Search(request, options);
    if (!exact.ok()) return exact.status();
    sum += RecallOf(*exact, *found);
  }
  return sum / std::max<double>(queries, 1);
}

absl::StatusOr<uint64_t> CheckContents(const Workload& workload, const KeyModel& model, Collection* collection,
                                       Findings* findings) {
  const KeyModel::Moment before = model.Now();
  std::vector<bool> seen(workload.keys(), false);
  std::vector<Live> live;
  const absl::StatusOr<Snapshot> snapshot = collection->GetSnapshot();
  if (!snapshot.ok()) return snapshot.status();
  const ReadOptions options{&*snapshot};
  const absl::Status scanned = collection->Scan(
      {},
      [&](const Record& record) {
        const std::string name = record.ns + "/" + record.key;
        const std::optional<uint32_t> key = workload.Find(record.ns, record.key);
        if (!key.has_value() || seen[*key]) {
          findings->Add("scan: " + name + (key.has_value() ? " is there twice" : " was never written"));
          return true;
        }
        seen[*key] = true;
        const KeyModel::Known known = model.Throughout(*key, before);
        if (known.state == KeyModel::State::kDead) findings->Add("scan: " + name + " was deleted or has expired");
        if (known.state != KeyModel::State::kLive) return true;
        if (record.vectors.empty() || record.vectors[0].second != workload.Vector(known.row)) {
          findings->Add("scan: " + name + " has another vector than was written last");
        }
        live.push_back({*key, known.row});
        return true;
      },
      options);
  if (!scanned.ok()) return scanned;
  bool all_known = true;
  for (uint32_t key = 0; key < workload.keys(); ++key) {
    const KeyModel::Known known = model.Throughout(key, before);
    if (known.state == KeyModel::State::kLive && !seen[key]) {
      findings->Add("scan: " + workload.NamespaceOf(key) + "/" + Workload::NameOf(key) + " is missing");
    }
    // One that expired while the scan ran may be in the snapshot.
    all_known = all_known && known.state != KeyModel::State::kUnknown;
  }
  for (uint32_t query = 0; all_known && query < std::min(kExactQueries, workload.queries().rows); ++query) {
    SearchRequest request = workload.MakeSearch(query);
    request.exact = true;
    request.params.clear();
    const absl::StatusOr<SearchResult> exact = collection->Search(request, options);
    if (!exact.ok()) return exact.status();
    CheckExact(workload, query, live, *exact, findings);
  }
  return live.size();
}

}  // namespace varve::churn
