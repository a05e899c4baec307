// Writes as `varve write --acks` does, and loads in bulk between the writes. The kill loop learns from it what of a
// load is durable while the load goes on.
//
//   loading_writer DIR SEGMENT_ROWS      with a line each on stdin:
//     {"op": ...}                        an operation of `varve write`
//     load {"op": "put", ...}            adds a record to the load, in segments of so many rows
//     finish                             ends the load; before the next operation
//
// Each is acknowledged by a line: a record of a load once its segment is durable, be it not published yet.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "cli/json_lines.h"
#include "varve/bulk_load.h"
#include "varve/collection.h"

namespace varve::testing {
namespace {

using cli::LineOperation;

constexpr std::string_view kLoad = "load ";

void Acknowledge(const std::string& ack) {
  std::printf("%s\n", ack.c_str());
  std::fflush(stdout);
}

class LoadingWriter {
 public:
  LoadingWriter(Collection* collection, uint32_t segment_rows) : collection_(collection), segment_rows_(segment_rows) {}

  absl::Status Take(const std::string& line) {
    if (line == "finish") return Finish();
    if (line.starts_with(kLoad)) return Load(line.substr(kLoad.size()));
    ASSIGN_OR_RETURN(LineOperation operation, cli::ParseOperation(line));
    const std::string ack = cli::AckLine(operation);
    RETURN_IF_ERROR(Carry(std::move(operation)));
    Acknowledge(ack);
    return absl::OkStatus();
  }

 private:
  absl::Status Carry(LineOperation operation) {
    WriteBatch batch;
    switch (operation.kind) {
      case LineOperation::Kind::kWrite:
        cli::AddToBatch(std::move(operation.write), &batch);
        return collection_->Write(batch);
      case LineOperation::Kind::kDeleteNamespace:
        batch.DeleteNamespace(operation.ns.value_or(""));
        return collection_->Write(batch);
      case LineOperation::Kind::kDeleteWhere:
        return collection_->DeleteWhere(operation.filter, {.ns = operation.ns}).status();
      case LineOperation::Kind::kFlush:
        return collection_->Flush().status();
      case LineOperation::Kind::kCheckpoint:
        return collection_->Checkpoint().status();
    }
    return absl::OkStatus();
  }

  absl::Status Load(const std::string& line) {
    ASSIGN_OR_RETURN(LineOperation operation, cli::ParseOperation(line));
    if (load_ == nullptr) {
      BulkLoadOptions options;
      options.segment_rows = segment_rows_;
      // Also called when a segment has become durable and is still to be published.
      options.progress = [this](uint64_t) { AcknowledgeDurable(); };
      ASSIGN_OR_RETURN(load_, collection_->NewBulkLoad(options));
    }
    pending_.push_back(cli::AckLine(operation));
    return load_->Add(std::move(operation.write.record));
  }

  absl::Status Finish() {
    if (load_ != nullptr) RETURN_IF_ERROR(load_->Finish());
    load_.reset();
    acknowledged_ = 0;
    Acknowledge("ack");
    return absl::OkStatus();
  }

  void AcknowledgeDurable() {
    for (; acknowledged_ < load_->durable_rows(); ++acknowledged_) {
      Acknowledge(pending_.front());
      pending_.pop_front();
    }
  }

  Collection* const collection_;
  const uint32_t segment_rows_;
  std::unique_ptr<BulkLoad> load_;
  std::deque<std::string> pending_;  // acknowledgements of what the load has and is not known to be durable
  uint64_t acknowledged_ = 0;        // of the load
};

absl::Status WriteAll(const std::string& directory, uint32_t segment_rows) {
  Options options;
  options.threads = 2;
  options.memtable_rows = 200;
  ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection, Collection::Open(directory, options));
  {
    LoadingWriter writer(collection.get(), segment_rows);
    cli::LineReader reader(stdin, "standard input");
    std::string line;
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, reader.Next(&line));
      if (!more) break;
      RETURN_IF_ERROR(writer.Take(line));
    }
  }
  return collection->Close();
}

}  // namespace
}  // namespace varve::testing

int main(int argc, char** argv) {
  const uint64_t segment_rows = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
  if (segment_rows == 0) {
    std::fprintf(stderr, "usage: loading_writer DIR SEGMENT_ROWS\n");
    return 2;
  }
  const absl::Status status = varve::testing::WriteAll(argv[1], static_cast<uint32_t>(segment_rows));
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
