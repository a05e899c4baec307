// Commands that later versions build: refused by name, so that a script can tell them from a misspelt one.
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/command.h"

namespace varve::cli {

std::vector<Command> AddUnbuiltCommands(CLI::App* root) {
  std::vector<Command> commands;
  for (const std::string name : {"bench", "estimate", "recall", "schema"}) {
    CLI::App* app = root->add_subcommand(name, "Not built in this version");
    app->group("");  // not in the help
    app->allow_extras();
    commands.push_back({app, [name] { return Unimplemented(name + " is not built in this version"); }});
  }
  return commands;
}

}  // namespace varve::cli
