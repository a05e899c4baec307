// A read-only collection that stays open while others write to its directory, are killed, and recover. The kill loop
// asks it what it sees.
//
//   kept_reader DIR      with a command on each line of stdin:
//     scan               prints the records as `varve scan` does
//     refresh            moves forward to the newest state
//     hold               takes a snapshot in place of the last one
//     scan_held          as scan, of the snapshot
//
// After each a line "OK", or "UNAVAILABLE: ..." and the like.
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/json_writer.h"
#include "base/status.h"
#include "cli/record_json.h"
#include "varve/collection.h"

namespace varve::testing {
namespace {

absl::Status PrintRecords(Collection* collection, const ReadOptions& options) {
  return collection->Scan(
      {},
      [&](const Record& record) {
        JsonWriter writer;
        cli::WriteRecord(record, collection->schema(), &writer);
        std::cout << writer.text() << '\n';
        return true;
      },
      options);
}

class KeptReader {
 public:
  explicit KeptReader(std::unique_ptr<Collection> collection) : collection_(std::move(collection)) {}

  absl::Status Run(const std::string& command) {
    if (command == "scan") return PrintRecords(collection_.get(), {});
    if (command == "refresh") return collection_->Refresh();
    if (command == "hold") {
      ASSIGN_OR_RETURN(held_, collection_->GetSnapshot());
      return absl::OkStatus();
    }
    if (command == "scan_held" && held_.has_value()) return PrintRecords(collection_.get(), {&*held_});
    return InvalidArgument("there is nothing to " + command);
  }

 private:
  std::unique_ptr<Collection> collection_;
  std::optional<Snapshot> held_;
};

int Serve(const char* directory) {
  absl::StatusOr<std::unique_ptr<Collection>> collection = Collection::OpenReadOnly(directory);
  if (!collection.ok()) {
    std::cerr << collection.status().ToString() << '\n';
    return 1;
  }
  KeptReader reader(*std::move(collection));
  for (std::string command; std::getline(std::cin, command);) {
    std::cout << reader.Run(command).ToString() << std::endl;  // NOLINT(performance-avoid-endl): the asker waits
  }
  return 0;
}

}  // namespace
}  // namespace varve::testing

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: kept_reader DIR\n");
    return 2;
  }
  return varve::testing::Serve(argv[1]);
}
