// varve flush, merge and checkpoint: work that is done when the command returns.
#include <functional>
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
#include "varve/clock.h"
#include "varve/collection.h"

namespace varve::cli {
namespace {

using Work = std::function<absl::StatusOr<MaintenanceResult>(Collection*)>;

struct MaintenanceArguments {
  CommonOptions common;
  std::string directory;
  bool full = false;
};

void WriteIds(std::string_view name, const std::vector<FileId>& ids, JsonWriter* writer) {
  writer->Key(name).BeginArray();
  for (const FileId id : ids) writer->Uint(id);
  writer->EndArray();
}

void PrintResult(const MaintenanceResult& result, double seconds, bool json) {
  if (json) {
    JsonWriter writer;
    writer.BeginObject();
    WriteIds("segments_added", result.segments_added, &writer);
    WriteIds("segments_removed", result.segments_removed, &writer);
    writer.Key("rows_written").Uint(result.rows_written).Key("rows_dropped").Uint(result.rows_dropped);
    writer.Key("bytes_written").Uint(result.bytes_written).Key("checkpoint").Uint(result.checkpoint_id);
    writer.Key("generation").Uint(result.generation).Key("seconds").Double(seconds);
    PrintLine(writer.EndObject().text());
    return;
  }
  std::string line = "segments: " + WithCommas(result.segments_added.size()) + " added, " +
                     WithCommas(result.segments_removed.size()) + " removed; rows: " + WithCommas(result.rows_written) +
                     " written, " + WithCommas(result.rows_dropped) + " dropped; " + HumanBytes(result.bytes_written) +
                     "; generation " + std::to_string(result.generation);
  if (result.checkpoint_id != 0) line += "; checkpoint " + std::to_string(result.checkpoint_id);
  PrintLine(line + "; " + Fixed(seconds, 2) + " s");
}

absl::Status RunMaintenance(const MaintenanceArguments& arguments, const Work& work) {
  Clock* clock = Clock::Default();
  ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection, OpenForWriting(arguments.directory, arguments.common));
  const int64_t start_us = clock->MonotonicMicros();
  const absl::StatusOr<MaintenanceResult> result = work(collection.get());
  const double seconds = static_cast<double>(clock->MonotonicMicros() - start_us) / 1e6;
  RETURN_IF_ERROR(CloseAfter(collection.get(), result.status()));
  PrintResult(*result, seconds, arguments.common.json);
  return absl::OkStatus();
}

CLI::App* AddMaintenance(CLI::App* root, const std::string& name, const std::string& description,
                         MaintenanceArguments* arguments) {
  CLI::App* app = root->add_subcommand(name, description);
  app->footer("Example: varve " + name + " things");
  AddDirectory(app, &arguments->directory);
  AddCommonOptions(app, &arguments->common);
  return app;
}

}  // namespace

std::vector<Command> AddMaintenanceCommands(CLI::App* root) {
  auto flush = std::make_shared<MaintenanceArguments>();
  CLI::App* flush_app = AddMaintenance(root, "flush", "Write what is in memory into indexed segments", flush.get());

  auto merge = std::make_shared<MaintenanceArguments>();
  CLI::App* merge_app = AddMaintenance(root, "merge", "Fold segments together, dropping dead rows", merge.get());
  merge_app->add_flag("--full", merge->full, "Fold all segments into one");

  auto checkpoint = std::make_shared<MaintenanceArguments>();
  CLI::App* checkpoint_app =
      AddMaintenance(root, "checkpoint", "Flush, and write a checkpoint to recover from", checkpoint.get());

  return {
      {flush_app,
       [flush] { return RunMaintenance(*flush, [](Collection* collection) { return collection->Flush(); }); }},
      {merge_app,
       [merge] {
         return RunMaintenance(*merge, [&](Collection* collection) { return collection->Merge(merge->full); });
       }},
      {checkpoint_app,
       [checkpoint] {
         return RunMaintenance(*checkpoint, [](Collection* collection) { return collection->Checkpoint(); });
       }},
  };
}

}  // namespace varve::cli
