// varve verify and dump: what the files themselves say.
#include <memory>
#include <string>
#include <utility>

#include "base/json_writer.h"
#include "base/status.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/output.h"
#include "engine/admin/dump.h"
#include "engine/admin/verify.h"

namespace varve::cli {
namespace {

struct InspectArguments {
  CommonOptions common;
  std::string path;
  bool deep = false;
};

std::string PlaceOf(const VerifyDamage& damage) {
  std::string place = damage.file + ": at offset " + std::to_string(damage.offset);
  if (!damage.section.empty()) place += ", section " + damage.section;
  return place;
}

std::string ToJson(const VerifyReport& report) {
  JsonWriter writer;
  writer.BeginObject();
  writer.Key("ok").Bool(report.ok).Key("files").Uint(report.files).Key("bytes").Uint(report.bytes);
  writer.Key("damage").BeginArray();
  for (const VerifyDamage& damage : report.damage) {
    writer.BeginObject();
    writer.Key("file").String(damage.file).Key("offset").Uint(damage.offset);
    writer.Key("section").String(damage.section).Key("what").String(damage.what);
    writer.EndObject();
  }
  writer.EndArray();
  writer.Key("warnings").BeginArray();
  for (const std::string& warning : report.warnings) writer.String(warning);
  writer.EndArray().EndObject();
  return writer.Take();
}

void PrintReport(const VerifyReport& report) {
  for (const VerifyDamage& damage : report.damage) PrintLine("damage: " + PlaceOf(damage) + ": " + damage.what);
  for (const std::string& warning : report.warnings) PrintLine("warning: " + warning);
  PrintLine((report.ok ? "ok: " : "damaged: ") + WithCommas(report.files) + " files, " + HumanBytes(report.bytes) +
            ", " + WithCommas(report.damage.size()) + " damages, " + WithCommas(report.warnings.size()) + " warnings");
}

absl::Status RunVerify(const InspectArguments& arguments) {
  VerifyOptions options;
  options.deep = arguments.deep;
  ASSIGN_OR_RETURN(const VerifyReport report, VerifyPath(arguments.path, options));
  if (arguments.common.json) {
    PrintLine(ToJson(report));
  } else {
    PrintReport(report);
  }
  if (report.ok) return absl::OkStatus();
  if (report.damage.empty()) return DataLoss(arguments.path + ": damage was found");
  return DataLoss(std::to_string(report.damage.size()) + " damages were found, the first: " +
                  PlaceOf(report.damage.front()) + ": " + report.damage.front().what);
}

absl::Status RunDump(const InspectArguments& arguments) {
  ASSIGN_OR_RETURN(const std::string json, DumpFile(arguments.path, /*file_system=*/nullptr));
  PrintLine(json);
  return absl::OkStatus();
}

}  // namespace

Command AddVerifyCommand(CLI::App* root) {
  auto arguments = std::make_shared<InspectArguments>();
  CLI::App* app = root->add_subcommand("verify", "Read and check every byte; list all damage");
  app->footer("Example: varve verify things --deep");
  app->add_option("PATH", arguments->path, "A collection's directory, or one file of it")->required();
  app->add_flag("--deep", arguments->deep, "Also what costs more than one pass, such as reachability in graphs");
  AddCommonOptions(app, &arguments->common);
  return {app, [arguments] { return RunVerify(*arguments); }};
}

Command AddDumpCommand(CLI::App* root) {
  auto arguments = std::make_shared<InspectArguments>();
  CLI::App* app = root->add_subcommand("dump", "Decode one file into JSON");
  app->footer("Example: varve dump things/manifest.json");
  app->add_option("FILE", arguments->path, "A segment, log, checkpoint, manifest or deletion bitmap")->required();
  AddCommonOptions(app, &arguments->common);
  return {app, [arguments] { return RunDump(*arguments); }};
}

}  // namespace varve::cli
