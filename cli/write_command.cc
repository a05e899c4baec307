// varve write: operations as JSON lines on stdin.
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/status.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/json_lines.h"
#include "cli/open_collection.h"
#include "cli/output.h"
#include "varve/clock.h"
#include "varve/collection.h"

namespace varve::cli {
namespace {

struct WriteArguments {
  CommonOptions common;
  std::string directory;
  bool acks = false;
  uint64_t batch = 1;
  std::optional<SyncMode> sync;
};

// Reads lines, writes them in batches, and acknowledges each batch once the collection has. Thread-compatible.
class LineWriter {
 public:
  LineWriter(Collection* collection, uint64_t batch_lines, bool acks)
      : collection_(collection), batch_lines_(batch_lines), acks_(acks) {}

  // Until the end of the input, or the first failure: nothing of that batch is applied and no later line is read.
  absl::Status WriteAll(LineReader* reader);

  uint64_t operations() const { return operations_; }
  uint64_t batches() const { return batches_; }

 private:
  struct Line {
    uint64_t number;
    std::string ack;
  };

  absl::Status Take(LineOperation operation, uint64_t line_number);
  absl::Status WriteBatchOfLines();
  // An operation that is not part of a batch.
  absl::Status RunAlone(const LineOperation& operation);
  absl::Status Acknowledge(const std::string& ack);
  std::string PlaceOf(const absl::Status& failure) const;

  Collection* collection_;
  const uint64_t batch_lines_;
  const bool acks_;
  WriteBatch batch_;
  std::vector<Line> lines_;  // of batch_, one per operation
  uint64_t operations_ = 0;  // done
  uint64_t batches_ = 0;
};

absl::Status LineWriter::WriteAll(LineReader* reader) {
  std::string text;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, reader->Next(&text));
    if (!more) return WriteBatchOfLines();
    absl::StatusOr<LineOperation> operation = ParseOperation(text);
    if (!operation.ok()) return Annotate(operation.status(), "line " + std::to_string(reader->line_number()));
    RETURN_IF_ERROR(Take(*std::move(operation), reader->line_number()));
  }
}

absl::Status LineWriter::Take(LineOperation operation, uint64_t line_number) {
  std::string ack = AckLine(operation);
  if (operation.kind == LineOperation::Kind::kWrite) {
    AddToBatch(std::move(operation.write), &batch_);
    lines_.push_back({line_number, std::move(ack)});
    return lines_.size() < batch_lines_ ? absl::OkStatus() : WriteBatchOfLines();
  }
  RETURN_IF_ERROR(WriteBatchOfLines());
  if (const absl::Status status = RunAlone(operation); !status.ok()) {
    return Annotate(status, "line " + std::to_string(line_number));
  }
  ++operations_;
  return Acknowledge(ack);
}

absl::Status LineWriter::WriteBatchOfLines() {
  if (lines_.empty()) return absl::OkStatus();
  if (const absl::Status status = collection_->Write(batch_); !status.ok()) return Annotate(status, PlaceOf(status));
  operations_ += lines_.size();
  ++batches_;
  std::string acks;
  for (const Line& line : lines_) acks += acks.empty() ? line.ack : "\n" + line.ack;
  batch_.Clear();
  lines_.clear();
  return Acknowledge(acks);
}

absl::Status LineWriter::RunAlone(const LineOperation& operation) {
  switch (operation.kind) {
    case LineOperation::Kind::kDeleteNamespace: {
      WriteBatch batch;
      batch.DeleteNamespace(operation.ns.value_or(""));
      ++batches_;
      return collection_->Write(batch);
    }
    case LineOperation::Kind::kDeleteWhere:
      return collection_->DeleteWhere(operation.filter, {.ns = operation.ns}).status();
    case LineOperation::Kind::kFlush:
      return collection_->Flush().status();
    case LineOperation::Kind::kCheckpoint:
      return collection_->Checkpoint().status();
    case LineOperation::Kind::kWrite:
      break;
  }
  return absl::OkStatus();
}

absl::Status LineWriter::Acknowledge(const std::string& ack) {
  if (!acks_) return absl::OkStatus();
  PrintLine(ack);
  return FlushOutput();
}

// The line of the operation that failed, if the failure names one ("operation N, key ...", as Write's failures do),
// else all lines of the batch.
std::string LineWriter::PlaceOf(const absl::Status& failure) const {
  unsigned long long number = 0;  // NOLINT(google-runtime-int): what sscanf reads
  if (std::sscanf(std::string(failure.message()).c_str(), "operation %llu", &number) == 1 && number < lines_.size()) {
    return "line " + std::to_string(lines_[number].number);
  }
  if (lines_.size() == 1) return "line " + std::to_string(lines_.front().number);
  return "lines " + std::to_string(lines_.front().number) + " to " + std::to_string(lines_.back().number);
}

absl::Status RunWrite(const WriteArguments& arguments) {
  Clock* clock = Clock::Default();
  ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection,
                   OpenForWriting(arguments.directory, arguments.common, arguments.sync));
  const int64_t start_us = clock->MonotonicMicros();
  LineReader reader(stdin, "standard input");
  LineWriter writer(collection.get(), arguments.batch, arguments.acks);
  RETURN_IF_ERROR(CloseAfter(collection.get(), writer.WriteAll(&reader)));
  const double seconds = static_cast<double>(clock->MonotonicMicros() - start_us) / 1e6;
  if (arguments.common.json) {
    JsonWriter json;
    json.BeginObject().Key("operations").Uint(writer.operations()).Key("batches").Uint(writer.batches());
    PrintLine(json.Key("seconds").Double(seconds).EndObject().text());
  } else if (!arguments.acks) {  // whose reader expects acknowledgements alone
    PrintLine(WithCommas(writer.operations()) + " operations in " + WithCommas(writer.batches()) + " batches, " +
              Fixed(seconds, 2) + " s");
  }
  return absl::OkStatus();
}

}  // namespace

Command AddWriteCommand(CLI::App* root) {
  auto arguments = std::make_shared<WriteArguments>();
  CLI::App* app = root->add_subcommand("write", "Carry out operations given as JSON lines on stdin");
  app->footer(
      "Operations: put, insert, update, delete, delete_where, delete_namespace, flush, checkpoint.\n"
      "Example: echo '{\"op\":\"put\",\"key\":\"a\",\"vector\":[1,2,3]}' | varve write things --acks");
  AddDirectory(app, &arguments->directory);
  app->add_flag("--acks", arguments->acks, "Print a line for each operation, once its batch is acknowledged");
  AddCount(app, "--batch", &arguments->batch, "Lines per batch (default 1)")->check(CLI::PositiveNumber);
  AddSync(app, &arguments->sync);
  AddCommonOptions(app, &arguments->common);
  return {app, [arguments] { return RunWrite(*arguments); }};
}

}  // namespace varve::cli
