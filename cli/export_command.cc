// varve export: records, or the vectors of one field, into a file that appears when it is whole.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/json_writer.h"
#include "base/status.h"
#include "cli/bytes_argument.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/field_vectors.h"
#include "cli/matrix_writer.h"
#include "cli/open_collection.h"
#include "cli/output.h"
#include "cli/output_file.h"
#include "cli/progress.h"
#include "cli/record_json.h"
#include "varve/clock.h"
#include "varve/collection.h"

namespace varve::cli {
namespace {

struct ExportArguments {
  CommonOptions common;
  std::string directory;
  std::string file;
  std::string format;  // empty: by the file's name
  std::string field;
  BytesArgument ns;
};

struct Exported {
  uint64_t rows = 0;
  uint64_t rows_without_vector = 0;  // left out of a matrix
  uint64_t bytes = 0;
};

// Calls visit(record) for every record of the request; `visit` returns a status.
template <typename Visit>
absl::Status ForEach(Collection* collection, const ScanRequest& request, Visit visit) {
  ASSIGN_OR_RETURN(const uint64_t total, collection->Count(request.ns));
  Progress progress("rows", total);
  absl::Status status;
  const absl::Status scanned = collection->Scan(request, [&](const Record& record) {
    status = visit(record);
    progress.Add(1);
    return status.ok();
  });
  RETURN_IF_ERROR(status);
  return scanned;
}

absl::Status ExportLines(Collection* collection, const ScanRequest& request, OutputFile* file, Exported* exported) {
  return ForEach(collection, request, [&](const Record& record) {
    JsonWriter writer;
    WriteRecord(record, collection->schema(), &writer);
    ++exported->rows;
    return file->Append(writer.Take() + "\n");
  });
}

absl::Status ExportMatrix(Collection* collection, const ScanRequest& request, MatrixFormat format,
                          const std::string& name, OutputFile* file, Exported* exported) {
  ASSIGN_OR_RETURN(const FieldSpec* field, FindDenseField(collection->schema(), name));
  MatrixWriter writer(format, field->dimension, file);
  RETURN_IF_ERROR(ForEach(collection, request, [&](const Record& record) {
    const auto vector = std::find_if(record.vectors.begin(), record.vectors.end(),
                                     [&](const auto& candidate) { return candidate.first == field->name; });
    if (vector != record.vectors.end()) return writer.Add(vector->second);
    ++exported->rows_without_vector;
    return absl::OkStatus();
  }));
  exported->rows = writer.rows();
  return writer.Finish();
}

absl::StatusOr<Exported> Export(const ExportArguments& arguments, Collection* collection) {
  const std::string format =
      arguments.format.empty() ? arguments.file.substr(arguments.file.rfind('.') + 1) : arguments.format;
  ScanRequest request;
  ASSIGN_OR_RETURN(request.ns, arguments.ns.Decode("--namespace-base64"));
  const std::optional<MatrixFormat> matrix = ParseMatrixFormat(format);
  if (format == "jsonl") {
    if (!arguments.field.empty()) return InvalidArgument("--field goes with fvecs and npy: .jsonl holds all fields");
  } else if (matrix != MatrixFormat::kFvecs && matrix != MatrixFormat::kNpy) {
    return InvalidArgument(arguments.file + ": its name does not say jsonl, fvecs or npy: give --format");
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<OutputFile> file, OutputFile::Create(arguments.file));
  Exported exported;
  if (format == "jsonl") {
    RETURN_IF_ERROR(ExportLines(collection, request, file.get(), &exported));
  } else {
    RETURN_IF_ERROR(ExportMatrix(collection, request, *matrix, arguments.field, file.get(), &exported));
  }
  exported.bytes = file->size();
  RETURN_IF_ERROR(file->Publish());
  return exported;
}

absl::Status RunExport(const ExportArguments& arguments) {
  Clock* clock = Clock::Default();
  const int64_t start_us = clock->MonotonicMicros();
  ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection, OpenForReading(arguments.directory, arguments.common));
  ASSIGN_OR_RETURN(const Exported exported, Export(arguments, collection.get()));
  const double seconds = static_cast<double>(clock->MonotonicMicros() - start_us) / 1e6;
  if (arguments.common.json) {
    JsonWriter writer;
    writer.BeginObject().Key("rows").Uint(exported.rows);
    writer.Key("rows_without_vector").Uint(exported.rows_without_vector);
    writer.Key("bytes").Uint(exported.bytes).Key("seconds").Double(seconds);
    PrintLine(writer.EndObject().text());
    return absl::OkStatus();
  }
  std::string line = "exported " + WithCommas(exported.rows) + " rows, " + HumanBytes(exported.bytes) + ", in " +
                     Fixed(seconds, 2) + " s";
  if (exported.rows_without_vector != 0) {
    line += "; left out " + WithCommas(exported.rows_without_vector) + " rows that have no such vector";
  }
  PrintLine(line);
  return absl::OkStatus();
}

}  // namespace

Command AddExportCommand(CLI::App* root) {
  auto arguments = std::make_shared<ExportArguments>();
  CLI::App* app = root->add_subcommand("export", "Write records, or the vectors of a field, into a file");
  app->footer(
      "Records are ordered by namespace and key. A .jsonl file holds what scan prints, and can be imported again; "
      ".fvecs\n"
      "and .npy hold the vectors of one field as 32-bit floats, without their keys (scan --keys-only has them in the\n"
      "same order). The file appears when it is whole.\n"
      "Example: varve export things things.jsonl");
  AddDirectory(app, &arguments->directory);
  app->add_option("FILE", arguments->file, "The file to make")->required();
  app->add_option("--format", arguments->format, "jsonl, fvecs or npy (default: by the file's name)")
      ->check(CLI::IsMember({"jsonl", "fvecs", "npy"}));
  app->add_option("--field", arguments->field, "The dense field to write (default: the first)")->type_name("F");
  AddNamespace(app, &arguments->ns, "Only records of this namespace");
  AddCommonOptions(app, &arguments->common);
  return {app, [arguments] { return RunExport(*arguments); }};
}

}  // namespace varve::cli
