// For the tests of the stored state and of the tools that read it: manifests, logs and segments made by hand.
#ifndef VARVE_ENGINE_VERSION_STATE_TEST_SUPPORT_H_
#define VARVE_ENGINE_VERSION_STATE_TEST_SUPPORT_H_

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/publish.h"
#include "base/status.h"
#include "engine/version/file_names.h"
#include "engine/version/schema_codec.h"
#include "index/index_registry.h"
#include "log.pb.h"
#include "manifest.pb.h"
#include "segment/deletion_bitmap.h"
#include "segment/segment_writer.h"
#include "tests/support/status_matchers.h"
#include "varve/file_system.h"
#include "wal/log_writer.h"

namespace varve::testing {

inline const std::string kCollectionHex = "00112233445566778899aabbccddeeff";
inline const std::string kSecretHex = "ffeeddccbbaa99887766554433221100";
inline constexpr uint32_t kTestDimension = 4;

inline Schema TestSchema() {
  Schema schema;
  FieldSpec field;
  field.id = 1;
  field.name = "vector";
  field.dimension = kTestDimension;
  field.index.type = IndexType::kFlat;
  schema.fields.push_back(field);
  return schema;
}

// A manifest of generation 1 without files.
inline pb::Manifest EmptyManifest() {
  pb::Manifest manifest;
  manifest.set_version(1);
  manifest.set_collection_uuid(kCollectionHex);
  manifest.set_log_secret(kSecretHex);
  manifest.set_instance(kCollectionHex);
  manifest.set_generation(1);
  manifest.set_next_file_id(1);
  manifest.set_index_type(pb::FLAT);
  manifest.set_dimension(kTestDimension);
  *manifest.mutable_config() = EncodeSchema(TestSchema());
  return manifest;
}

inline void MakeDirectories(FileSystem* fs, const std::string& directory) {
  ASSERT_OK(fs->CreateDirectory(directory));
  for (const std::string_view sub : {kLogDirectory, kSegmentDirectory, kCheckpointDirectory}) {
    ASSERT_OK(fs->CreateDirectory(JoinPath(directory, sub)));
  }
}

// Publishes segment `id` with one row per key (ascending), of sequences first_sequence, + 1, ..., with a flat index.
// Gives the manifest's entry.
inline absl::StatusOr<pb::SegmentEntry> WriteTestSegment(FileSystem* fs, const std::string& directory, FileId id,
                                                         const std::vector<std::string>& keys,
                                                         Sequence first_sequence) {
  SegmentWriterOptions options;
  ASSIGN_OR_RETURN(options.collection, Uuid::FromHex(kCollectionHex));
  options.segment_id = id;
  options.schema = EncodeSchema(TestSchema());
  options.writer_version = "test";
  ASSIGN_OR_RETURN(const std::unique_ptr<SegmentWriter> writer,
                   SegmentWriter::Create(fs, JoinPath(directory, SegmentName(id)), options));
  std::vector<float> vectors;
  for (size_t i = 0; i < keys.size(); ++i) {
    SegmentRow row;
    row.key = keys[i];
    row.sequence = first_sequence + i;
    row.metadata = R"({"n":1})";
    RETURN_IF_ERROR(writer->AddRow(row));
    for (uint32_t d = 0; d < kTestDimension; ++d) vectors.push_back(static_cast<float>(i + d));
  }
  SegmentField field;
  field.id = 1;
  field.dimension = kTestDimension;
  RETURN_IF_ERROR(writer->BeginField(field, keys.size(), {}));
  RETURN_IF_ERROR(writer->BeginSection(SectionKind::kVectors, {}));
  RETURN_IF_ERROR(writer->Append(std::as_bytes(std::span(vectors))));
  ASSIGN_OR_RETURN(const FieldIndexFactory* factory, FindIndexFactory(IndexType::kFlat));
  std::vector<const std::byte*> slots;
  for (size_t i = 0; i < keys.size(); ++i) {
    slots.push_back(reinterpret_cast<const std::byte*>(vectors.data() + i * kTestDimension));
  }
  const SlotSource source{{kTestDimension, Metric::kL2, ElementType::kF32}, slots, {}};
  RETURN_IF_ERROR(factory->Build(source, {}, {}, writer.get()));
  ASSIGN_OR_RETURN(const FinishedSegment finished, writer->Finish());

  pb::SegmentEntry entry;
  entry.set_id(id);
  entry.set_index_type(pb::FLAT);
  entry.set_compression(pb::NONE);
  entry.set_rows(finished.rows);
  entry.set_live_rows(finished.rows);
  entry.set_bytes(finished.bytes);
  entry.set_footer_crc(Crc32cToHex(finished.footer_crc));
  entry.set_smallest_sequence(finished.smallest_sequence);
  entry.set_largest_sequence(finished.largest_sequence);
  return entry;
}

// Publishes a bitmap for a segment's entry, and names it there.
inline absl::Status WriteTestBitmap(FileSystem* fs, const std::string& directory, FileId id,
                                    const std::vector<uint32_t>& dead_rows, pb::SegmentEntry* entry) {
  RowSet dead(static_cast<uint32_t>(entry->rows()));
  for (const uint32_t row : dead_rows) dead.Add(row);
  DeletionBitmapHeader header;
  ASSIGN_OR_RETURN(header.collection, Uuid::FromHex(kCollectionHex));
  header.segment = entry->id();
  header.file_id = id;
  header.rows = dead.bound();
  ASSIGN_OR_RETURN(const PublishedBitmap published,
                   WriteDeletionBitmap(fs, JoinPath(directory, BitmapName(entry->id(), id)), header, dead));
  entry->mutable_bitmap()->set_file_id(id);
  entry->mutable_bitmap()->set_length(published.bytes);
  entry->mutable_bitmap()->set_crc(Crc32cToHex(published.crc));
  entry->mutable_bitmap()->set_dead(dead.Count());
  entry->set_live_rows(entry->rows() - dead.Count());
  return absl::OkStatus();
}

// Publishes log `number` with one delete per key, each a batch of its own, synced; finished, so that a log may follow.
inline absl::StatusOr<LogEnd> WriteTestLog(FileSystem* fs, const std::string& directory, FileId number,
                                           Sequence first_sequence, const std::vector<std::string>& keys,
                                           const LogEnd& previous = {}) {
  LogHeader header;
  header.number = number;
  header.first_sequence = first_sequence;
  header.previous = previous;
  ASSIGN_OR_RETURN(header.collection, Uuid::FromHex(kCollectionHex));
  ASSIGN_OR_RETURN(header.secret, Uuid::FromHex(kSecretHex));
  ASSIGN_OR_RETURN(const std::unique_ptr<LogWriter> writer,
                   LogWriter::Create(fs, JoinPath(directory, LogName(number)), header));
  for (const std::string& key : keys) {
    pb::LogRow row;
    row.set_key(key);
    const std::string payload = row.SerializeAsString();
    const LogEntry entry{LogEntryType::kDelete, payload};
    RETURN_IF_ERROR(writer->Append({&entry, 1}));
    RETURN_IF_ERROR(writer->Sync());
  }
  return writer->Finish();
}

}  // namespace varve::testing

#endif  // VARVE_ENGINE_VERSION_STATE_TEST_SUPPORT_H_
