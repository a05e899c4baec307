// varve list and drop: the collections of a database.
#include <memory>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "base/status.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/output.h"
#include "varve/database.h"

namespace varve::cli {
namespace {

struct DatabaseArguments {
  CommonOptions common;
  std::string database;
  std::string name;
};

absl::Status RunList(const DatabaseArguments& arguments) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, Database::List(arguments.database));
  if (!arguments.common.json) {
    for (const std::string& name : names) PrintLine(name);
    return absl::OkStatus();
  }
  JsonWriter writer;
  writer.BeginObject().Key("collections").BeginArray();
  for (const std::string& name : names) writer.String(name);
  PrintLine(writer.EndArray().EndObject().text());
  return absl::OkStatus();
}

absl::Status RunDrop(const DatabaseArguments& arguments) {
  RETURN_IF_ERROR(ValidateCollectionName(arguments.name));
  // Dropping makes no database where there is none.
  RETURN_IF_ERROR(Database::List(arguments.database).status());
  DatabaseOptions options;
  options.collections = ToOptions(arguments.common);
  options.collections.threads = 1;
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open(arguments.database, options));
  RETURN_IF_ERROR(database->DropCollection(arguments.name));
  if (arguments.common.json) {
    JsonWriter writer;
    PrintLine(writer.BeginObject().Key("dropped").String(arguments.name).EndObject().text());
  } else {
    PrintLine("dropped " + arguments.name);
  }
  return absl::OkStatus();
}

void AddDatabase(CLI::App* app, DatabaseArguments* arguments) {
  app->add_option("DB", arguments->database, "The database's directory")->required();
}

}  // namespace

std::vector<Command> AddDatabaseCommands(CLI::App* root) {
  auto list = std::make_shared<DatabaseArguments>();
  CLI::App* app = root->add_subcommand("list", "Name the collections of a database");
  app->footer("Every command takes DB/NAME for DIR.\nExample: varve list /data");
  AddDatabase(app, list.get());
  AddCommonOptions(app, &list->common);
  std::vector<Command> commands = {{app, [list] { return RunList(*list); }}};

  auto drop = std::make_shared<DatabaseArguments>();
  app = root->add_subcommand("drop", "Remove a collection of a database with all that it holds");
  app->footer(
      "Refused while a process has the collection, or the database, open for writing.\n"
      "Example: varve drop /data things");
  AddDatabase(app, drop.get());
  app->add_option("NAME", drop->name, "The collection's name")->required();
  AddCommonOptions(app, &drop->common);
  commands.push_back({app, [drop] { return RunDrop(*drop); }});
  return commands;
}

}  // namespace varve::cli
