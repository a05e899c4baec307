// What opening a collection costs, and how much of it the first search touches: opens, searches once, searches again,
// and prints the time of each and how many bytes of the mapped segments are resident in this process after it.
//
//   open_time COLLECTION [--ef=N]
//
// Resident bytes come from /proc/self/smaps: pages of the mapping that this process has touched, whether or not they
// were in the page cache before.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "varve/collection.h"

namespace varve {
namespace {

struct Mapped {
  uint64_t size_kib = 0;
  uint64_t resident_kib = 0;
};

Mapped MappedSegments() {
  Mapped mapped;
  std::ifstream maps("/proc/self/smaps");
  bool in_segment = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find('-') != std::string::npos && line.find(" kB") == std::string::npos) {
      in_segment = line.find(".vcnt") != std::string::npos;
    } else if (in_segment && line.rfind("Size:", 0) == 0) {
      mapped.size_kib += std::strtoull(line.c_str() + 5, nullptr, 10);
    } else if (in_segment && line.rfind("Rss:", 0) == 0) {
      mapped.resident_kib += std::strtoull(line.c_str() + 4, nullptr, 10);
    }
  }
  return mapped;
}

template <typename Work>
void Report(const char* what, Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  const Mapped mapped = MappedSegments();
  std::printf("%-14s %9.3f ms, touched so far %8.1f MiB of %8.1f MiB\n", what, ms,
              static_cast<double>(mapped.resident_kib) / 1024, static_cast<double>(mapped.size_kib) / 1024);
}

[[noreturn]] void Fail(const absl::Status& status) {
  std::fprintf(stderr, "open_time: %s\n", status.ToString().c_str());
  std::exit(1);
}

void Run(const std::string& directory, double ef) {
  std::unique_ptr<Collection> collection;
  Report("open", [&] {
    absl::StatusOr<std::unique_ptr<Collection>> opened = Collection::Open(directory);
    if (!opened.ok()) Fail(opened.status());
    collection = *std::move(opened);
  });
  const FieldSpec* field = collection->schema().DefaultDenseField();
  if (field == nullptr) Fail(absl::InvalidArgumentError("the collection has no dense field"));
  SearchRequest request;
  request.vector = VectorValue(std::vector<float>(field->dimension, 1.0f));
  request.params["ef"] = ef;
  for (const char* what : {"first search", "second search"}) {
    Report(what, [&] {
      const absl::StatusOr<SearchResult> result = collection->Search(request);
      if (!result.ok()) Fail(result.status());
    });
  }
  Report("close", [&] {
    if (const absl::Status status = collection->Close(); !status.ok()) Fail(status);
  });
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) {
  double ef = 64;
  std::string directory;
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], "--ef=", 5) == 0) {
      ef = std::strtod(argv[i] + 5, nullptr);
    } else {
      directory = argv[i];
    }
  }
  if (directory.empty()) {
    std::fprintf(stderr, "usage: open_time COLLECTION [--ef=N]\n");
    return 2;
  }
  varve::Run(directory, ef);
  return 0;
}
