#include "index/exact_scan.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/status.h"
#include "index/accepted_slots.h"
#include "simd/distance.h"

namespace varve {
namespace {

// Vectors, and queries, that are compared before others are fetched: together they fit any second-level cache.
constexpr size_t kTileBytes = size_t{256} << 10;
constexpr size_t kMaxTileSlots = 1024;

class Scan {
 public:
  Scan(const StoredVectors& vectors, absl::Span<const FieldQuery> queries, float radius, const SlotFilter& filter,
       ExactScanScratch* scratch, SearchContext* context, absl::Span<TopK> best)
      : vectors_(vectors),
        queries_(queries),
        radius_(radius),
        filter_(filter),
        scratch_(*scratch),
        context_(*context),
        best_(best),
        all_(AcceptsEverySlot(filter, vectors.slot_count())),
        vector_bytes_(vectors.shape().bytes()),
        tile_slots_(std::clamp<size_t>(kTileBytes / vector_bytes_, 1, kMaxTileSlots)) {}

  absl::Status Run() {
    if (queries_.size() > 1) GatherQueries();
    const uint32_t slot_count = vectors_.slot_count();
    for (uint32_t first = 0; first < slot_count;) {
      if (context_.cancellation != nullptr && context_.cancellation->cancelled()) return Cancelled("exact scan");
      const uint32_t last = static_cast<uint32_t>(std::min<uint64_t>(slot_count, uint64_t{first} + tile_slots_));
      CollectAccepted(first, last);
      const size_t accepted = scratch_.slots.size();
      if (queries_.size() > 1 && accepted * 2 > last - first) {
        RETURN_IF_ERROR(CompareTile(first, last));
      } else if (accepted > 0) {
        RETURN_IF_ERROR(CompareAccepted());
      }
      first = last;
    }
    return absl::OkStatus();
  }

 private:
  void GatherQueries() {
    scratch_.queries.resize(queries_.size() * vector_bytes_);
    for (size_t q = 0; q < queries_.size(); ++q) {
      std::memcpy(scratch_.queries.data() + q * vector_bytes_, queries_[q].dense, vector_bytes_);
    }
  }

  void CollectAccepted(uint32_t first, uint32_t last) {
    if (all_) {
      scratch_.slots.resize(last - first);
      std::iota(scratch_.slots.begin(), scratch_.slots.end(), first);
      scratch_.rows.assign(scratch_.slots.begin(), scratch_.slots.end());
      return;
    }
    scratch_.slots.clear();
    scratch_.rows.clear();
    ForEachAcceptedSlot(filter_, first, last, [this](SlotId slot, RowId row) {
      scratch_.slots.push_back(slot);
      scratch_.rows.push_back(row);
    });
  }

  // Compares just the accepted slots of the tile, query by query.
  absl::Status CompareAccepted() {
    const std::vector<SlotId>& slots = scratch_.slots;
    for (const SlotId slot : slots) {
      if (!vectors_.IsVerified(slot)) RETURN_IF_ERROR(vectors_.Verify(slot, 1));
    }
    scratch_.distances.resize(std::max(scratch_.distances.size(), slots.size()));
    for (size_t q = 0; q < queries_.size(); ++q) {
      const QueryDistance distance(&vectors_, queries_[q].dense, queries_[q].inverse_norm);
      distance.Compute(slots.data(), slots.size(), scratch_.distances.data());
      for (size_t i = 0; i < slots.size(); ++i) {
        OfferWithin(scratch_.distances[i], scratch_.rows[i], radius_, &best_[q]);
      }
    }
    context_.work.distances += slots.size() * queries_.size();
    return absl::OkStatus();
  }

  // Compares all slots of the tile with all queries, and offers the accepted ones.
  absl::Status CompareTile(uint32_t first, uint32_t last) {
    const size_t count = last - first;
    RETURN_IF_ERROR(vectors_.Verify(first, static_cast<uint32_t>(count)));
    const MatrixDistanceFunction function =
        GetMatrixDistanceFunction(vectors_.shape().metric, vectors_.shape().element);
    const size_t tile_queries = std::max<size_t>(kTileBytes / vector_bytes_, 1);
    for (size_t q = 0; q < queries_.size(); q += tile_queries) {
      const size_t some = std::min(tile_queries, queries_.size() - q);
      scratch_.distances.resize(std::max(scratch_.distances.size(), some * count));
      function(scratch_.queries.data() + q * vector_bytes_, some, vectors_.vector(first), count,
               vectors_.shape().dimension, scratch_.distances.data());
      for (size_t i = 0; i < some; ++i) OfferRow(q + i, &scratch_.distances[i * count], first);
    }
    context_.work.distances += count * queries_.size();
    return absl::OkStatus();
  }

  // `distances` are those of the tile that begins at slot `first`.
  void OfferRow(size_t query, const float* distances, uint32_t first) {
    for (size_t i = 0; i < scratch_.slots.size(); ++i) {
      const SlotId slot = scratch_.slots[i];
      float distance = distances[slot - first];
      if (vectors_.is_cosine()) {
        distance = 1.0f + distance * queries_[query].inverse_norm * vectors_.inverse_norm(slot);
      }
      OfferWithin(distance, scratch_.rows[i], radius_, &best_[query]);
    }
  }

  const StoredVectors& vectors_;
  const absl::Span<const FieldQuery> queries_;
  const float radius_;
  const SlotFilter& filter_;
  ExactScanScratch& scratch_;
  SearchContext& context_;
  const absl::Span<TopK> best_;
  const bool all_;
  const size_t vector_bytes_;
  const size_t tile_slots_;
};

}  // namespace

absl::Status CheckDenseQueries(absl::Span<const FieldQuery> queries) {
  for (const FieldQuery& query : queries) {
    if (query.dense == nullptr) return InvalidArgument("a dense field is searched with dense vectors");
    if (query.vectors != 1) return Unimplemented("a query of several vectors is not built for this index type");
  }
  return absl::OkStatus();
}

absl::Status ExactScan(const StoredVectors& vectors, absl::Span<const FieldQuery> queries, float radius,
                       const SlotFilter& filter, ExactScanScratch* scratch, SearchContext* context,
                       absl::Span<TopK> best) {
  RETURN_IF_ERROR(CheckDenseQueries(queries));
  return Scan(vectors, queries, radius, filter, scratch, context, best).Run();
}

}  // namespace varve
