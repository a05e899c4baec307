#include "engine/search/part_search.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "base/status.h"
#include "engine/search/filter_compiler.h"
#include "index/dense_distance.h"

namespace varve {
namespace {

// The k nearest rows of a memtable. Its rows are not numbered by key, so that ties are decided by the keys themselves.
class MemtableBest {
 public:
  explicit MemtableBest(size_t k) : k_(k) {}

  // Whether Offer would take it. The distance is not NaN, here and there.
  bool Takes(float distance, Memtable::Row* row) const {
    return entries_.size() < k_ || Before({distance, row}, entries_.front());
  }
  void Offer(float distance, Memtable::Row* row) {
    if (!Takes(distance, row)) return;
    const Entry entry{distance, row};
    if (entries_.size() == k_) {
      std::pop_heap(entries_.begin(), entries_.end(), Before);
      entries_.back() = entry;
    } else {
      entries_.push_back(entry);
    }
    std::push_heap(entries_.begin(), entries_.end(), Before);
  }
  // No row above this distance would be taken.
  float limit() const {
    return entries_.size() < k_ ? std::numeric_limits<float>::infinity() : entries_.front().distance;
  }
  struct Entry {
    float distance;
    Memtable::Row* row;
  };
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  static bool Before(const Entry& a, const Entry& b) {
    if (a.distance != b.distance) return a.distance < b.distance;
    return std::pair(a.row->ns, a.row->key) < std::pair(b.row->ns, b.row->key);
  }
  const size_t k_;
  std::vector<Entry> entries_;  // max-heap
};

// Compares rows in batches, so that their cache misses overlap.
class MemtableScan {
 public:
  MemtableScan(const Memtable& memtable, const PreparedSearch& prepared, const ReadPoint& point, MemtableBest* best)
      : memtable_(memtable),
        prepared_(prepared),
        point_(point),
        distance_(GetBatchDistanceFunction(prepared.field->metric, prepared.field->element)),
        best_(best) {}

  absl::Status Visit(const Memtable::Row* row) { return IsWanted(*row) ? Add(row->number) : absl::OkStatus(); }
  // All rows whose codes leave it open whether they are among the best, and those that are not coded yet. The row
  // itself is not looked at before its vector has turned out to be near.
  absl::Status VisitCodes(const MemtableCodes& codes, uint32_t rows) {
    const size_t field = prepared_.field_position;
    const RabitqQuery query(*codes.coder(field), reinterpret_cast<const float*>(prepared_.vector.data()),
                            prepared_.inverse_norm);
    const uint32_t coded = std::min(codes.rows(), rows);
    for (uint32_t first = 0; first < coded; first += kSignBlockRows) {
      // Infinity itself would let rows pass that have no vector.
      const float limit = std::min(best_->limit(), std::numeric_limits<float>::max());
      uint32_t within = query.RowsWithin(codes.block(first / kSignBlockRows, field), limit);
      for (; within != 0; within &= within - 1) {
        RETURN_IF_ERROR(Add(first + static_cast<uint32_t>(std::countr_zero(within))));
      }
    }
    for (uint32_t number = coded; number < rows; ++number) RETURN_IF_ERROR(Visit(memtable_.row(number)));
    return absl::OkStatus();
  }
  // What was visited last.
  absl::Status Finish() { return Compare(); }
  uint64_t compared() const { return compared_; }

 private:
  static constexpr size_t kBatch = 64;

  bool IsWanted(const Memtable::Row& row) const {
    const bool has_field = ((row.present >> prepared_.field_position) & 1) != 0;
    return has_field && row.VisibleAt(point_.visible) && row.expires_at_ms > point_.now_ms &&
           (prepared_.ns == nullptr || row.ns == *prepared_.ns);
  }

  absl::Status Add(uint32_t number) {
    numbers_[count_] = number;
    vectors_[count_] = memtable_.vector(number, prepared_.field_position);
    return ++count_ == kBatch ? Compare() : absl::OkStatus();
  }

  absl::Status Compare() {
    if (count_ == 0) return absl::OkStatus();
    std::array<float, kBatch> distances;
    distance_(prepared_.vector.data(), vectors_.data(), count_, prepared_.field->dimension, distances.data());
    for (size_t i = 0; i < count_; ++i) {
      float distance = distances[i];
      if (prepared_.field->metric == Metric::kCosine) {
        distance =
            1.0f + distance * prepared_.inverse_norm * memtable_.inverse_norm(numbers_[i], prepared_.field_position);
      }
      if (std::isnan(distance)) distance = std::numeric_limits<float>::infinity();
      if (distance > best_->limit()) continue;
      Memtable::Row* row = memtable_.row(numbers_[i]);
      if (!IsWanted(*row)) continue;
      // Documents are read of those alone that would be among the best.
      if (prepared_.filter != nullptr && best_->Takes(distance, row)) {
        ASSIGN_OR_RETURN(const bool matches, prepared_.filter->Matches(row->metadata));
        if (!matches) continue;
      }
      best_->Offer(distance, row);
    }
    compared_ += count_;
    count_ = 0;
    return absl::OkStatus();
  }

  const Memtable& memtable_;
  const PreparedSearch& prepared_;
  const ReadPoint& point_;
  const BatchDistanceFunction distance_;
  MemtableBest* const best_;
  std::array<uint32_t, kBatch> numbers_;
  std::array<const void*, kBatch> vectors_;
  size_t count_ = 0;
  uint64_t compared_ = 0;
};

// The codes to scan, or null if the rows are better compared one by one.
const MemtableCodes* CodesFor(const Memtable& memtable, const PreparedSearch& prepared) {
  // Below this part of all rows those of a namespace are walked along the skip list.
  constexpr uint32_t kNamespacePart = 32;
  const MemtableCodes* codes = memtable.codes();
  if (prepared.exact || codes == nullptr || codes->rows() == 0) return nullptr;
  if (codes->coder(prepared.field_position) == nullptr) return nullptr;
  const bool most = prepared.ns == nullptr || memtable.EstimateRows(*prepared.ns) >= memtable.rows() / kNamespacePart;
  return most ? codes : nullptr;
}

// Which plan the index takes follows from the exact count: a scan of few rows, a traversal that keeps only them.
void NarrowTo(const MatchingRows& matching, SlotFilter* filter) {
  filter->accepted_rows = matching.count;
  if (matching.count == matching.live) return;  // as good as no filter, which is faster to ask
  filter->allowed = &matching.rows;
  // None of the matching rows is dead or has expired.
  filter->dead = nullptr;
  filter->deaths = nullptr;
  filter->expiry = {};
}

}  // namespace

absl::Status SearchMemtable(Memtable* memtable, const PreparedSearch& prepared, const ReadPoint& point,
                            SearchContext* context, std::vector<Candidate>* candidates, PartProfile* profile) {
  const uint32_t rows = memtable->rows();
  if (rows == 0) return absl::OkStatus();
  MemtableBest best(std::min<size_t>(prepared.k, rows));
  MemtableScan scan(*memtable, prepared, point, &best);
  const MemtableCodes* codes = CodesFor(*memtable, prepared);
  if (codes != nullptr) {
    RETURN_IF_ERROR(scan.VisitCodes(*codes, rows));
  } else if (prepared.ns != nullptr) {
    Memtable::Row* row = memtable->LowerBound(*prepared.ns, "");
    for (; row != nullptr && row->ns == *prepared.ns; row = Memtable::Next(row)) RETURN_IF_ERROR(scan.Visit(row));
  } else {
    for (uint32_t number = 0; number < rows; ++number) RETURN_IF_ERROR(scan.Visit(memtable->row(number)));
  }
  RETURN_IF_ERROR(scan.Finish());
  context->work.distances += scan.compared();
  for (const MemtableBest::Entry& entry : best.entries()) {
    RowLocation location;
    location.memtable = memtable;
    location.memtable_row = entry.row;
    candidates->push_back({entry.distance, location});
  }
  if (profile != nullptr) {
    profile->index = "MEMTABLE";
    profile->plan = codes != nullptr ? "scan of codes" : "scan";
    profile->rows = rows;
  }
  return absl::OkStatus();
}

absl::Status SearchSegment(const SegmentPart& part, const PreparedSearch& prepared, const ReadPoint& point,
                           SearchContext* context, std::vector<Candidate>* candidates, PartProfile* profile) {
  const SegmentHandle::Field& field = part.handle->field(prepared.field_position);
  if (profile != nullptr) {
    profile->segment = part.entry.id();
    profile->index = std::string(IndexTypeName(field.info.index));
    profile->rows = part.handle->rows();
    profile->plan = field.searcher == nullptr ? "no vectors" : prepared.exact ? "exact" : "index";
  }
  if (field.searcher == nullptr) return absl::OkStatus();
  RowId first = 0;
  RowId last = part.handle->rows();
  if (prepared.ns != nullptr) {
    ASSIGN_OR_RETURN(std::tie(first, last), part.segment().NamespaceRows(*prepared.ns));
    if (first == last) return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(SlotFilter filter, MakeSlotFilter(part, point, first, last));
  ASSIGN_OR_RETURN(filter.slot_rows, part.segment().SlotRows(prepared.field->id));
  MatchingRows matching;
  if (prepared.filter != nullptr) {
    ASSIGN_OR_RETURN(matching, FindMatchingRows(part, filter, prepared.filter.get(), context->cancellation));
    NarrowTo(matching, &filter);
    if (profile != nullptr) profile->matching_rows = matching.count;
    if (matching.count == 0) {
      if (profile != nullptr) profile->plan = "no matching rows";
      return absl::OkStatus();
    }
  }
  SearchParams params;
  params.params = prepared.params;
  params.exact = prepared.exact;
  TopK best(std::min<size_t>(prepared.k, field.slots));
  const FieldQuery query = prepared.query();
  RETURN_IF_ERROR(field.searcher->Search({&query, 1}, params, filter, context, {&best, 1}));
  if (profile != nullptr && prepared.filter != nullptr) {
    profile->plan = context->work.nodes_visited > 0 ? "filtered index" : "scan of matching rows";
  }
  for (const Neighbor& neighbor : best.TakeSorted()) {
    RowLocation location;
    location.part = &part;
    location.row = neighbor.id;
    candidates->push_back({neighbor.distance, location});
  }
  return absl::OkStatus();
}

}  // namespace varve
