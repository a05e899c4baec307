#include "tests/damage/row_reader.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "base/top_k.h"
#include "engine/version/segment_handle.h"
#include "index/search_context.h"
#include "index/slot_filter.h"

namespace varve::testing {
namespace {

class SegmentReading {
 public:
  explicit SegmentReading(const Segment& segment) : segment_(segment) {}

  absl::Status ReadRows() {
    AddNumber(segment_.rows());
    const std::unique_ptr<DocumentReader> documents = segment_.NewDocumentReader();
    for (RowId row = 0; row < segment_.rows(); ++row) {
      RETURN_IF_ERROR(ReadRow(row));
      ASSIGN_OR_RETURN(const DocumentReader::Document document, documents->Read(row));
      Add(document.metadata);
      Add(document.payload);
    }
    ASSIGN_OR_RETURN(const absl::Span<const int64_t> expiry, segment_.Expiry());
    for (const int64_t time : expiry) AddNumber(static_cast<uint64_t>(time));
    for (const char* absent : {"", "absent", "key-1x", "zzz"}) {
      ASSIGN_OR_RETURN(const RowId row, segment_.FindKey("", absent));
      AddNumber(row);
      ASSIGN_OR_RETURN(const RowId bound, segment_.LowerBound("", absent));
      AddNumber(bound);
      ASSIGN_OR_RETURN(const auto range, segment_.NamespaceRows(absent));
      AddNumber(range.first);
      AddNumber(range.second);
    }
    return absl::OkStatus();
  }

  absl::Status ReadField(const SegmentHandle::Field& field) {
    ASSIGN_OR_RETURN(const absl::Span<const RowId> slot_rows, segment_.SlotRows(field.spec->id));
    for (const RowId row : slot_rows) AddNumber(row);
    absl::Span<const std::byte> query;
    for (RowId row = 0; row < segment_.rows(); ++row) {
      ASSIGN_OR_RETURN(const SlotId slot, segment_.SlotOf(field.spec->id, row));
      AddNumber(slot);
      ASSIGN_OR_RETURN(const absl::Span<const std::byte> vector, segment_.VectorOf(field.spec->id, row));
      Add(AsChars(vector));
      if (query.empty() && vector.size() == field.spec->vector_bytes()) query = vector;
    }
    if (field.searcher == nullptr || query.empty()) return absl::OkStatus();
    for (const bool exact : {false, true}) RETURN_IF_ERROR(Search(field, query, slot_rows, exact));
    return absl::OkStatus();
  }

  std::string Take() { return std::move(text_); }

 private:
  absl::Status ReadRow(RowId row) {
    ASSIGN_OR_RETURN(const Segment::Key key, segment_.KeyOf(row));
    Add(key.ns);
    Add(key.key);
    ASSIGN_OR_RETURN(const RowId found, segment_.FindKey(key.ns, key.key));
    AddNumber(found);
    ASSIGN_OR_RETURN(const Sequence sequence, segment_.SequenceOf(row));
    AddNumber(sequence);
    ASSIGN_OR_RETURN(const Segment::Times times, segment_.TimesOf(row));
    AddNumber(static_cast<uint64_t>(times.created_at_us));
    AddNumber(static_cast<uint64_t>(times.updated_at_us));
    return absl::OkStatus();
  }

  absl::Status Search(const SegmentHandle::Field& field, absl::Span<const std::byte> query,
                      absl::Span<const RowId> slot_rows, bool exact) {
    FieldQuery asked;
    asked.dense = query.data();
    SearchParams params;
    const ParamMap beam = {{"ef", 64}};
    if (field.info.index == IndexType::kHnsw) params.params = &beam;
    params.exact = exact;
    SlotFilter filter;
    filter.rows = segment_.rows();
    filter.slot_rows = slot_rows;
    SearchContext context;
    TopK best(10);
    RETURN_IF_ERROR(field.searcher->Search({&asked, 1}, params, filter, &context, {&best, 1}));
    for (const Neighbor& neighbor : best.TakeSorted()) {
      AddNumber(neighbor.id);
      Add({reinterpret_cast<const char*>(&neighbor.distance), sizeof(neighbor.distance)});
    }
    return absl::OkStatus();
  }

  void Add(std::string_view bytes) {
    AddNumber(bytes.size());
    text_ += bytes;
  }
  void AddNumber(uint64_t number) { text_.append(reinterpret_cast<const char*>(&number), sizeof(number)); }

  const Segment& segment_;
  std::string text_;
};

}  // namespace

absl::StatusOr<std::string> ReadWholeSegment(FileSystem* fs, const std::string& path,
                                             const std::optional<SegmentExpectation>& expected, const Schema& schema) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const Segment> segment,
                   Segment::Open(fs, path, expected, VerifyChecksums::kOnTouch, IoMode::kMapped));
  SegmentReading reading(*segment);
  ASSIGN_OR_RETURN(const std::shared_ptr<const SegmentHandle> handle, SegmentHandle::Make(segment, schema));
  RETURN_IF_ERROR(reading.ReadRows());
  for (size_t i = 0; i < handle->field_count(); ++i) {
    if (handle->field(i).spec != nullptr && handle->field(i).slots > 0) {
      RETURN_IF_ERROR(reading.ReadField(handle->field(i)));
    }
  }
  return reading.Take();
}

}  // namespace varve::testing
