#include "engine/background/segment_builder.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/publish.h"
#include "base/status.h"
#include "engine/background/build_resources.h"
#include "engine/background/index_policy.h"
#include "engine/observe/job_observer.h"
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

IndexCircumstances Circumstances(const CollectionState& state, const SegmentPurpose& purpose, uint64_t vectors) {
  const size_t memory = state.budget->share(MemoryBudget::Use::kBuilds);
  const size_t of_rows = vectors * kRowBuildBytes;
  const size_t of_index = std::min(memory > of_rows ? memory - of_rows : 0, purpose.max_index_bytes);
  return {.vectors = vectors, .memory_bytes = of_index, .threads = state.BuildThreads()};
}

// Where the slots of one input go. `new_slots` are by the output's row.
std::vector<SlotId> MapSlots(const RowSource::Input& input, absl::Span<const SlotId> new_slots) {
  std::vector<SlotId> map(input.slots, kNoSlot);
  for (SlotId slot = 0; slot < input.slots; ++slot) {
    const RowId old_row = input.slot_rows.empty() ? slot : input.slot_rows[slot];
    if (old_row >= input.new_rows.size()) continue;  // the slot's row is gone
    const RowId new_row = input.new_rows[old_row];
    if (new_row == kNoRow) continue;
    map[slot] = new_slots.empty() ? new_row : new_slots[new_row];
  }
  return map;
}

// Appends the index: over what inputs have of its type, if it can use that, else anew.
absl::Status WriteIndex(const IndexChoice& choice, const SlotSource& slots, absl::Span<const RowId> slot_rows,
                        absl::Span<const RowSource::Input> inputs, uint32_t rows, const BuildContext& context,
                        SectionSink* sink) {
  const IndexTraits& traits = choice.factory->traits();
  const bool reuse = traits.can_merge && std::any_of(inputs.begin(), inputs.end(), [&](const RowSource::Input& input) {
                       return input.type == traits.type;
                     });
  if (!reuse) return choice.factory->Build(slots, choice.params, context, sink);
  std::vector<SlotId> new_slots;
  if (!slot_rows.empty()) new_slots.resize(rows, kNoSlot);
  for (SlotId slot = 0; slot < slot_rows.size(); ++slot) new_slots[slot_rows[slot]] = slot;
  std::vector<std::vector<SlotId>> maps;
  std::vector<MergeInput> merged;
  for (const RowSource::Input& input : inputs) {
    maps.push_back(MapSlots(input, new_slots));
    merged.push_back({input.type, input.params, input.sections, input.slots, maps.back()});
  }
  return choice.factory->Merge(slots, merged, choice.params, context, sink);
}

absl::Status WriteField(const CollectionState& state, const SegmentPurpose& purpose, FileId segment, size_t position,
                        RowSource* source, const Cancellation* cancellation, SegmentWriter* writer) {
  const FieldSpec& field = state.schema.fields[position];
  ASSIGN_OR_RETURN(const FieldVectors collected, CollectVectors(field, position, source));
  ASSIGN_OR_RETURN(const IndexChoice choice,
                   ChooseIndex(field, Circumstances(state, purpose, collected.vectors.size())));
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
  context.threads = choice.threads;
  context.seed = state.options.seed;
  context.cancellation = cancellation;
  ASSIGN_OR_RETURN(const std::vector<RowSource::Input> inputs, source->Inputs(position));
  IndexBuildObserver observer(state, segment, field, entry.index_type, collected.vectors.size());
  context.progress = observer.progress();
  if (purpose.progress) {
    context.progress = [told = context.progress, &purpose](uint64_t done, uint64_t of) {
      if (told) told(done, of);
      purpose.progress(done, of);
    };
  }
  return observer.End(WriteIndex(choice, slots, collected.slot_rows, inputs, source->rows(), context, writer));
}

absl::StatusOr<FinishedSegment> WriteSegment(const CollectionState& state, const std::string& path,
                                             SegmentWriterOptions options, const SegmentPurpose& purpose,
                                             RowSource* source, const Cancellation* cancellation) {
  const FileId id = options.segment_id;
  ASSIGN_OR_RETURN(const std::unique_ptr<SegmentWriter> writer,
                   SegmentWriter::Create(state.fs, path, std::move(options)));
  for (RowId row = 0; row < source->rows(); ++row) {
    if (cancellation != nullptr && cancellation->cancelled()) return Cancelled("segment build");
    ASSIGN_OR_RETURN(const SegmentRow next, source->Row(row));
    RETURN_IF_ERROR(writer->AddRow(next));
  }
  for (size_t f = 0; f < state.schema.fields.size(); ++f) {
    RETURN_IF_ERROR(WriteField(state, purpose, id, f, source, cancellation, writer.get()));
  }
  return writer->Finish();
}

}  // namespace

absl::StatusOr<size_t> BuildBytes(const CollectionState& state, const SegmentPurpose& purpose, uint64_t rows,
                                  uint64_t row_bytes) {
  // Fields are built one after the other, when keys and documents have been written.
  size_t most = row_bytes;
  for (const FieldSpec& field : state.schema.fields) {
    ASSIGN_OR_RETURN(const IndexChoice choice, ChooseIndex(field, Circumstances(state, purpose, rows)));
    most = std::max(most, choice.build_bytes);
  }
  return rows * kRowBuildBytes + most;
}

absl::StatusOr<BuiltSegment> BuildSegment(CollectionState& state, FileId id, const SegmentPurpose& purpose,
                                          RowSource* source, const std::vector<FileId>& replaces,
                                          const Cancellation* cancellation) {
  SegmentWriterOptions options;
  options.collection = state.uuid;
  options.segment_id = id;
  options.schema = EncodeSchema(state.schema);
  options.replaces = replaces;
  options.created_at_us = state.clock.NowMicros();
  options.filter_seed = Mix64(state.options.seed ^ id);
  options.writer_version = kWriterVersion;
  options.ingested = purpose.ingested;
  if (purpose.limited) {
    options.before_write = [limiter = state.options.rate_limiter, cancellation](uint64_t bytes) {
      return WaitToWrite(limiter, bytes, cancellation);
    };
  }
  const std::string path = JoinPath(state.directory, SegmentName(id));
  ASSIGN_OR_RETURN(const FinishedSegment finished,
                   WriteSegment(state, path, std::move(options), purpose, source, cancellation));

  SegmentExpectation expected{state.uuid, id, finished.bytes, finished.footer_crc};
  if (purpose.ingested) expected.ingest_sequence = kMaxSequence;  // until it enters
  ASSIGN_OR_RETURN(std::shared_ptr<const Segment> segment,
                   Segment::Open(state.fs, path, expected, state.options.verify_checksums, state.options.io));
  BuiltSegment built;
  ASSIGN_OR_RETURN(built.handle, SegmentHandle::Make(std::move(segment), state.schema));
  pb::SegmentEntry& entry = built.entry;
  entry.set_id(id);
  entry.set_level(purpose.level);
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
