#include "tests/support/sample_segment.h"

#include <map>
#include <utility>

#include "base/bytes.h"
#include "base/random.h"
#include "base/status.h"

namespace varve::testing {
namespace {

constexpr size_t kFieldCount = 5;

std::string Noise(Random* random, size_t length) {
  std::string bytes(length, '\0');
  for (char& c : bytes) c = static_cast<char>(random->Next());
  return bytes;
}

void AddField(FieldId id, pb::FieldKind kind, pb::ElementType element, uint32_t dimension, pb::Schema* schema) {
  pb::Field* field = schema->add_fields();
  field->set_id(id);
  field->set_name("field" + std::to_string(id));
  field->set_kind(kind);
  field->set_element(element);
  field->set_dimension(dimension);
  field->set_metric(id == kSparseField ? pb::COSINE : pb::L2);
}

SampleRow MakeRow(const SampleShape& shape, Random* random) {
  SampleRow row;
  row.sequence = 1000 + random->Below(5000);
  row.created_at_us = static_cast<int64_t>(random->Below(1'000'000));
  row.updated_at_us = row.created_at_us + static_cast<int64_t>(random->Below(1000));
  if (shape.expiry && random->Below(3) == 0) row.expires_at_ms = static_cast<int64_t>(random->Below(100'000)) - 50'000;
  if (shape.documents && random->Below(4) != 0) row.metadata = "{\"n\":" + std::to_string(random->Below(1000)) + "}";
  if (shape.documents && random->Below(3) == 0) row.payload = Noise(random, random->Below(60));
  row.vectors.resize(kFieldCount);
  if (!shape.fields) return row;
  if (random->Below(4) != 0) row.vectors[kSparseField - 1] = Noise(random, 16);
  row.vectors[kMultiField - 1] = Noise(random, 3 * random->Below(4));
  row.vectors[kFullField - 1] = Noise(random, 8);
  return row;
}

// The rows of the slots of a field, and the slots' vectors.
void CollectSlots(const SampleSegment& sample, FieldId field, size_t vector_bytes, std::vector<RowId>* slot_rows,
                  std::string* vectors) {
  for (size_t row = 0; row < sample.rows.size(); ++row) {
    const std::string& bytes = sample.rows[row].vectors[field - 1];
    slot_rows->insert(slot_rows->end(), bytes.size() / vector_bytes, static_cast<RowId>(row));
    *vectors += bytes;
  }
}

absl::Status AppendSection(SegmentWriter* writer, SectionKind kind, std::string_view bytes) {
  RETURN_IF_ERROR(writer->BeginSection(kind, {{"size", static_cast<double>(bytes.size())}}));
  return writer->Append(AsBytes(bytes));
}

absl::Status WriteDenseField(const SampleSegment& sample, FieldId id, uint32_t dimension, size_t vector_bytes,
                             SegmentWriter* writer) {
  std::vector<RowId> slot_rows;
  std::string vectors;
  CollectSlots(sample, id, vector_bytes, &slot_rows, &vectors);
  SegmentField field;
  field.id = id;
  field.dimension = dimension;
  field.params = {{"m", 16}};
  field.why = "a test";
  const bool slots_are_rows = id == kFullField;
  RETURN_IF_ERROR(writer->BeginField(field, slot_rows.size(), slots_are_rows ? std::vector<RowId>() : slot_rows));
  RETURN_IF_ERROR(writer->BeginSection(SectionKind::kVectors, {}));
  for (size_t position = 0; position < vectors.size(); position += vector_bytes) {
    RETURN_IF_ERROR(writer->Append(AsBytes(std::string_view(vectors).substr(position, vector_bytes))));
  }
  if (id == kSparseField) {
    RETURN_IF_ERROR(AppendSection(writer, SectionKind::kInverseNorms, std::string(slot_rows.size() * 4, '\1')));
    RETURN_IF_ERROR(AppendSection(writer, SectionKind::kGraph, sample.graph));
  }
  return absl::OkStatus();
}

class Reader {
 public:
  Reader(const Segment& segment, const SampleSegment& sample, ReadReport* report)
      : segment_(segment), sample_(sample), report_(report) {}

  void Run() {
    const auto expiry = segment_.Expiry();
    if (!expiry.ok()) report_->errors.push_back(expiry.status());
    const std::unique_ptr<DocumentReader> documents = segment_.NewDocumentReader();
    std::map<std::string, std::pair<RowId, RowId>> namespaces;
    for (RowId row = 0; row < sample_.rows.size(); ++row) {
      const SampleRow& expected = sample_.rows[row];
      namespaces.try_emplace(expected.ns, row, row).first->second.second = row + 1;
      ReadRow(row, expected, documents.get());
      if (expiry.ok()) {
        Count((expiry->empty() ? kNeverExpires : (*expiry)[row]) == expected.expires_at_ms, "expiry", row);
      }
      for (FieldId field = 1; field <= kFieldCount; ++field) ReadVector(field, row, expected);
    }
    for (const auto& [ns, rows] : namespaces) {
      const auto& expected = rows;
      Compare(segment_.NamespaceRows(ns), "NamespaceRows", rows.first,
              [&](const auto& got) { return got == expected; });
    }
    Compare(segment_.FindKey("no such namespace", "k"), "FindKey", 0, [](RowId row) { return row == kNoRow; });
    ReadSection(kSparseField, SectionKind::kGraph, sample_.graph);
    ReadSection(kTextField, SectionKind::kTermDictionary, sample_.terms);
    ReadSection(kTextField, SectionKind::kPostings, sample_.postings);
  }

 private:
  void Count(bool right, const std::string& what, RowId row) {
    if (right) {
      ++report_->answers;
    } else {
      report_->wrong.push_back(what + " of row " + std::to_string(row));
    }
  }
  template <typename T, typename IsRight>
  void Compare(const absl::StatusOr<T>& got, const std::string& what, RowId row, IsRight is_right) {
    if (got.ok()) {
      Count(is_right(*got), what, row);
    } else {
      report_->errors.push_back(got.status());
    }
  }

  void ReadRow(RowId row, const SampleRow& expected, DocumentReader* documents) {
    Compare(segment_.FindKey(expected.ns, expected.key), "FindKey", row, [&](RowId got) { return got == row; });
    Compare(segment_.LowerBound(expected.ns, expected.key), "LowerBound", row, [&](RowId got) { return got == row; });
    Compare(segment_.KeyOf(row), "KeyOf", row,
            [&](const Segment::Key& got) { return got.ns == expected.ns && got.key == expected.key; });
    Compare(segment_.SequenceOf(row), "SequenceOf", row, [&](Sequence got) { return got == expected.sequence; });
    Compare(segment_.TimesOf(row), "TimesOf", row, [&](const Segment::Times& got) {
      return got.created_at_us == expected.created_at_us && got.updated_at_us == expected.updated_at_us;
    });
    Compare(documents->Read(row), "DocumentReader", row, [&](const DocumentReader::Document& got) {
      return got.metadata == expected.metadata && got.payload == expected.payload;
    });
    if (row % 64 != 0) return;  // decodes a whole block
    Compare(segment_.ReadDocument(row), "ReadDocument", row, [&](const StoredDocument& got) {
      return got.metadata == expected.metadata && got.payload == expected.payload;
    });
  }

  void ReadVector(FieldId field, RowId row, const SampleRow& expected) {
    const std::string& bytes = expected.vectors[field - 1];
    if (field == kTextField) return;
    Compare(segment_.VectorOf(field, row), "VectorOf", row,
            [&](absl::Span<const std::byte> got) { return AsChars(got) == bytes; });
    const auto slot = segment_.SlotOf(field, row);
    Compare(slot, "SlotOf", row, [&](SlotId got) { return (got == kNoSlot) == bytes.empty(); });
    const auto slot_rows = segment_.SlotRows(field);
    if (!slot.ok() || *slot == kNoSlot) return;
    Compare(slot_rows, "SlotRows", row, [&](absl::Span<const RowId> got) {
      return got.empty() ? *slot == row : *slot < got.size() && got[*slot] == row;
    });
  }

  void ReadSection(FieldId field, SectionKind kind, const std::string& expected) {
    const SectionView view = segment_.FieldSections(field).Find(kind);
    if (!view.present()) return;
    if (const absl::Status status = view.Verify(0, view.size()); !status.ok()) {
      report_->errors.push_back(status);
      return;
    }
    Count(AsChars(view.bytes()) == expected, std::string(SectionKindName(kind)), 0);
  }

  const Segment& segment_;
  const SampleSegment& sample_;
  ReadReport* const report_;
};

}  // namespace

SegmentRow SampleRow::AsSegmentRow() const {
  return {ns, key, sequence, created_at_us, updated_at_us, expires_at_ms, metadata, payload};
}

SampleSegment MakeSample(uint64_t seed, const SampleShape& shape) {
  Random random(seed);
  SampleSegment sample;
  for (char& c : sample.collection.bytes) c = static_cast<char>(random.Next());
  sample.id = 1 + random.Below(1000);
  if (shape.fields) {
    AddField(kSparseField, pb::DENSE, pb::F32, 4, &sample.schema);
    AddField(kMultiField, pb::MULTI_VECTOR, pb::U8, 3, &sample.schema);
    AddField(kFullField, pb::DENSE, pb::F32, 2, &sample.schema);
    AddField(kEmptyField, pb::DENSE, pb::F32, 2, &sample.schema);
    AddField(kTextField, pb::TEXT, pb::ELEMENT_UNSPECIFIED, 0, &sample.schema);
    sample.graph = Noise(&random, 700);
    sample.terms = Noise(&random, 100);
    sample.postings = Noise(&random, 333);
  }
  std::map<std::pair<std::string, std::string>, SampleRow> rows;
  while (rows.size() < shape.rows) {
    const std::string ns = random.Below(2) == 0 ? "" : "tenant" + std::to_string(random.Below(5));
    const std::string key = "key" + std::to_string(random.Below(100'000)) + Noise(&random, random.Below(3));
    rows[{ns, key}] = MakeRow(shape, &random);
  }
  for (auto& [key, row] : rows) {
    row.ns = key.first;
    row.key = key.second;
    sample.rows.push_back(std::move(row));
  }
  return sample;
}

absl::StatusOr<FinishedSegment> WriteSample(FileSystem* fs, const std::string& path, const SampleSegment& sample) {
  SegmentWriterOptions options;
  options.collection = sample.collection;
  options.segment_id = sample.id;
  options.schema = sample.schema;
  options.replaces = {3, 4};
  options.created_at_us = 123;
  options.filter_seed = 77;
  options.writer_version = "test";
  ASSIGN_OR_RETURN(const std::unique_ptr<SegmentWriter> writer, SegmentWriter::Create(fs, path, std::move(options)));
  for (const SampleRow& row : sample.rows) RETURN_IF_ERROR(writer->AddRow(row.AsSegmentRow()));
  if (sample.schema.fields_size() > 0) {
    RETURN_IF_ERROR(WriteDenseField(sample, kSparseField, 4, 16, writer.get()));
    RETURN_IF_ERROR(WriteDenseField(sample, kMultiField, 3, 3, writer.get()));
    RETURN_IF_ERROR(WriteDenseField(sample, kFullField, 2, 8, writer.get()));
    RETURN_IF_ERROR(WriteDenseField(sample, kEmptyField, 2, 8, writer.get()));
    SegmentField text;
    text.id = kTextField;
    RETURN_IF_ERROR(writer->BeginField(text, sample.rows.size(), {}));
    RETURN_IF_ERROR(AppendSection(writer.get(), SectionKind::kTermDictionary, sample.terms));
    RETURN_IF_ERROR(AppendSection(writer.get(), SectionKind::kPostings, sample.postings));
  }
  return writer->Finish();
}

SegmentExpectation ExpectationOf(const SampleSegment& sample, const FinishedSegment& finished) {
  return {sample.collection, sample.id, finished.bytes, finished.footer_crc};
}

ReadReport ReadEverything(const Segment& segment, const SampleSegment& sample) {
  ReadReport report;
  Reader(segment, sample, &report).Run();
  return report;
}

}  // namespace varve::testing
