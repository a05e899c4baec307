// varve create: a new collection.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/json_writer.h"
#include "base/publish.h"
#include "base/status.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/open_collection.h"
#include "cli/output.h"
#include "cli/schema_json.h"
#include "varve/collection.h"

namespace varve::cli {
namespace {

constexpr uint64_t kMaxSchemaFileBytes = 1 << 20;

enum class Preset : uint8_t { kDefault, kHighRecall, kFast };

std::optional<Preset> ParsePreset(std::string_view name) {
  if (name == "default") return Preset::kDefault;
  if (name == "high_recall") return Preset::kHighRecall;
  if (name == "fast") return Preset::kFast;
  return std::nullopt;
}

struct CreateArguments {
  CommonOptions common;
  std::string directory;
  std::string schema_file;
  uint64_t dimension = 0;
  FieldSpec field;  // metric, element, index type, compression
  Preset preset = Preset::kDefault;
  ParamMap params;
  std::optional<SyncMode> sync;
};

absl::StatusOr<Schema> ReadSchema(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(FileSystem::Default(), path, kMaxSchemaFileBytes));
  absl::StatusOr<Schema> schema = ParseSchema(text);
  if (!schema.ok()) return Annotate(schema.status(), path);
  return schema;
}

absl::StatusOr<Schema> SchemaOfOptions(const CreateArguments& arguments) {
  if (arguments.dimension < 1 || arguments.dimension > kMaxDimension) {
    return InvalidArgument("--dim is " + std::to_string(arguments.dimension) + ": expected 1 to " +
                           std::to_string(kMaxDimension));
  }
  Schema schema =
      Schema::SingleVector(static_cast<uint32_t>(arguments.dimension), arguments.field.metric, arguments.field.element);
  IndexSpec& index = schema.fields.front().index;
  if (arguments.preset == Preset::kHighRecall) index = IndexSpec::HighRecall();
  if (arguments.preset == Preset::kFast) index = IndexSpec::Fast();
  index.type = arguments.field.index.type;
  index.compression = arguments.field.index.compression;
  for (const auto& [name, value] : arguments.params) index.params[name] = value;
  return schema;
}

absl::Status RunCreate(const CreateArguments& arguments) {
  absl::StatusOr<Schema> schema =
      arguments.schema_file.empty() ? SchemaOfOptions(arguments) : ReadSchema(arguments.schema_file);
  RETURN_IF_ERROR(schema.status());
  if (arguments.sync) schema->sync = *arguments.sync;
  ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection,
                   Collection::Create(arguments.directory, *schema, ToOptions(arguments.common)));
  JsonWriter writer;
  writer.BeginObject();
  WriteSchema(collection->schema(), &writer.Key("schema"));
  writer.EndObject();
  RETURN_IF_ERROR(collection->Close());
  PrintLine(arguments.common.json ? writer.text() : "created " + arguments.directory + ": " + writer.text());
  return absl::OkStatus();
}

}  // namespace

Command AddCreateCommand(CLI::App* root) {
  auto arguments = std::make_shared<CreateArguments>();
  CLI::App* app = root->add_subcommand("create", "Make a new collection");
  app->footer("Example: varve create things --dim 768 --metric cosine --index hnsw --param m=16");
  AddDirectory(app, &arguments->directory);
  CLI::Option* schema = app->add_option("--schema", arguments->schema_file, "Schema as a JSON file, for several fields")
                            ->type_name("FILE");
  // Exactly one of --schema and --dim; what else describes the one field goes with --dim.
  CLI::Option* dim =
      AddCount(app, "--dim", &arguments->dimension, "Dimension of the one field \"vector\"; bits for bits")
          ->excludes(schema);
  app->callback([schema, dim] {
    if (schema->count() + dim->count() == 0) throw CLI::RequiredError("--dim or --schema");
  });
  AddEnum(app, "--metric", &arguments->field.metric, &ParseMetric, "l2 (default), ip, cosine, l1 or hamming")
      ->excludes(schema);
  AddEnum(app, "--type", &arguments->field.element, &ParseElementType, "f32 (default), f16, bf16, i8, u8 or bits")
      ->excludes(schema);
  AddEnum(app, "--index", &arguments->field.index.type, &ParseIndexType, "auto (default), flat, hnsw ...")
      ->excludes(schema);
  AddEnum(app, "--compression", &arguments->field.index.compression, &ParseCompressionType, "none (default) ...")
      ->excludes(schema);
  AddEnum(app, "--preset", &arguments->preset, &ParsePreset, "default, high_recall or fast")->excludes(schema);
  AddParams(app, &arguments->params)->excludes(schema);
  AddSync(app, &arguments->sync);
  AddCommonOptions(app, &arguments->common);
  return {app, [arguments] { return RunCreate(*arguments); }};
}

}  // namespace varve::cli
