// varve backup and restore: whole copies of a collection.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/status.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "engine/admin/backup.h"
#include "varve/clock.h"

namespace varve::cli {
namespace {

using Copy = absl::StatusOr<BackupResult> (*)(const std::string&, const std::string&, const BackupOptions&);

struct BackupArguments {
  CommonOptions common;
  std::string from;
  std::string to;
};

absl::Status RunCopy(const BackupArguments& arguments, Copy copy) {
  Clock* clock = Clock::Default();
  const int64_t start_us = clock->MonotonicMicros();
  absl::StatusOr<BackupResult> result;
  {
    Progress progress("bytes", 0);
    BackupOptions options;
    options.progress = [&](uint64_t bytes) { progress.Add(bytes); };
    result = copy(arguments.from, arguments.to, options);
  }
  RETURN_IF_ERROR(result.status());
  const double seconds = static_cast<double>(clock->MonotonicMicros() - start_us) / 1e6;
  if (arguments.common.json) {
    JsonWriter writer;
    writer.BeginObject().Key("generation").Uint(result->generation).Key("sequence").Uint(result->sequence);
    writer.Key("files_linked").Uint(result->files_linked).Key("files_copied").Uint(result->files_copied);
    writer.Key("bytes_copied").Uint(result->bytes_copied).Key("seconds").Double(seconds);
    PrintLine(writer.EndObject().text());
    return absl::OkStatus();
  }
  PrintLine(arguments.to + ": " + WithCommas(result->files_linked) + " files linked, " +
            WithCommas(result->files_copied) + " copied (" + HumanBytes(result->bytes_copied) + "); up to sequence " +
            std::to_string(result->sequence) + "; " + Fixed(seconds, 2) + " s");
  return absl::OkStatus();
}

}  // namespace

std::vector<Command> AddBackupCommands(CLI::App* root) {
  auto backup = std::make_shared<BackupArguments>();
  CLI::App* app = root->add_subcommand("backup", "Make a consistent copy, also beside a live writer");
  app->footer(
      "The copy is an ordinary collection with every write that was acknowledged before. Files are hard-linked where "
      "the\n"
      "file system allows it. DEST appears when it is whole; what a crash leaves is DEST.tmp.\n"
      "Example: varve backup things backups/things-monday");
  AddDirectory(app, &backup->from);
  app->add_option("DEST", backup->to, "Where the copy goes: must not exist, or be an empty directory")->required();
  AddCommonOptions(app, &backup->common);
  std::vector<Command> commands = {{app, [backup] { return RunCopy(*backup, &BackupCollection); }}};

  auto restore = std::make_shared<BackupArguments>();
  app = root->add_subcommand("restore", "Check a backup, and copy it into a new directory");
  app->footer(
      "Reads and checks every byte of the backup first; nothing is linked, so that the backup stays as it is.\n"
      "Example: varve restore backups/things-monday things");
  app->add_option("BACKUP", restore->from, "The backup's directory")->required();
  app->add_option("DIR", restore->to, "The new collection: must not exist, or be an empty directory")->required();
  AddCommonOptions(app, &restore->common);
  commands.push_back({app, [restore] { return RunCopy(*restore, &RestoreCollection); }});
  return commands;
}

}  // namespace varve::cli
