// varve import: bulk load of a data file, batch by batch; memory is bounded by one batch.
#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/status.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/field_vectors.h"
#include "cli/json_lines.h"
#include "cli/matrix_file.h"
#include "cli/open_collection.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "varve/clock.h"
#include "varve/collection.h"

namespace varve::cli {
namespace {

using Kind = WriteBatch::Kind;

std::optional<Kind> ParseMode(std::string_view name) {
  if (name == "put") return Kind::kPut;
  if (name == "insert") return Kind::kInsert;
  if (name == "update") return Kind::kUpdate;
  return std::nullopt;
}

// A batch must fit the memtable; with this share of it no batch fills one alone.
uint64_t MaxBatchBytes(const CommonOptions& common) { return ToOptions(common).memtable_bytes / 4; }

// Of a row in a batch, beside its vector.
constexpr uint64_t kRowOverheadBytes = 256;

constexpr uint64_t kDefaultBatchRows = 1000;

struct ImportArguments {
  CommonOptions common;
  std::string directory;
  std::string file;
  std::string format;  // empty: by the file's name
  std::string field;
  std::string key_prefix;
  uint64_t start = 0;
  uint64_t count = std::numeric_limits<uint64_t>::max();
  std::optional<uint64_t> batch;
  Kind mode = Kind::kPut;
  std::optional<SyncMode> sync;
};

// Fills `batch` with rows from `first` on.
void FillBatch(const ImportArguments& arguments, const RowConverter& converter, absl::Span<const std::byte> rows,
               size_t row_bytes, uint64_t first, WriteBatch* batch) {
  batch->Clear();
  for (uint64_t row = 0; row * row_bytes < rows.size(); ++row) {
    std::string key = arguments.key_prefix + std::to_string(first + row);
    std::vector<NamedVector> vectors;
    vectors.push_back({arguments.field, converter.Convert(rows.subspan(row * row_bytes, row_bytes))});
    if (arguments.mode == Kind::kUpdate) {
      batch->Update({.key = std::move(key), .vectors = std::move(vectors)});
    } else if (arguments.mode == Kind::kInsert) {
      batch->Insert({.key = std::move(key), .vectors = std::move(vectors)});
    } else {
      batch->Put({.key = std::move(key), .vectors = std::move(vectors)});
    }
  }
}

// From so many rows on a file goes around the log, unless batches or a sync mode are asked for: fewer are not worth a
// segment of their own.
constexpr uint64_t kBulkRows = 10'000;

bool IsBulk(const ImportArguments& arguments, uint64_t rows) {
  return rows >= kBulkRows && arguments.mode != Kind::kUpdate && !arguments.batch.has_value() &&
         !arguments.sync.has_value();
}

absl::Status BulkImport(const ImportArguments& arguments, const MatrixFile& file, const RowConverter& converter,
                        uint64_t end, Collection* collection, uint64_t* imported) {
  Progress progress("rows", end - arguments.start);
  uint64_t shown = 0;
  BulkLoadOptions options;
  options.insert = arguments.mode == Kind::kInsert;
  options.progress = [&](uint64_t rows) {
    progress.Add(rows - std::min(rows, shown));
    shown = std::max(rows, shown);
  };
  ASSIGN_OR_RETURN(const std::unique_ptr<BulkLoad> load, collection->NewBulkLoad(options));
  const auto add_all = [&]() -> absl::Status {
    std::vector<std::byte> rows;
    for (uint64_t first = arguments.start; first < end;) {
      const uint64_t count = std::min<uint64_t>(kDefaultBatchRows, end - first);
      RETURN_IF_ERROR(file.ReadRows(first, count, &rows));
      for (uint64_t row = 0; row < count; ++row, ++first) {
        RecordInput record;
        record.key = arguments.key_prefix + std::to_string(first);
        const auto bytes = absl::MakeConstSpan(rows).subspan(row * file.row_bytes(), file.row_bytes());
        record.vectors.push_back({arguments.field, converter.Convert(bytes)});
        if (absl::Status status = load->Add(std::move(record)); !status.ok()) {
          return Annotate(status, arguments.file + ": row " + std::to_string(first));
        }
      }
    }
    return load->Finish();
  };
  const absl::Status status = add_all();
  *imported = load->durable_rows();
  return status;
}

// Imports a matrix file; `imported` counts the rows that are in the collection, also on failure.
absl::Status ImportMatrix(const ImportArguments& arguments, MatrixFormat format, Collection* collection,
                          uint64_t* imported) {
  ASSIGN_OR_RETURN(const std::unique_ptr<MatrixFile> file, MatrixFile::Open(arguments.file, format));
  ASSIGN_OR_RETURN(const FieldSpec* field, FindDenseField(collection->schema(), arguments.field));
  ASSIGN_OR_RETURN(const RowConverter converter, RowConverter::Make(*file, *field));
  if (arguments.start > file->rows()) {
    return InvalidArgument(arguments.file + ": has " + std::to_string(file->rows()) + " rows: --start " +
                           std::to_string(arguments.start) + " is beyond them");
  }
  const uint64_t end = arguments.start + std::min(arguments.count, file->rows() - arguments.start);
  if (IsBulk(arguments, end - arguments.start)) {
    return BulkImport(arguments, *file, converter, end, collection, imported);
  }
  const uint64_t batch_rows =
      std::clamp<uint64_t>(MaxBatchBytes(arguments.common) / (field->vector_bytes() + kRowOverheadBytes), 1,
                           arguments.batch.value_or(kDefaultBatchRows));
  Progress progress("rows", end - arguments.start);
  WriteBatch batch;
  std::vector<std::byte> rows;
  for (uint64_t first = arguments.start; first < end;) {
    const uint64_t count = std::min(batch_rows, end - first);
    RETURN_IF_ERROR(file->ReadRows(first, count, &rows));
    FillBatch(arguments, converter, rows, file->row_bytes(), first, &batch);
    if (const absl::Status status = collection->Write(batch); !status.ok()) {
      return Annotate(status,
                      arguments.file + ": rows " + std::to_string(first) + " to " + std::to_string(first + count - 1));
    }
    first += count;
    *imported += count;
    progress.Add(count);
  }
  return absl::OkStatus();
}

// The put operations of some lines of a file. Thread-compatible.
class LineBatch {
 public:
  LineBatch(const ImportArguments& arguments, Collection* collection)
      : max_rows_(arguments.batch.value_or(kDefaultBatchRows)),
        max_bytes_(MaxBatchBytes(arguments.common)),
        collection_(collection) {}

  void Add(WriteBatch::Operation operation, size_t line_bytes, uint64_t line_number) {
    if (batch_.empty()) first_line_ = line_number;
    last_line_ = line_number;
    bytes_ += line_bytes + kRowOverheadBytes;  // a line is longer than what it says
    AddToBatch(std::move(operation), &batch_);
  }
  bool full() const { return batch_.size() >= max_rows_ || bytes_ >= max_bytes_; }

  // Adds to `imported` the rows that were written.
  absl::Status Write(const std::string& file, uint64_t* imported) {
    if (batch_.empty()) return absl::OkStatus();
    if (const absl::Status status = collection_->Write(batch_); !status.ok()) {
      return Annotate(status, file + ": lines " + std::to_string(first_line_) + " to " + std::to_string(last_line_));
    }
    *imported += batch_.size();
    batch_.Clear();
    bytes_ = 0;
    return absl::OkStatus();
  }

 private:
  const uint64_t max_rows_;
  const uint64_t max_bytes_;
  Collection* collection_;
  WriteBatch batch_;
  uint64_t bytes_ = 0;
  uint64_t first_line_ = 0;
  uint64_t last_line_ = 0;
};

// Imports a file of put operations as JSON lines.
absl::Status ImportLines(const ImportArguments& arguments, Collection* collection, uint64_t* imported) {
  ASSIGN_OR_RETURN(const FilePointer file, OpenLines(arguments.file));
  LineReader reader(file.get(), arguments.file);
  Progress progress("rows", 0);
  LineBatch batch(arguments, collection);
  std::string line;
  for (uint64_t row = 0; row < arguments.start; ++row) {
    ASSIGN_OR_RETURN(const bool more, reader.Next(&line));
    if (!more) return InvalidArgument(arguments.file + ": --start is beyond its last line");
  }
  for (uint64_t row = 0; row < arguments.count; ++row) {
    ASSIGN_OR_RETURN(const bool more, reader.Next(&line));
    if (!more) break;
    absl::StatusOr<LineOperation> operation = ParseOperation(line);
    if (!operation.ok()) return Annotate(operation.status(), reader.place());
    if (operation->kind != LineOperation::Kind::kWrite || operation->write.kind != Kind::kPut) {
      return InvalidArgument(reader.place() + ": is not a put: import takes no other operation");
    }
    operation->write.kind = arguments.mode;
    batch.Add(std::move(operation->write), line.size(), reader.line_number());
    if (batch.full()) RETURN_IF_ERROR(batch.Write(arguments.file, imported));
    progress.Add(1);
  }
  return batch.Write(arguments.file, imported);
}

absl::Status Import(const ImportArguments& arguments, Collection* collection, uint64_t* imported) {
  const std::string format =
      arguments.format.empty() ? arguments.file.substr(arguments.file.rfind('.') + 1) : arguments.format;
  if (format == "csr") return Unimplemented(arguments.file + ": sparse fields are not built in this version");
  if (format == "jsonl") {
    if (arguments.mode == Kind::kUpdate) return InvalidArgument("--mode update needs a matrix file, not .jsonl");
    return ImportLines(arguments, collection, imported);
  }
  const std::optional<MatrixFormat> matrix_format = ParseMatrixFormat(format);
  if (!matrix_format) {
    return InvalidArgument(arguments.file + ": its name does not say its format: give --format");
  }
  return ImportMatrix(arguments, *matrix_format, collection, imported);
}

absl::Status RunImport(const ImportArguments& arguments) {
  Clock* clock = Clock::Default();
  ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection,
                   OpenForWriting(arguments.directory, arguments.common, arguments.sync));
  uint64_t rows = 0;
  const int64_t start_us = clock->MonotonicMicros();
  absl::Status status = Import(arguments, collection.get(), &rows);
  if (!status.ok() && rows != 0) {
    status = Annotate(status, "after " + std::to_string(rows) + " rows, which stay");
  }
  RETURN_IF_ERROR(CloseAfter(collection.get(), std::move(status)));
  const double seconds = static_cast<double>(clock->MonotonicMicros() - start_us) / 1e6;
  const double rate = seconds > 0 ? static_cast<double>(rows) / seconds : 0;
  if (arguments.common.json) {
    JsonWriter writer;
    writer.BeginObject();
    writer.Key("rows").Uint(rows).Key("seconds").Double(seconds).Key("rows_per_second").Double(rate);
    PrintLine(writer.EndObject().text());
  } else {
    PrintLine("imported " + WithCommas(rows) + " rows in " + Fixed(seconds, 2) + " s (" +
              WithCommas(static_cast<uint64_t>(rate)) + " rows/s)");
  }
  return absl::OkStatus();
}

}  // namespace

Command AddImportCommand(CLI::App* root) {
  auto arguments = std::make_shared<ImportArguments>();
  CLI::App* app = root->add_subcommand("import", "Load a data file");
  app->footer(
      "Rows of a matrix file get the keys P0, P1, ... by their number in the file.\n"
      "Many rows go straight into indexed segments, durable one by one in the order of the file: after a crash\n"
      "`rows` in info is where --start goes on, if there were none before. With --batch or --sync they go through the "
      "log.\n"
      "Example: varve import things base.fbin --key-prefix img");
  AddDirectory(app, &arguments->directory);
  app->add_option("FILE", arguments->file, "The data file")->required();
  app->add_option("--format", arguments->format, "Format of the file (default: by its name)")
      ->check(CLI::IsMember({"fvecs", "bvecs", "ivecs", "fbin", "u8bin", "i8bin", "npy", "csr", "jsonl"}));
  app->add_option("--field", arguments->field, "The dense field to fill (default: the first)")->type_name("F");
  app->add_option("--key-prefix", arguments->key_prefix, "Put before each row's number")->type_name("P");
  AddCount(app, "--start", &arguments->start, "The first row to load (default 0)");
  AddCount(app, "--count", &arguments->count, "At most so many rows (default: all)");
  AddCount(app, "--batch", &arguments->batch, "Rows per batch, at most (default 1000)")->check(CLI::PositiveNumber);
  AddEnum(app, "--mode", &arguments->mode, &ParseMode, "put (default), insert (new keys only) or update (old ones)");
  AddSync(app, &arguments->sync);
  AddCommonOptions(app, &arguments->common);
  return {app, [arguments] { return RunImport(*arguments); }};
}

}  // namespace varve::cli
