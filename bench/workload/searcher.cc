#include "bench/workload/searcher.h"

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/random.h"

namespace varve::churn {

void Searcher::Run(const std::atomic<bool>& stop) {
  Random random(seed_);
  while (!stop.load()) {
    const auto query = static_cast<uint32_t>(random.Below(workload_->queries().rows));
    const SearchRequest request = workload_->MakeSearch(query);
    const KeyModel::Moment before = model_->Now();
    const auto start = std::chrono::steady_clock::now();
    const absl::StatusOr<SearchResult> result = collection_->Search(request);
    latencies_.push_back(std::chrono::duration<float, std::micro>(std::chrono::steady_clock::now() - start).count());
    if (!result.ok()) {
      findings_->Add("search: " + result.status().ToString());
      return;
    }
    Check(query, before, *result);
  }
}

void Searcher::Check(uint32_t query, const KeyModel::Moment& before, const SearchResult& result) {
  std::set<std::pair<std::string, std::string>> seen;
  const Hit* last = nullptr;
  for (const Hit& hit : result.hits) {
    if (!seen.emplace(hit.ns, hit.key).second) findings_->Add("twice in one answer: " + hit.ns + "/" + hit.key);
    if (last != nullptr && hit.distance < last->distance) findings_->Add("hits are not in order of distance");
    last = &hit;
    CheckHit(query, before, hit);
  }
  hits_ += result.hits.size();
  short_answers_ += result.hits.size() < workload_->settings().k;
}

void Searcher::CheckHit(uint32_t query, const KeyModel::Moment& before, const Hit& hit) {
  const std::string name = hit.ns + "/" + hit.key;
  const std::optional<std::string> asked = workload_->NamespaceOfQuery(query);
  if (asked.has_value() && *asked != hit.ns) findings_->Add(name + " is of another namespace than " + *asked);
  const std::optional<uint32_t> key = workload_->Find(hit.ns, hit.key);
  if (!key.has_value()) {
    findings_->Add(name + " was never written");
    return;
  }
  const KeyModel::Known known = model_->Throughout(*key, before);
  if (known.state == KeyModel::State::kUnknown) return;
  ++judged_;
  if (known.state == KeyModel::State::kDead) {
    findings_->Add(name + " was deleted or expired before the search");
  } else if (const double distance = workload_->Distance(query, known.row); !Workload::Same(distance, hit.distance)) {
    findings_->Add(name + " was found at " + std::to_string(hit.distance) + ", its vector is at " +
                   std::to_string(distance) + ": an old one");
  }
}

}  // namespace varve::churn
