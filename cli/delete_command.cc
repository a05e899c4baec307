// varve delete: many records at once.
#include <memory>
#include <optional>
#include <string>

#include "base/json_writer.h"
#include "base/status.h"
#include "cli/bytes_argument.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/filter_argument.h"
#include "cli/open_collection.h"
#include "cli/output.h"
#include "varve/collection.h"

namespace varve::cli {
namespace {

struct DeleteArguments {
  CommonOptions common;
  std::string directory;
  BytesArgument ns;
  std::optional<std::string> filter;
};

// Counts, then deletes: nobody else can write in between, since this process holds the lock.
absl::StatusOr<uint64_t> DeleteNamespace(Collection* collection, const std::string& ns) {
  ASSIGN_OR_RETURN(const uint64_t rows, collection->Count(ns));
  WriteBatch batch;
  batch.DeleteNamespace(ns);
  RETURN_IF_ERROR(collection->Write(batch));
  return rows;
}

absl::Status RunDelete(const DeleteArguments& arguments) {
  ASSIGN_OR_RETURN(const std::optional<std::string> ns, arguments.ns.Decode("--namespace-base64"));
  std::optional<Filter> filter;
  if (arguments.filter) {
    ASSIGN_OR_RETURN(filter, ParseFilterArgument(*arguments.filter));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection, OpenForWriting(arguments.directory, arguments.common));
  const absl::StatusOr<uint64_t> rows =
      filter ? collection->DeleteWhere(*filter, {.ns = ns}) : DeleteNamespace(collection.get(), ns.value_or(""));
  RETURN_IF_ERROR(CloseAfter(collection.get(), rows.status()));
  JsonWriter writer;
  writer.BeginObject().Key("rows").Uint(*rows).EndObject();
  PrintLine(arguments.common.json ? writer.text() : "deleted " + WithCommas(*rows) + " rows");
  return absl::OkStatus();
}

}  // namespace

Command AddDeleteCommand(CLI::App* root) {
  auto arguments = std::make_shared<DeleteArguments>();
  CLI::App* app =
      root->add_subcommand("delete", "Delete the records of a namespace, or those that match a filter, or both");
  app->footer(
      "By filter it works in batches of at most 10,000 records, each atomic: what an error finds deleted stays so.\n"
      "Example: varve delete things --filter \"year < 2000\"");
  AddDirectory(app, &arguments->directory);
  AddNamespace(app, &arguments->ns, "The namespace to empty; with --filter: only its records");
  CLI::Option* filter =
      app->add_option("--filter", arguments->filter, "Only records whose metadata matches")->type_name("EXPR");
  app->callback([arguments, filter] {
    if (!arguments->ns.text && !arguments->ns.base64 && filter->count() == 0)
      throw CLI::RequiredError("--namespace or --filter");
  });
  AddCommonOptions(app, &arguments->common);
  return {app, [arguments] { return RunDelete(*arguments); }};
}

}  // namespace varve::cli
