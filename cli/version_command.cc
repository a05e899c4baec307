// varve version: what this build is and has.
#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/output.h"
#include "index/index_registry.h"
#include "simd/distance.h"
#include "varve/schema.h"

namespace varve::cli {
namespace {

std::vector<std::string> SplitWords(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t space = std::min(text.find(' '), text.size());
    if (space != 0) words.emplace_back(text.substr(0, space));
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return words;
}

struct BuildFacts {
  std::vector<std::string> instruction_sets = SplitWords(CompiledTargetNames());
  std::string instruction_set = ActiveTargetName();
  std::vector<std::string> index_types;
  std::vector<std::string> codecs;
};

BuildFacts GatherFacts() {
  BuildFacts facts;
  std::set<std::string> codecs;
  for (const FieldIndexFactory* factory : AllIndexFactories()) {
    facts.index_types.emplace_back(IndexTypeName(factory->traits().type));
    for (const CompressionType compression : factory->traits().compressions) {
      codecs.emplace(CompressionTypeName(compression));
    }
  }
  facts.codecs.assign(codecs.begin(), codecs.end());
  return facts;
}

void WriteNames(std::string_view name, const std::vector<std::string>& values, JsonWriter* writer) {
  writer->Key(name).BeginArray();
  for (const std::string& value : values) writer->String(value);
  writer->EndArray();
}

std::string Join(const std::vector<std::string>& values) {
  std::string joined;
  for (const std::string& value : values) joined += (joined.empty() ? "" : " ") + value;
  return joined;
}

absl::Status RunVersion(const CommonOptions& common) {
  const BuildFacts facts = GatherFacts();
  if (common.json) {
    JsonWriter writer;
    writer.BeginObject();
    writer.Key("version").String(VARVE_VERSION).Key("format_version").Uint(kFormatVersion);
    WriteNames("instruction_sets", facts.instruction_sets, &writer);
    writer.Key("instruction_set").String(facts.instruction_set);
    WriteNames("index_types", facts.index_types, &writer);
    WriteNames("codecs", facts.codecs, &writer);
    PrintLine(writer.EndObject().text());
    return absl::OkStatus();
  }
  Table table;
  table.AddRow({"version", VARVE_VERSION});
  table.AddRow({"format version", std::to_string(kFormatVersion)});
  table.AddRow({"instruction sets", Join(facts.instruction_sets) + "; used: " + facts.instruction_set});
  table.AddRow({"index types", Join(facts.index_types)});
  table.AddRow({"codecs", Join(facts.codecs)});
  table.Print();
  return absl::OkStatus();
}

}  // namespace

Command AddVersionCommand(CLI::App* root) {
  auto common = std::make_shared<CommonOptions>();
  CLI::App* app = root->add_subcommand("version", "Show version, format, instruction sets, index types and codecs");
  app->footer("Example: varve version --json");
  AddCommonOptions(app, common.get());
  return {app, [common] { return RunVersion(*common); }};
}

}  // namespace varve::cli
