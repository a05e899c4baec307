// One subcommand of `varve`: how it is called, and what it does.
#ifndef VARVE_CLI_COMMAND_H_
#define VARVE_CLI_COMMAND_H_

#include <functional>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"

namespace varve::cli {

struct Command {
  CLI::App* app = nullptr;  // owned by the root
  // Called once, after the command line was parsed. What it prints on stdout is its result; a status that is not OK is
  // printed by main, on stderr.
  std::function<absl::Status()> run;
};

// Each adds its subcommand, or subcommands, to `root`.
Command AddCreateCommand(CLI::App* root);
Command AddImportCommand(CLI::App* root);
Command AddWriteCommand(CLI::App* root);
Command AddDeleteCommand(CLI::App* root);
Command AddGetCommand(CLI::App* root);
Command AddScanCommand(CLI::App* root);
Command AddCountCommand(CLI::App* root);
Command AddSearchCommand(CLI::App* root);
Command AddGroundTruthCommand(CLI::App* root);
Command AddInfoCommand(CLI::App* root);
Command AddMetricsCommand(CLI::App* root);
Command AddVerifyCommand(CLI::App* root);
Command AddDumpCommand(CLI::App* root);
Command AddExportCommand(CLI::App* root);
Command AddRepairCommand(CLI::App* root);
Command AddVersionCommand(CLI::App* root);
// backup, restore.
std::vector<Command> AddBackupCommands(CLI::App* root);
// list, drop.
std::vector<Command> AddDatabaseCommands(CLI::App* root);
// flush, merge, checkpoint.
std::vector<Command> AddMaintenanceCommands(CLI::App* root);
// Commands that later versions build: refused by name.
std::vector<Command> AddUnbuiltCommands(CLI::App* root);

}  // namespace varve::cli

#endif  // VARVE_CLI_COMMAND_H_
