// varve repair: a damaged collection salvaged into a new one.
#include <memory>
#include <string>

#include "base/json_writer.h"
#include "base/status.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/output.h"
#include "engine/observe/stats_json.h"
#include "engine/repair.h"

namespace varve::cli {
namespace {

struct RepairArguments {
  CommonOptions common;
  std::string directory;
  std::string to;
};

void PrintJson(const RepairReport& report) {
  JsonWriter writer;
  writer.BeginObject().Key("rows").Uint(report.rows);
  writer.Key("unreadable").BeginArray();
  for (const std::string& line : report.unreadable) writer.String(line);
  writer.EndArray();
  WriteRecovery(report.recovery, &writer.Key("recovery"));
  PrintLine(writer.EndObject().text());
}

void PrintTables(const RepairReport& report) {
  Table files({"file", "rows kept", "rows dropped", "batches", "bytes", "bytes dropped", "sequences dropped"});
  for (const SalvagedFile& file : report.recovery.salvaged) {
    const std::string sequences =
        file.last_dropped == 0 ? "" : std::to_string(file.first_dropped) + " to " + std::to_string(file.last_dropped);
    files.AddRow({file.file, WithCommas(file.rows_kept), WithCommas(file.rows_dropped), WithCommas(file.batches_kept),
                  WithCommas(file.bytes), WithCommas(file.bytes_dropped), sequences});
  }
  files.Print();
  if (!report.recovery.fallback.empty()) {
    PrintLine("manifest: " + report.recovery.fallback + " stood in: " + report.recovery.fallback_reason);
  }
  for (const std::string& line : report.unreadable) PrintLine("unreadable: " + line);
  for (const std::string& line : report.recovery.salvage_report) PrintLine("lost: " + line);
  PrintLine(WithCommas(report.rows) + " rows kept");
}

absl::Status RunRepair(const RepairArguments& arguments) {
  ASSIGN_OR_RETURN(const RepairReport report, RepairCollection(arguments.directory, arguments.to, {}));
  if (arguments.common.json) {
    PrintJson(report);
  } else {
    PrintTables(report);
  }
  return absl::OkStatus();
}

}  // namespace

Command AddRepairCommand(CLI::App* root) {
  auto arguments = std::make_shared<RepairArguments>();
  CLI::App* app = root->add_subcommand("repair", "Salvage what is good of a damaged collection into a new one");
  app->footer(
      "The damaged collection is not touched. Says of each file what was kept and what was dropped.\n"
      "Example: varve repair things --to things-repaired");
  AddDirectory(app, &arguments->directory);
  app->add_option("--to", arguments->to, "The new collection: must not exist, or be an empty directory")->required();
  AddCommonOptions(app, &arguments->common);
  return {app, [arguments] { return RunRepair(*arguments); }};
}

}  // namespace varve::cli
