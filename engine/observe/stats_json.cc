#include "engine/observe/stats_json.h"

#include "varve/schema.h"

namespace varve {
namespace {

void WriteSegment(const SegmentInfo& segment, JsonWriter* json) {
  json->BeginObject();
  json->Key("id").Uint(segment.id);
  json->Key("level").Uint(segment.level);
  // Of the first field; each field's own are below.
  if (!segment.fields.empty()) {
    json->Key("index").String(IndexTypeName(segment.fields.front().index));
    json->Key("compression").String(CompressionTypeName(segment.fields.front().compression));
  }
  json->Key("rows").Uint(segment.rows);
  json->Key("live_rows").Uint(segment.live_rows);
  json->Key("bytes").Uint(segment.bytes);
  json->Key("smallest_sequence").Uint(segment.smallest_sequence);
  json->Key("largest_sequence").Uint(segment.largest_sequence);
  json->Key("fields").BeginArray();
  for (const SegmentFieldInfo& field : segment.fields) {
    json->BeginObject();
    json->Key("name").String(field.name);
    json->Key("index").String(IndexTypeName(field.index));
    json->Key("compression").String(CompressionTypeName(field.compression));
    json->Key("why").String(field.why);
    json->EndObject();
  }
  json->EndArray().EndObject();
}

}  // namespace

void WriteSegments(const std::vector<SegmentInfo>& segments, JsonWriter* json) {
  json->BeginArray();
  for (const SegmentInfo& segment : segments) WriteSegment(segment, json);
  json->EndArray();
}

namespace {

void WriteSalvagedFile(const SalvagedFile& file, JsonWriter* json) {
  json->BeginObject().Member("file", file.file);
  json->Member("rows_kept", file.rows_kept).Member("rows_dropped", file.rows_dropped);
  json->Member("batches_kept", file.batches_kept).Member("bytes", file.bytes);
  json->Member("bytes_dropped", file.bytes_dropped).Member("first_dropped", file.first_dropped);
  json->Member("last_dropped", file.last_dropped).Member("why", file.why).EndObject();
}

}  // namespace

void WriteRecovery(const RecoveryInfo& recovery, JsonWriter* json) {
  json->BeginObject();
  json->Key("logs").Uint(recovery.logs);
  json->Key("records").Uint(recovery.records);
  json->Key("dropped_bytes").Uint(recovery.dropped_bytes);
  json->Key("dropped_reason").String(recovery.dropped_reason);
  json->Key("fallback").String(recovery.fallback);
  json->Key("fallback_reason").String(recovery.fallback_reason);
  json->Key("salvage_report").BeginArray();
  for (const std::string& line : recovery.salvage_report) json->String(line);
  json->EndArray();
  json->Key("salvaged").BeginArray();
  for (const SalvagedFile& file : recovery.salvaged) WriteSalvagedFile(file, json);
  json->EndArray();
  json->Key("microseconds").Int(recovery.microseconds);
  json->EndObject();
}

void WriteStats(const CollectionStats& stats, JsonWriter* json) {
  json->BeginObject();
  json->Member("live_rows", stats.live_rows);
  json->Member("dead_rows", stats.dead_rows);
  json->Member("memtable_rows", stats.memtable_rows);
  json->Member("memtable_bytes", stats.memtable_bytes);
  json->Member("frozen_memtables", stats.frozen_memtables);
  json->Member("disk_bytes", stats.disk_bytes);
  json->Member("log_bytes", stats.log_bytes);
  json->Member("log_number", stats.log_number);
  json->Member("last_sequence", stats.last_sequence);
  json->Member("durable_sequence", stats.durable_sequence);
  json->Member("generation", stats.generation);
  json->Member("checkpoint_id", stats.checkpoint_id);
  json->Member("pinned_views", stats.pinned_views);
  json->Member("flushes", stats.flushes);
  json->Member("merges", stats.merges);
  json->Member("stall_microseconds", stats.stall_microseconds);
  json->Member("stall_reason", StallReasonName(stats.stall_reason));
  json->Member("bytes_logged", stats.bytes_logged);
  json->Member("bytes_flushed", stats.bytes_flushed);
  json->Member("bytes_loaded", stats.bytes_loaded);
  json->Member("bytes_merged", stats.bytes_merged);
  json->Member("bytes_bitmaps", stats.bytes_bitmaps);
  json->Member("syncs", stats.syncs);
  json->Member("corruptions", stats.corruptions);
  json->Member("snapshots", stats.snapshots);
  json->Member("oldest_snapshot_sequence", stats.oldest_snapshot_sequence);
  json->Member("held_memory_bytes", stats.held_memory_bytes);
  json->Member("held_segments", stats.held_segments);
  json->Member("held_file_bytes", stats.held_file_bytes);
  json->Member("last_background_error", stats.last_background_error);
  WriteSegments(stats.segments, &json->Key("segments"));
  WriteRecovery(stats.recovery, &json->Key("recovery"));
  json->EndObject();
}

}  // namespace varve
