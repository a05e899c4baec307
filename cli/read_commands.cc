// varve get, scan and count: records out of a collection, beside a live writer or without one.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/json_writer.h"
#include "base/status.h"
#include "cli/bytes_argument.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/filter_argument.h"
#include "cli/open_collection.h"
#include "cli/output.h"
#include "cli/record_json.h"
#include "varve/collection.h"

namespace varve::cli {
namespace {

struct GetArguments {
  CommonOptions common;
  std::string directory;
  BytesArgument key;
  BytesArgument ns;
};

absl::Status RunGet(const GetArguments& arguments) {
  ASSIGN_OR_RETURN(const std::optional<std::string> key, arguments.key.Decode("--key-base64"));
  ASSIGN_OR_RETURN(const std::optional<std::string> ns, arguments.ns.Decode("--namespace-base64"));
  ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection, OpenForReading(arguments.directory, arguments.common));
  ASSIGN_OR_RETURN(const Record record, collection->Get(ns.value_or(""), key.value_or("")));
  JsonWriter writer;
  WriteRecord(record, collection->schema(), &writer);
  PrintLine(writer.text());
  return absl::OkStatus();
}

struct ScanArguments {
  CommonOptions common;
  std::string directory;
  BytesArgument ns;
  std::optional<std::string> after;
  std::optional<std::string> to;
  std::optional<std::string> filter;
  ScanRequest request;
};

absl::Status RunScan(const ScanArguments& arguments) {
  ScanRequest request = arguments.request;
  ASSIGN_OR_RETURN(request.ns, arguments.ns.Decode("--namespace-base64"));
  if (arguments.after) request.after = RecordPlace{request.ns.value_or(""), *arguments.after};
  if (arguments.filter) {
    ASSIGN_OR_RETURN(request.filter, ParseFilterArgument(*arguments.filter));
  }
  if (arguments.to) request.to = RecordPlace{request.ns.value_or(""), *arguments.to};
  ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection, OpenForReading(arguments.directory, arguments.common));
  const Schema& schema = collection->schema();
  return collection->Scan(request, [&](const Record& record) {
    JsonWriter writer;
    if (request.keys_only) {
      WriteKey(record, &writer);
    } else {
      WriteRecord(record, schema, &writer);
    }
    PrintLine(writer.text());
    return true;
  });
}

struct CountArguments {
  CommonOptions common;
  std::string directory;
  BytesArgument ns;
  std::optional<std::string> filter;
};

absl::Status RunCount(const CountArguments& arguments) {
  ASSIGN_OR_RETURN(const std::optional<std::string> ns, arguments.ns.Decode("--namespace-base64"));
  std::optional<Filter> filter;
  if (arguments.filter) {
    ASSIGN_OR_RETURN(filter, ParseFilterArgument(*arguments.filter));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection, OpenForReading(arguments.directory, arguments.common));
  ASSIGN_OR_RETURN(const uint64_t rows, filter ? collection->CountWhere(*filter, ns) : collection->Count(ns));
  JsonWriter writer;
  writer.BeginObject().Key("rows").Uint(rows).EndObject();
  PrintLine(arguments.common.json ? writer.text() : std::to_string(rows));
  return absl::OkStatus();
}

}  // namespace

Command AddGetCommand(CLI::App* root) {
  auto arguments = std::make_shared<GetArguments>();
  CLI::App* app = root->add_subcommand("get", "Print one record as JSON");
  app->footer(
      "Times are counted from 1970: expires_at in milliseconds, created_at and updated_at in microseconds.\n"
      "Example: varve get things img17");
  AddDirectory(app, &arguments->directory);
  CLI::Option* key = app->add_option("KEY", arguments->key.text, "The record's key");
  CLI::Option* base64 =
      app->add_option("--key-base64", arguments->key.base64, "The key in base64")->type_name("B64")->excludes(key);
  app->callback([key, base64] {
    if (key->count() + base64->count() == 0) throw CLI::RequiredError("KEY");
  });
  AddNamespace(app, &arguments->ns, "The record's namespace (default: the empty one)");
  AddCommonOptions(app, &arguments->common);
  return {app, [arguments] { return RunGet(*arguments); }};
}

Command AddScanCommand(CLI::App* root) {
  auto arguments = std::make_shared<ScanArguments>();
  CLI::App* app = root->add_subcommand("scan", "Print records as JSON lines, ordered by namespace and key");
  app->footer(
      "One record is one JSON document on a line of its own, with or without --json.\n"
      "Example: varve scan things --prefix img --limit 10 --keys-only");
  AddDirectory(app, &arguments->directory);
  AddNamespace(app, &arguments->ns, "Only records of this namespace");
  app->add_option("--prefix", arguments->request.prefix, "Only keys that begin so")->type_name("P");
  app->add_option("--from", arguments->request.from, "The first key, inclusive")->type_name("K");
  app->add_option("--after", arguments->after, "Only records behind this key, of the namespace given or the empty one")
      ->type_name("K");
  app->add_option("--to", arguments->to, "Only records before this key, of the namespace given or the empty one")
      ->type_name("K");
  app->add_option("--filter", arguments->filter, "Only records whose metadata matches")->type_name("EXPR");
  AddCount(app, "--limit", &arguments->request.limit, "At most so many records")->check(CLI::PositiveNumber);
  app->add_flag("--keys-only", arguments->request.keys_only, "Only what names the records");
  AddCommonOptions(app, &arguments->common);
  return {app, [arguments] { return RunScan(*arguments); }};
}

Command AddCountCommand(CLI::App* root) {
  auto arguments = std::make_shared<CountArguments>();
  CLI::App* app = root->add_subcommand("count", "Count live records");
  app->footer("Example: varve count things --filter \"year >= 2020 AND NOT archived\"");
  AddDirectory(app, &arguments->directory);
  AddNamespace(app, &arguments->ns, "Only records of this namespace");
  app->add_option("--filter", arguments->filter, "Only records whose metadata matches")->type_name("EXPR");
  AddCommonOptions(app, &arguments->common);
  return {app, [arguments] { return RunCount(*arguments); }};
}

}  // namespace varve::cli
