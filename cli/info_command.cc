// varve info: what a collection says of itself.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/status.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/open_collection.h"
#include "cli/output.h"
#include "cli/schema_json.h"
#include "engine/observe/stats_json.h"
#include "engine/version/file_names.h"
#include "varve/collection.h"
#include "varve/file_system.h"

namespace varve::cli {
namespace {

struct InfoArguments {
  CommonOptions common;
  std::string directory;
};

// The checkpoint files that are there, oldest first; none if the directory cannot be read.
std::vector<FileId> ListCheckpoints(const std::string& directory) {
  std::vector<FileId> checkpoints;
  const absl::StatusOr<std::vector<DirectoryEntry>> files = ListCollection(FileSystem::Default(), directory);
  if (!files.ok()) return checkpoints;
  for (const DirectoryEntry& file : *files) {
    if (file.kind == FileKind::kCheckpoint) checkpoints.push_back(file.id);
  }
  std::sort(checkpoints.begin(), checkpoints.end());
  return checkpoints;
}

std::string ToJson(const Collection& collection, const CollectionStats& stats) {
  JsonWriter writer;
  writer.BeginObject();
  writer.Key("directory").String(collection.directory());
  writer.Key("rows").Uint(stats.live_rows);
  writer.Key("dead_rows").Uint(stats.dead_rows);
  writer.Key("disk_bytes").Uint(stats.disk_bytes);
  writer.Key("last_sequence").Uint(stats.last_sequence);
  WriteSchema(collection.schema(), &writer.Key("schema"));
  writer.Key("manifest").BeginObject().Key("generation").Uint(stats.generation).EndObject();
  writer.Key("memtable").BeginObject();
  writer.Key("rows").Uint(stats.memtable_rows).Key("bytes").Uint(stats.memtable_bytes).EndObject();
  writer.Key("log").BeginObject();
  writer.Key("number").Uint(stats.log_number).Key("bytes").Uint(stats.log_bytes).EndObject();
  writer.Key("checkpoints").BeginArray();
  for (const FileId checkpoint : ListCheckpoints(collection.directory())) writer.Uint(checkpoint);
  writer.EndArray();
  WriteSegments(stats.segments, &writer.Key("segments"));
  WriteRecovery(stats.recovery, &writer.Key("recovery"));
  writer.EndObject();
  return writer.Take();
}

void PrintTables(const Collection& collection, const CollectionStats& stats) {
  Table facts;
  facts.AddRow({"rows", WithCommas(stats.live_rows)});
  facts.AddRow({"dead rows", WithCommas(stats.dead_rows)});
  facts.AddRow({"in memory", WithCommas(stats.memtable_rows) + " rows, " + HumanBytes(stats.memtable_bytes)});
  facts.AddRow({"on disk", HumanBytes(stats.disk_bytes) + ", of it the log " + HumanBytes(stats.log_bytes)});
  facts.AddRow({"generation", std::to_string(stats.generation)});
  facts.AddRow({"checkpoint", stats.checkpoint_id != 0 ? std::to_string(stats.checkpoint_id) : "none"});
  facts.AddRow({"log", stats.log_number != 0 ? std::to_string(stats.log_number) : "none"});
  facts.AddRow({"sync", SyncModeName(collection.schema().sync)});
  const RecoveryInfo& recovery = stats.recovery;
  facts.AddRow({"recovery", WithCommas(recovery.logs) + " logs, " + WithCommas(recovery.records) + " records, " +
                                WithCommas(recovery.dropped_bytes) + " bytes dropped, " +
                                Fixed(static_cast<double>(recovery.microseconds) / 1000, 1) + " ms"});
  if (!recovery.dropped_reason.empty()) facts.AddRow({"dropped", recovery.dropped_reason});
  if (!recovery.fallback.empty()) facts.AddRow({"fallback", recovery.fallback + ": " + recovery.fallback_reason});
  facts.Print();

  PrintLine("");
  Table fields({"field", "dimension", "metric", "element", "index", "compression"});
  for (const FieldSpec& field : collection.schema().fields) {
    fields.AddRow({field.name, std::to_string(field.dimension), std::string(MetricName(field.metric)),
                   std::string(ElementTypeName(field.element)), std::string(IndexTypeName(field.index.type)),
                   std::string(CompressionTypeName(field.index.compression))});
  }
  fields.Print();
  if (stats.segments.empty()) return;

  PrintLine("");
  Table segments({"segment", "rows", "live", "bytes", "field", "index", "compression", "why"});
  for (const SegmentInfo& segment : stats.segments) {
    for (const SegmentFieldInfo& field : segment.fields) {
      segments.AddRow({std::to_string(segment.id), WithCommas(segment.rows), WithCommas(segment.live_rows),
                       HumanBytes(segment.bytes), field.name, std::string(IndexTypeName(field.index)),
                       std::string(CompressionTypeName(field.compression)), field.why});
    }
  }
  segments.Print();
}

absl::Status RunInfo(const InfoArguments& arguments) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection, OpenForReading(arguments.directory, arguments.common));
  const CollectionStats stats = collection->Stats();
  if (arguments.common.json) {
    PrintLine(ToJson(*collection, stats));
  } else {
    PrintTables(*collection, stats);
  }
  return absl::OkStatus();
}

}  // namespace

Command AddInfoCommand(CLI::App* root) {
  auto arguments = std::make_shared<InfoArguments>();
  CLI::App* app = root->add_subcommand("info", "Show schema, segments, log, checkpoint and recovery");
  app->footer("Example: varve info things --json");
  AddDirectory(app, &arguments->directory);
  AddCommonOptions(app, &arguments->common);
  return {app, [arguments] { return RunInfo(*arguments); }};
}

}  // namespace varve::cli
