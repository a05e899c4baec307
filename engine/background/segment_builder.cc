#include "engine/background/segment_builder.h"

#include <utility>

#include "base/bytes.h"
#include "base/publish.h"
#include "base/status.h"
#include "engine/background/index_policy.h"
#include "engine/version/file_names.h"
#include "engine/version/schema_codec.h"
#include "index/dense_distance.h"

namespace varve {
namespace {

constexpr char kWriterVersion[] = "varve 0.1.0";

// The vectors of one field, by slot.
struct FieldVectors {
  std::vector<const std::byte*> vectors;
  std::vector<RowId> slot_rows;  // empty if slot s is row s
  std::vector<float> inverse_norms;
};

absl::StatusOr<FieldVectors> CollectVectors(const FieldSpec& field, size_t position, RowSource* source) {
  FieldVectors collected;
  const uint32_t rows = source->rows();
  collected.vectors.reserve(rows);
  for (RowId row = 0; row < rows; ++row) {
    ASSIGN_OR_RETURN(const std::byte* vector, source->Vector(row, position));
    if (vector == nullptr) continue;
    collected.vectors.push_back(vector);
    collected.slot_rows.push_back(row);
    if (field.metric == Metric::kCosine) {
      collected.inverse_norms.push_back(InverseNorm(vector, field.element, field.dimension));
    }
  }
  if (collected.vectors.size() == rows) collected.slot_rows.clear();
  return collected;
}

absl::Status WriteField(const CollectionState& state, const FieldSpec& field, size_t position, RowSource* source,
                        const Cancellation* cancellation, SegmentWriter* writer) {
  ASSIGN_OR_RETURN(const FieldVectors collected, CollectVectors(field, position, source));
  ASSIGN_OR_RETURN(const IndexChoice choice, ChooseIndex(field, collected.vectors.size()));
  SegmentField entry;
  entry.id = field.id;
  entry.dimension = field.dimension;
  entry.index_type = choice.factory->traits().type;
  entry.compression = CompressionType::kNone;
  entry.params = choice.params;
  entry.why = choice.why;
  RETURN_IF_ERROR(writer->BeginField(entry, collected.vectors.size(), collected.slot_rows));
  if (collected.vectors.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(writer->BeginSection(SectionKind::kVectors, {}));
  for (const std::byte* vector : collected.vectors) {
    RETURN_IF_ERROR(writer->Append({vector, field.vector_bytes()}));
  }
  if (!collected.inverse_norms.empty()) {
    RETURN_IF_ERROR(writer->BeginSection(SectionKind::kInverseNorms, {}));
    RETURN_IF_ERROR(writer->Append({reinterpret_cast<const std::byte*>(collected.inverse_norms.data()),
                                    collected.inverse_norms.size() * sizeof(float)}));
  }
  SlotSource slots;
  slots.shape = {field.dimension, field.metric, field.element};
  slots.vectors = collected.vectors;
  slots.inverse_norms = collected.inverse_norms;
  BuildContext context;
  context.threads = state.BuildThreads();
  context.seed = state.options.seed;
  context.cancellation = cancellation;
  return choice.factory->Build(slots, choice.params, context, writer);
}

absl::StatusOr<FinishedSegment> WriteSegment(const CollectionState& state, const std::string& path,
                                             SegmentWriterOptions options, RowSource* source,
                                             const Cancellation* cancellation) {
  ASSIGN_OR_RETURN(const std::unique_ptr<SegmentWriter> writer,
                   SegmentWriter::Create(state.fs, path, std::move(options)));
  for (RowId row = 0; row < source->rows(); ++row) {
    if (cancellation != nullptr && cancellation->cancelled()) return Cancelled("segment build");
    ASSIGN_OR_RETURN(const SegmentRow next, source->Row(row));
    RETURN_IF_ERROR(writer->AddRow(next));
  }
  for (size_t f = 0; f < state.schema.fields.size(); ++f) {
    RETURN_IF_ERROR(WriteField(state, state.schema.fields[f], f, source, cancellation, writer.get()));
  }
  return writer->Finish();
}

}  // namespace

absl::StatusOr<BuiltSegment> BuildSegment(CollectionState& state, FileId id, uint32_t level, RowSource* source,
                                          const std::vector<FileId>& replaces, const Cancellation* cancellation) {
  SegmentWriterOptions options;
  options.collection = state.uuid;
  options.segment_id = id;
  options.schema = EncodeSchema(state.schema);
  options.replaces = replaces;
  options.created_at_us = state.clock.NowMicros();
  options.filter_seed = Mix64(state.options.seed ^ id);
  options.writer_version = kWriterVersion;
  const std::string path = JoinPath(state.directory, SegmentName(id));
  ASSIGN_OR_RETURN(const FinishedSegment finished, WriteSegment(state, path, std::move(options), source, cancellation));

  SegmentExpectation expected{state.uuid, id, finished.bytes, finished.footer_crc};
  ASSIGN_OR_RETURN(std::shared_ptr<const Segment> segment,
                   Segment::Open(state.fs, path, expected, state.options.verify_checksums, state.options.io));
  BuiltSegment built;
  ASSIGN_OR_RETURN(built.handle, SegmentHandle::Make(std::move(segment), state.schema));
  pb::SegmentEntry& entry = built.entry;
  entry.set_id(id);
  entry.set_level(level);
  const pb::SegmentHeader& header = built.handle->segment().header();
  entry.set_index_type(header.index_type());
  entry.set_compression(header.compression());
  entry.set_rows(finished.rows);
  entry.set_live_rows(finished.rows);
  entry.set_bytes(finished.bytes);
  entry.set_footer_crc(Crc32cToHex(finished.footer_crc));
  entry.set_smallest_sequence(finished.smallest_sequence);
  entry.set_largest_sequence(finished.largest_sequence);
  return built;
}

}  // namespace varve
