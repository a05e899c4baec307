#include "tests/fuzz/segment_reading.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/top_k.h"
#include "index/index_registry.h"
#include "simd/distance.h"
#include "tests/fuzz/fuzz_target.h"

namespace varve::fuzz {
namespace {

constexpr uint32_t kMaxRowsRead = 2000;
constexpr uint32_t kMaxDimensionSearched = 4096;

class Reader {
 public:
  explicit Reader(const Segment& segment) : segment_(segment), rows_(std::min(segment.rows(), kMaxRowsRead)) {}

  SegmentReading Run() {
    ReadRows();
    for (const auto& [ns, key] : {std::pair<std::string, std::string>{"", "absent"}, {"absent", "x"}, {"", ""}}) {
      Note(segment_.FindKey(ns, key));
      Note(segment_.LowerBound(ns, key));
      const auto range = segment_.NamespaceRows(ns);
      if (Ok(range)) FUZZ_CHECK(range->first <= range->second && range->second <= segment_.rows());
    }
    for (const pb::FieldIndex& field : segment_.header().fields()) ReadField(field);
    return std::move(reading_);
  }

 private:
  template <typename T>
  bool Ok(const absl::StatusOr<T>& value) {
    Refused(value.status());
    return value.ok();
  }
  void Refused(const absl::Status& status) {
    if (status.ok()) return;
    FUZZ_CHECK(absl::IsDataLoss(status) || absl::IsUnimplemented(status));
    if (reading_.first_error.ok()) reading_.first_error = status;
    answers_.Varint(1);
  }
  template <typename T>
  void Note(const absl::StatusOr<T>& number) {
    if (Ok(number)) answers_.Varint(static_cast<uint64_t>(*number));
  }

  void ReadRows() {
    const std::unique_ptr<DocumentReader> documents = segment_.NewDocumentReader();
    const auto expiry = segment_.Expiry();
    if (Ok(expiry)) FUZZ_CHECK(expiry->empty() || expiry->size() == segment_.rows());
    for (RowId row = 0; row < rows_; ++row) {
      ReadKey(row);
      Note(segment_.SequenceOf(row));
      if (const auto times = segment_.TimesOf(row); Ok(times)) answers_.Fixed(times->created_at_us);
      const auto document = documents->Read(row);
      if (Ok(document)) answers_.LengthPrefixed(document->metadata);
      const auto stored = segment_.ReadDocument(row);
      FUZZ_CHECK(stored.ok() == document.ok());
      if (stored.ok()) FUZZ_CHECK(stored->metadata == document->metadata && stored->payload == document->payload);
    }
    FUZZ_CHECK(absl::IsInvalidArgument(segment_.KeyOf(segment_.rows()).status()));
    reading_.answers = answers_.str();
  }

  void ReadKey(RowId row) {
    const auto key = segment_.KeyOf(row);
    if (!Ok(key)) return;
    answers_.LengthPrefixed(key->ns);
    answers_.LengthPrefixed(key->key);
    const auto found = segment_.FindKey(key->ns, key->key);
    const auto bound = segment_.LowerBound(key->ns, key->key);
    if (Ok(found)) FUZZ_CHECK(*found == kNoRow || *found < segment_.rows());
    if (Ok(bound)) FUZZ_CHECK(*bound <= segment_.rows());
  }

  void ReadField(const pb::FieldIndex& field) {
    const auto slot_rows = segment_.SlotRows(field.field_id());
    if (Ok(slot_rows)) {
      for (const RowId row : *slot_rows) FUZZ_CHECK(row < segment_.rows() || row == kNoRow);
    }
    for (RowId row = 0; row < rows_; ++row) {
      const auto slot = segment_.SlotOf(field.field_id(), row);
      if (Ok(slot)) FUZZ_CHECK(*slot == kNoSlot || *slot < field.slots());
      const auto vector = segment_.VectorOf(field.field_id(), row);
      if (Ok(vector)) answers_.LengthPrefixed(AsChars(*vector));
    }
    reading_.answers = answers_.str();
    if (slot_rows.ok()) SearchField(field, *slot_rows);
  }

  // As the engine does: the shape is the schema's, all else the segment's.
  void SearchField(const pb::FieldIndex& field, absl::Span<const RowId> slot_rows) {
    const pb::Field* spec = nullptr;
    for (const pb::Field& candidate : segment_.header().schema().fields()) {
      if (candidate.id() == field.field_id()) spec = &candidate;
    }
    const auto factory = FindIndexFactory(static_cast<IndexType>(field.index_type()));
    if (spec == nullptr || !factory.ok() || spec->kind() != pb::DENSE) return;
    VectorShape shape;
    shape.dimension = spec->dimension();
    shape.metric = static_cast<Metric>(spec->metric());
    shape.element = static_cast<ElementType>(spec->element());
    const IndexTraits& traits = (*factory)->traits();
    const auto has = [](auto span, auto value) { return std::find(span.begin(), span.end(), value) != span.end(); };
    if (!has(traits.metrics, shape.metric) || !has(traits.elements, shape.element)) return;
    if (GetDistanceFunction(shape.metric, shape.element) == nullptr) return;
    if (shape.dimension == 0 || shape.dimension > kMaxDimensionSearched) return;
    const SectionView vectors = segment_.FieldSections(field.field_id()).Find(SectionKind::kVectors);
    if (!vectors.present() || vectors.size() != field.slots() * shape.bytes()) return;
    Search(**factory, field, shape, slot_rows);
  }

  void Search(const FieldIndexFactory& factory, const pb::FieldIndex& field, const VectorShape& shape,
              absl::Span<const RowId> slot_rows) {
    const SectionSource& sections = segment_.FieldSections(field.field_id());
    const auto slots = static_cast<uint32_t>(field.slots());
    ParamMap params;
    for (const pb::Parameter& param : field.params()) params[param.name()] = param.value();
    std::vector<IndexDamage> damage;
    factory.Verify(sections, shape, slots, params, /*deep=*/true, &damage);
    (void)factory.Dump(sections, shape, slots, params);
    const auto searcher = factory.Open(sections, shape, slots, params);
    Refused(searcher.status());
    if (!searcher.ok()) return;
    const std::vector<std::byte> query(shape.bytes(), std::byte{3});
    FieldQuery field_query;
    field_query.dense = query.data();
    SlotFilter filter;
    filter.rows = segment_.rows();
    filter.slot_rows = slot_rows;
    for (const bool exact : {true, false}) {
      SearchContext context;
      TopK best(5);
      const absl::Status status =
          (*searcher)->Search({&field_query, 1}, {.params = &params, .exact = exact}, filter, &context, {&best, 1});
      Refused(status);
      if (!status.ok()) continue;
      for (const Neighbor& neighbor : best.TakeSorted()) FUZZ_CHECK(neighbor.id < segment_.rows());
    }
  }

  const Segment& segment_;
  const uint32_t rows_;
  ByteWriter answers_;
  SegmentReading reading_;
};

}  // namespace

SegmentReading ReadSegment(const Segment& segment) { return Reader(segment).Run(); }

}  // namespace varve::fuzz
