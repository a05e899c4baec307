#include "engine/version/row_access.h"

#include "base/bytes.h"
#include "base/status.h"
#include "engine/write/vector_codec.h"

namespace varve {

absl::StatusOr<RowLocation> FindLiveRow(const ReadView& view, std::string_view ns, std::string_view key,
                                        Sequence visible, FileId but_segment) {
  RowLocation location;
  for (const std::shared_ptr<Memtable>& memtable : view.memtables) {
    // Rows are constant but for their death, which only the leader sets.
    auto* row = const_cast<Memtable::Row*>(memtable->FindVisible(ns, key, visible));
    if (row == nullptr) continue;
    location.memtable = memtable.get();
    location.memtable_row = row;
    return location;
  }
  for (auto part = view.segments.rbegin(); part != view.segments.rend(); ++part) {
    if (part->entry.id() == but_segment) continue;
    ASSIGN_OR_RETURN(const RowId row, part->segment().FindKey(ns, key));
    if (row == kNoRow || part->IsDead(row, visible)) continue;
    location.part = &*part;
    location.row = row;
    return location;
  }
  return location;
}

absl::StatusOr<RowFacts> ReadRowFacts(const RowLocation& location) {
  RowFacts facts;
  if (location.memtable != nullptr) {
    const Memtable::Row& row = *location.memtable_row;
    return RowFacts{row.born, row.created_at_us, row.updated_at_us, row.expires_at_ms};
  }
  const Segment& segment = location.part->segment();
  ASSIGN_OR_RETURN(facts.sequence, segment.SequenceOf(location.row));
  ASSIGN_OR_RETURN(const Segment::Times times, segment.TimesOf(location.row));
  facts.created_at_us = times.created_at_us;
  facts.updated_at_us = times.updated_at_us;
  ASSIGN_OR_RETURN(const absl::Span<const int64_t> expiry, segment.Expiry());
  if (!expiry.empty()) facts.expires_at_ms = expiry[location.row];
  return facts;
}

absl::StatusOr<RowVectors> ReadRowVectors(const Schema& schema, const RowLocation& location) {
  RowVectors vectors(schema.fields.size());
  for (size_t f = 0; f < schema.fields.size(); ++f) {
    if (location.memtable != nullptr) {
      if (((location.memtable_row->present >> f) & 1) == 0) continue;
      const std::byte* bytes = location.memtable->vector(location.memtable_row->number, f);
      vectors[f] = AsChars({bytes, schema.fields[f].vector_bytes()});
    } else {
      ASSIGN_OR_RETURN(const auto bytes, location.part->segment().VectorOf(schema.fields[f].id, location.row));
      vectors[f] = AsChars(bytes);
    }
  }
  return vectors;
}

absl::StatusOr<StoredDocument> ReadRowDocument(const RowLocation& location) {
  if (location.memtable == nullptr) return location.part->segment().ReadDocument(location.row);
  return StoredDocument{std::string(location.memtable_row->metadata), std::string(location.memtable_row->payload)};
}

absl::StatusOr<Record> ReadRecord(const Schema& schema, const RowLocation& location, bool keys_only) {
  Record record;
  if (location.memtable != nullptr) {
    record.ns = std::string(location.memtable_row->ns);
    record.key = std::string(location.memtable_row->key);
  } else {
    ASSIGN_OR_RETURN(const Segment::Key key, location.part->segment().KeyOf(location.row));
    record.ns = std::string(key.ns);
    record.key = std::string(key.key);
  }
  ASSIGN_OR_RETURN(const RowFacts facts, ReadRowFacts(location));
  record.sequence = facts.sequence;
  record.created_at_us = facts.created_at_us;
  record.updated_at_us = facts.updated_at_us;
  record.expires_at_ms = facts.expires_at_ms;
  if (keys_only) return record;
  ASSIGN_OR_RETURN(const RowVectors vectors, ReadRowVectors(schema, location));
  for (size_t f = 0; f < vectors.size(); ++f) {
    if (vectors[f].empty()) continue;
    record.vectors.emplace_back(schema.fields[f].name, DecodeVector(schema.fields[f], AsBytes(vectors[f])));
  }
  ASSIGN_OR_RETURN(StoredDocument document, ReadRowDocument(location));
  record.metadata = std::move(document.metadata);
  record.payload = std::move(document.payload);
  return record;
}

}  // namespace varve
