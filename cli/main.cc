// The `varve` command: finds the subcommand, runs it, and turns its status into an exit status and one line on stderr.
#include <algorithm>
#include <cstdio>
#include <new>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "base/status.h"
#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/output.h"

namespace varve::cli {
namespace {

std::vector<Command> AddCommands(CLI::App* root) {
  std::vector<Command> commands = {
      AddCreateCommand(root),  AddImportCommand(root),  AddWriteCommand(root),  AddGetCommand(root),
      AddSearchCommand(root),  AddScanCommand(root),    AddCountCommand(root),  AddDeleteCommand(root),
      AddInfoCommand(root),    AddVerifyCommand(root),  AddDumpCommand(root),   AddGroundTruthCommand(root),
      AddVersionCommand(root), AddMetricsCommand(root), AddExportCommand(root), AddRepairCommand(root)};
  for (Command& command : AddMaintenanceCommands(root)) commands.push_back(std::move(command));
  for (Command& command : AddBackupCommands(root)) commands.push_back(std::move(command));
  for (Command& command : AddDatabaseCommands(root)) commands.push_back(std::move(command));
  for (Command& command : AddUnbuiltCommands(root)) commands.push_back(std::move(command));
  return commands;
}

// Help goes to stdout; a wrong command line is told on stderr, on one line.
int ExplainUsage(const CLI::App& root, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return root.exit(error);
  std::string what = error.what();
  std::replace(what.begin(), what.end(), '\n', ' ');
  std::fprintf(stderr, "varve: usage: %s (see varve --help)\n", what.c_str());
  return kUsage;
}

int Run(int argc, char** argv) {
  CLI::App root("Varve: a vector storage engine", "varve");
  root.require_subcommand(1);
  root.footer("Exit status: 0 done; 1 failed, or damage was found; 2 wrong usage.\nvarve COMMAND --help says more.");
  const std::vector<Command> commands = AddCommands(&root);
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return ExplainUsage(root, error);
  }
  const auto chosen =
      std::find_if(commands.begin(), commands.end(), [](const Command& command) { return command.app->parsed(); });
  absl::Status status = chosen->run();
  status.Update(FlushOutput());
  if (status.ok()) return kDone;
  PrintError(status);
  return kFailed;
}

}  // namespace
}  // namespace varve::cli

int main(int argc, char** argv) {
  try {
    return varve::cli::Run(argc, argv);
  } catch (const std::bad_alloc&) {
    varve::cli::PrintError(varve::ResourceExhausted("out of memory"));
  }
  return varve::cli::kFailed;
}
