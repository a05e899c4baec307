#include "tests/fuzz/model_rows.h"

#include <algorithm>
#include <tuple>

#include "base/json.h"
#include "base/status.h"
#include "tests/fuzz/fuzz_target.h"

namespace varve::fuzz {
namespace {

int64_t ExpiryOf(const std::optional<int64_t>& ttl_seconds, int64_t now_ms) {
  return ttl_seconds.has_value() ? now_ms + *ttl_seconds * 1000 : kNeverExpires;
}

ModelRow RowOf(const RecordInput& record, int64_t now_ms) {
  ModelRow row;
  row.vector = record.vectors.at(0).value.floats();
  row.metadata = record.metadata;
  row.payload = record.payload;
  row.expires_at_ms = ExpiryOf(record.ttl_seconds, now_ms);
  return row;
}

absl::Status Update(const RecordUpdate& update, int64_t now_ms, ModelRows* rows) {
  const auto found = rows->find({update.ns, update.key});
  if (found == rows->end()) return NotFound("update");
  ModelRow& row = found->second;
  if (!update.vectors.empty()) row.vector = update.vectors[0].value.floats();
  if (update.metadata.has_value()) row.metadata = *update.metadata;
  if (update.patch.has_value()) row.metadata = Take(MergeJsonPatch(row.metadata, *update.patch));
  if (update.payload.has_value()) row.payload = *update.payload;
  if (update.ttl_seconds.has_value()) row.expires_at_ms = ExpiryOf(update.ttl_seconds, now_ms);
  if (update.clear_ttl) row.expires_at_ms = kNeverExpires;
  return absl::OkStatus();
}

ModelRow RowOf(const Record& record) {
  ModelRow row;
  FUZZ_CHECK(record.vectors.size() == 1);
  row.vector = record.vectors[0].second;
  row.metadata = record.metadata;
  row.payload = record.payload;
  row.expires_at_ms = record.expires_at_ms;
  return row;
}

float DistanceBetween(const std::vector<float>& a, const std::vector<float>& b) {
  float sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

}  // namespace

void Expire(int64_t now_ms, ModelRows* rows) {
  std::erase_if(*rows, [&](const auto& entry) { return entry.second.expires_at_ms <= now_ms; });
}

absl::Status ApplyToModel(const WriteBatch& batch, int64_t now_ms, ModelRows* rows) {
  ModelRows next = *rows;
  for (const WriteBatch::Operation& operation : batch.operations()) {
    const ModelKey key{operation.ns(), operation.key()};
    switch (operation.kind) {
      case WriteBatch::Kind::kInsert:
        if (next.contains(key)) return AlreadyExists("insert");
        [[fallthrough]];
      case WriteBatch::Kind::kPut:
        next[key] = RowOf(operation.record, now_ms);
        break;
      case WriteBatch::Kind::kUpdate:
        RETURN_IF_ERROR(Update(operation.update, now_ms, &next));
        break;
      case WriteBatch::Kind::kDelete:
        next.erase(key);
        break;
      case WriteBatch::Kind::kDeleteNamespace:
        std::erase_if(next, [&](const auto& entry) { return entry.first.first == key.first; });
        break;
    }
    Expire(now_ms, &next);
  }
  *rows = std::move(next);
  return absl::OkStatus();
}

void CheckRows(Collection* collection, const ModelRows& rows, const Snapshot* snapshot) {
  const ReadOptions options{snapshot};
  auto expected = rows.begin();
  FUZZ_CHECK_OK(collection->Scan(
      {},
      [&](const Record& record) {
        FUZZ_CHECK(expected != rows.end());
        FUZZ_CHECK(ModelKey(record.ns, record.key) == expected->first);
        FUZZ_CHECK(RowOf(record) == expected->second);
        ++expected;
        return true;
      },
      options));
  FUZZ_CHECK(expected == rows.end());
  FUZZ_CHECK(collection->Count(std::nullopt, options).value_or(~0u) == rows.size());
  for (const std::string& ns : {std::string(), std::string("n")}) {
    const auto count = std::count_if(rows.begin(), rows.end(), [&](const auto& row) { return row.first.first == ns; });
    FUZZ_CHECK(collection->Count(ns, options).value_or(~0u) == static_cast<uint64_t>(count));
  }
  for (char c = 'a'; c < 'a' + 16; c = static_cast<char>(c + 3)) {
    const ModelKey key{c % 2 == 0 ? "n" : "", std::string(1, c)};
    const absl::StatusOr<Record> record = collection->Get(key.first, key.second, options);
    FUZZ_CHECK(record.ok() || absl::IsNotFound(record.status()));
    FUZZ_CHECK(record.ok() == rows.contains(key));
    if (record.ok()) FUZZ_CHECK(RowOf(*record) == rows.at(key));
  }
}

void CheckSearch(Collection* collection, const ModelRows& rows, const std::vector<float>& query) {
  constexpr size_t kHits = 5;
  std::vector<std::pair<float, ModelKey>> nearest;
  for (const auto& [key, row] : rows) nearest.emplace_back(DistanceBetween(query, row.vector), key);
  std::sort(nearest.begin(), nearest.end());
  nearest.resize(std::min(nearest.size(), kHits));
  for (const bool exact : {true, false}) {
    SearchRequest request;
    request.vector = VectorValue(query);
    request.k = kHits;
    request.exact = exact;
    const absl::StatusOr<SearchResult> result = collection->Search(request);
    FUZZ_CHECK_OK(result);
    FUZZ_CHECK(result->hits.size() == nearest.size());
    for (size_t i = 0; i < nearest.size(); ++i) {
      const Hit& hit = result->hits[i];
      const auto row = rows.find({hit.ns, hit.key});
      FUZZ_CHECK(row != rows.end());
      FUZZ_CHECK(hit.distance == DistanceBetween(query, row->second.vector));
      if (exact) FUZZ_CHECK(nearest[i].first == hit.distance && nearest[i].second == row->first);
    }
  }
}

}  // namespace varve::fuzz
