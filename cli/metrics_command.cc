// varve metrics: what a collection holds, for Prometheus.
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/open_collection.h"
#include "cli/output.h"
#include "varve/collection.h"

namespace varve::cli {
namespace {

struct MetricsArguments {
  CommonOptions common;
  std::string directory;
};

absl::Status RunMetrics(const MetricsArguments& arguments) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection, OpenForReading(arguments.directory, arguments.common));
  if (arguments.common.json) {
    PrintLine(collection->GetProperty("varve.metrics-json").value_or("{}"));
    return absl::OkStatus();
  }
  const std::string text = collection->MetricsText();
  PrintLine(std::string_view(text).substr(0, text.size() - 1));  // every line of it ends already
  return absl::OkStatus();
}

}  // namespace

Command AddMetricsCommand(CLI::App* root) {
  auto arguments = std::make_shared<MetricsArguments>();
  CLI::App* app = root->add_subcommand("metrics", "Print what is held and what opening took, as Prometheus text");
  app->footer(
      "Counters are of this opening alone: what a running program did, it tells by Collection::MetricsText.\n"
      "Example: varve metrics things > /var/lib/node_exporter/things.prom");
  AddDirectory(app, &arguments->directory);
  AddCommonOptions(app, &arguments->common);
  return {app, [arguments] { return RunMetrics(*arguments); }};
}

}  // namespace varve::cli
