#include "cli/query_runner.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "cli/exact_distance.h"
#include "cli/field_vectors.h"
#include "cli/progress.h"
#include "cli/recall.h"
#include "varve/clock.h"

namespace varve::cli {
namespace {

std::vector<RecordName> NamesOf(const SearchResult& result) {
  std::vector<RecordName> names;
  names.reserve(result.hits.size());
  for (const Hit& hit : result.hits) names.push_back({hit.ns, hit.key});
  return names;
}

// The vector of a query as floats. Bytes become what a record of the field would give: the components, or single bits.
std::vector<float> QueryFloats(const VectorValue& vector, const FieldSpec& field) {
  if (!vector.is_bytes()) return vector.floats();
  const absl::Span<const std::byte> bytes = AsBytes(vector.bytes());
  switch (vector.element()) {
    case ElementType::kF32:
      return RowToFloats(bytes, Component::kF32);
    case ElementType::kF16:
      return RowToFloats(bytes, Component::kF16);
    case ElementType::kI8:
      return RowToFloats(bytes, Component::kI8);
    case ElementType::kU8:
      return RowToFloats(bytes, Component::kU8);
    case ElementType::kBits:
    case ElementType::kBF16:  // no matrix file has it
      break;
  }
  std::vector<float> bits(field.dimension);
  for (size_t i = 0; i < bits.size() && i / 8 < bytes.size(); ++i) {
    bits[i] = static_cast<float>((std::to_integer<unsigned>(bytes[i / 8]) >> (i % 8)) & 1U);
  }
  return bits;
}

// Answers Recall's questions about one query from the stored records.
absl::StatusOr<DistanceOfRecord> MakeDistanceOfRecord(Collection* collection, const SearchRequest& request) {
  ASSIGN_OR_RETURN(const FieldSpec* field, FindDenseField(collection->schema(), request.field));
  return DistanceOfRecord([collection, field, query = QueryFloats(request.vector, *field)](
                              const RecordName& name) -> absl::StatusOr<std::optional<float>> {
    const absl::StatusOr<Record> record = collection->Get(name.ns, name.key);
    if (absl::IsNotFound(record.status())) return std::optional<float>();
    RETURN_IF_ERROR(record.status());
    for (const auto& [field_name, components] : record->vectors) {
      if (field_name != field->name || components.size() != query.size()) continue;
      return std::optional<float>(static_cast<float>(ExactDistance(field->metric, query, components)));
    }
    return std::optional<float>();
  });
}

void Add(const PlaceCount& count, PlaceCount* sum) {
  sum->filled += count.filled;
  sum->places += count.places;
}

double ShareOf(const PlaceCount& count) {
  return count.places != 0 ? static_cast<double>(count.filled) / static_cast<double>(count.places) : 1.0;
}

}  // namespace

absl::StatusOr<QueryRun> RunQueries(Collection* collection, absl::Span<const Query> queries, int threads) {
  Clock* clock = Clock::Default();
  QueryRun run;
  run.results.resize(queries.size());
  run.latencies_us.resize(queries.size());
  Progress progress("queries", queries.size());
  absl::Mutex mutex;
  size_t failed_query = queries.size();
  absl::Status failure;  // of failed_query
  std::atomic<bool> failed = false;
  const int64_t start_us = clock->MonotonicMicros();
  ParallelFor(threads, queries.size(), /*grain=*/1, [&](int /*worker*/, size_t first, size_t last) {
    for (size_t i = first; i < last && !failed.load(std::memory_order_relaxed); ++i) {
      const int64_t query_start_us = clock->MonotonicMicros();
      absl::StatusOr<SearchResult> result = collection->Search(queries[i].request);
      run.latencies_us[i] = static_cast<double>(clock->MonotonicMicros() - query_start_us);
      if (result.ok()) {
        run.results[i] = *std::move(result);
      } else {
        failed = true;
        absl::MutexLock lock(&mutex);
        if (i < failed_query) {
          failed_query = i;
          failure = result.status();
        }
      }
      progress.Add(1);
    }
  });
  run.seconds = static_cast<double>(clock->MonotonicMicros() - start_us) / 1e6;
  if (!failure.ok()) return Annotate(failure, "query " + std::to_string(failed_query));
  return run;
}

double Percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(values.size())));
  const size_t place = std::clamp<size_t>(rank, 1, values.size()) - 1;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(place), values.end());
  return values[place];
}

absl::StatusOr<double> RecallAgainstFile(Collection* collection, absl::Span<const Query> queries,
                                         absl::Span<const SearchResult> results, const MatrixFile& truth,
                                         const std::string& key_prefix) {
  VARVE_CHECK(!queries.empty() && queries.size() == results.size());
  if (truth.component() != Component::kI32) return InvalidArgument(truth.path() + ": ground truth must be .ivecs");
  if (truth.rows() < queries.size()) {
    return InvalidArgument(truth.path() + ": has " + std::to_string(truth.rows()) + " rows: expected one for each of " +
                           std::to_string(queries.size()) + " queries");
  }
  ASSIGN_OR_RETURN(const uint64_t rows_there, collection->Count());
  PlaceCount sum;
  std::vector<std::byte> row;
  for (size_t i = 0; i < queries.size(); ++i) {
    const SearchRequest& request = queries[i].request;
    if (truth.dimension() < std::min<uint64_t>(request.k, rows_there)) {
      return InvalidArgument(truth.path() + ": has " + std::to_string(truth.dimension()) +
                             " neighbours of each query: expected " + std::to_string(request.k));
    }
    RETURN_IF_ERROR(truth.ReadRows(i, 1, &row));
    std::vector<RecordName> nearest;
    for (size_t place = 0; place < std::min<size_t>(request.k, truth.dimension()); ++place) {
      const auto number = LoadUnaligned<int32_t>(row.data() + place * sizeof(int32_t));
      nearest.push_back({request.ns.value_or(""), key_prefix + std::to_string(number)});
    }
    ASSIGN_OR_RETURN(const DistanceOfRecord distance, MakeDistanceOfRecord(collection, request));
    ASSIGN_OR_RETURN(const PlaceCount count, CountFilledPlaces(NamesOf(results[i]), nearest, request.k, distance));
    Add(count, &sum);
  }
  return ShareOf(sum);
}

absl::StatusOr<double> RecallAgainstExactSearch(Collection* collection, absl::Span<const Query> queries,
                                                absl::Span<const SearchResult> results, int threads) {
  VARVE_CHECK(!queries.empty() && queries.size() == results.size());
  std::vector<Query> exact_queries(queries.begin(), queries.end());
  for (Query& query : exact_queries) {
    query.request.exact = true;
    query.request.with_profile = false;
  }
  ASSIGN_OR_RETURN(const QueryRun truth, RunQueries(collection, exact_queries, threads));
  PlaceCount sum;
  for (size_t i = 0; i < queries.size(); ++i) {
    const SearchRequest& request = queries[i].request;
    ASSIGN_OR_RETURN(const DistanceOfRecord distance, MakeDistanceOfRecord(collection, request));
    ASSIGN_OR_RETURN(const PlaceCount count,
                     CountFilledPlaces(NamesOf(results[i]), NamesOf(truth.results[i]), request.k, distance));
    Add(count, &sum);
  }
  return ShareOf(sum);
}

}  // namespace varve::cli
