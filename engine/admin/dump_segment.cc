// dump: segments and deletion bitmaps.
#include <memory>

#include "base/bytes.h"
#include "base/status.h"
#include "engine/admin/dump_parts.h"
#include "index/index_registry.h"
#include "segment/deletion_bitmap.h"
#include "segment/segment.h"
#include "segment/segment_footer.h"

namespace varve {
namespace {

// The footer's own view of the file. Segment::Open has compared it with the directory's.
absl::Status AddFooter(FileSystem* fs, const std::string& path, JsonWriter* json) {
  ASSIGN_OR_RETURN(const std::unique_ptr<MappedFile> file, fs->Map(path, /*copy=*/false));
  ASSIGN_OR_RETURN(const SegmentFooter footer, DecodeSegmentFooter(AsChars(file->bytes()), path));
  json->Key("footer").BeginObject();
  json->Member("header_offset", footer.header_offset);
  json->Member("vectors_offset", footer.vectors_offset);
  json->Member("graph_offset", footer.graph_offset);
  json->Member("ids_offset", footer.ids_offset);
  json->Member("term_dict_offset", footer.term_dict_offset);
  json->Member("term_dict_len", footer.term_dict_len);
  json->Member("postings_offset", footer.postings_offset);
  json->Member("postings_len", footer.postings_len);
  json->Member("doc_count", footer.doc_count);
  json->Member("max_doc_id", footer.max_doc_id);
  json->Member("checksum", Crc32cToHex(footer.checksum));
  json->EndObject();
  return absl::OkStatus();
}

void AddKey(std::string_view name, const Segment::Key& key, JsonWriter* json) {
  json->Key(name).BeginObject();
  json->BytesMember("namespace", key.ns).BytesMember("key", key.key);
  json->EndObject();
}

const pb::Field* FindField(const pb::SegmentHeader& header, FieldId id) {
  for (const pb::Field& field : header.schema().fields()) {
    if (field.id() == id) return &field;
  }
  return nullptr;
}

// What each index says of itself. An index that this build does not know is left out: the header names it.
void AddIndexes(const Segment& segment, JsonWriter* json) {
  json->Key("indexes").BeginArray();
  for (const pb::FieldIndex& index : segment.header().fields()) {
    const pb::Field* field = FindField(segment.header(), index.field_id());
    const absl::StatusOr<const FieldIndexFactory*> factory =
        FindIndexFactory(static_cast<IndexType>(index.index_type()));
    if (field == nullptr || !factory.ok() || index.slots() > kMaxRowsPerSegment) continue;
    const VectorShape shape{index.dimension(), static_cast<Metric>(field->metric()),
                            static_cast<ElementType>(field->element())};
    ParamMap params;
    for (const pb::Parameter& param : index.params()) params.emplace(param.name(), param.value());
    json->BeginObject().Member("field", field->name()).Member("type", (*factory)->traits().name);
    json->Key("structure")
        .Raw((*factory)->Dump(segment.FieldSections(index.field_id()), shape, static_cast<uint32_t>(index.slots()),
                              params));
    json->EndObject();
  }
  json->EndArray();
}

}  // namespace

absl::Status AddSegment(FileSystem* fs, const std::string& path, JsonWriter* json) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const Segment> segment,
                   Segment::Open(fs, path, std::nullopt, VerifyChecksums::kOnTouch, IoMode::kMapped));
  RETURN_IF_ERROR(AddFooter(fs, path, json));
  RETURN_IF_ERROR(AddMessage("header", segment->header(), json));
  if (segment->rows() != 0) {
    ASSIGN_OR_RETURN(const Segment::Key first, segment->KeyOf(0));
    ASSIGN_OR_RETURN(const Segment::Key last, segment->KeyOf(segment->rows() - 1));
    AddKey("first_key", first, json);
    AddKey("last_key", last, json);
  }
  AddIndexes(*segment, json);
  return absl::OkStatus();
}

absl::Status AddBitmap(FileSystem* fs, const std::string& path, JsonWriter* json) {
  ASSIGN_OR_RETURN(const LoadedBitmap bitmap, ReadDeletionBitmap(fs, path));
  json->Member("collection_uuid", bitmap.header.collection.ToHex());
  json->Member("segment", bitmap.header.segment);
  json->Member("file_id", bitmap.header.file_id);
  json->Member("rows", bitmap.header.rows);
  json->Member("dead", bitmap.header.dead);
  json->Member("durable_sequence", bitmap.header.durable_sequence);
  json->Member("crc", Crc32cToHex(bitmap.crc));
  json->Key("dead_rows").BeginArray();
  bitmap.dead.ForEach([&](uint32_t row) { json->Uint(row); });
  json->EndArray();
  return absl::OkStatus();
}

}  // namespace varve
