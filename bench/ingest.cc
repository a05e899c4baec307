// Sustained ingest: loads a matrix into a new collection while one thread searches, then lets merges settle.
//
//   ingest BASE.fbin QUERIES.fbin DIRECTORY [--bulk] [--memory=MIB] [--batch=N] [--limit=N] [--segments=N]
//          [--memtable-rows=N] [--no-search]
//
// BASE is read piece by piece, so that it does not count as the engine's memory. Rows go through the log in batches, or
// with --bulk around it. Afterwards, beyond --segments (4) segments, merges are asked for until there are no more.
// Prints one JSON object: rows per second of the clock and of the processor (of all threads but the one that searches;
// reading BASE included), bytes written by bytes of vectors, the searches' 50th and 99th percentiles during the load
// and when idle, recall when idle, and the most anonymous memory held (RssAnon: without mapped files, with the queries
// and one piece of BASE).
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/matrix_file.h"
#include "bench/program.h"
#include "varve/collection.h"

namespace varve {
namespace {

using bench::CheckOk;
using bench::ReadFlag;
using bench::Seconds;
using Clock = std::chrono::steady_clock;

struct Settings {
  std::string base, queries, directory;
  bool bulk = false;
  bool search = true;
  uint32_t memory_mib = 1024;
  uint32_t batch = 500;
  uint32_t limit = 0xFFFFFFFF;
  uint32_t segments = 4;
  uint32_t memtable_rows = 0;
};

template <class T>
T Value(absl::StatusOr<T> value) {
  CheckOk(value.status());
  return *std::move(value);
}

// Samples this process's anonymous memory until it is destroyed.
class MemoryWatch {
 public:
  MemoryWatch() : thread_([this] { Watch(); }) {}
  ~MemoryWatch() {
    done_ = true;
    thread_.join();
  }
  double peak_mib() const { return static_cast<double>(peak_kib_) / 1024; }

 private:
  void Watch() {
    while (!done_) {
      std::ifstream status("/proc/self/status");
      for (std::string line; std::getline(status, line);) {
        if (line.rfind("RssAnon:", 0) == 0) {
          peak_kib_ = std::max<uint64_t>(peak_kib_, std::strtoull(line.c_str() + 8, nullptr, 10));
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

  std::atomic<bool> done_{false};
  std::atomic<uint64_t> peak_kib_{0};
  std::thread thread_;
};

// Searches one query after the other, with a rest between them: what a client in front of a loaded store sees.
class Searcher {
 public:
  Searcher(Collection* collection, const bench::Matrix& queries)
      : collection_(*collection), queries_(queries), thread_([this] { Run(); }) {}
  // Ends the searches. Returns the processor time that they took.
  double Stop() {
    done_ = true;
    thread_.join();
    return cpu_seconds_;
  }
  double Percentile(double part) {
    if (microseconds_.empty()) return 0;
    std::sort(microseconds_.begin(), microseconds_.end());
    return microseconds_[static_cast<size_t>(part * static_cast<double>(microseconds_.size() - 1))];
  }
  size_t searches() const { return microseconds_.size(); }

 private:
  void Run() {
    for (uint32_t q = 0; !done_; q = (q + 1) % queries_.rows) {
      SearchRequest request;
      request.vector = VectorValue(std::vector<float>(queries_.row(q), queries_.row(q) + queries_.dim));
      const auto start = Clock::now();
      CheckOk(collection_.Search(request).status());
      microseconds_.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    cpu_seconds_ = Seconds(CLOCK_THREAD_CPUTIME_ID);
  }

  Collection& collection_;
  const bench::Matrix& queries_;
  std::vector<double> microseconds_;
  double cpu_seconds_ = 0;
  std::atomic<bool> done_{false};
  std::thread thread_;
};

std::string KeyOf(uint64_t row) {
  char key[24];
  std::snprintf(key, sizeof(key), "%010llu", static_cast<unsigned long long>(row));
  return key;
}

// Loads the rows and returns how many they were.
uint64_t Load(const Settings& settings, Collection* collection, std::ifstream* base, uint32_t rows, uint32_t dim) {
  std::unique_ptr<BulkLoad> bulk;
  if (settings.bulk) bulk = Value(collection->NewBulkLoad());
  WriteBatch batch;
  std::vector<float> row(dim);
  for (uint32_t r = 0; r < rows; ++r) {
    if (!base->read(reinterpret_cast<char*>(row.data()), static_cast<std::streamsize>(dim * sizeof(float)))) {
      bench::FailToRead(settings.base);
    }
    RecordInput record;
    record.key = KeyOf(r);
    record.vectors = {{"", VectorValue(row)}};
    if (bulk != nullptr) {
      CheckOk(bulk->Add(std::move(record)));
      continue;
    }
    batch.Put(std::move(record));
    if (batch.size() == settings.batch || r + 1 == rows) {
      CheckOk(collection->Write(batch));
      batch.Clear();
    }
  }
  if (bulk != nullptr) CheckOk(bulk->Finish());
  return rows;
}

double RecallOf(Collection* collection, const bench::Matrix& queries) {
  constexpr uint32_t kQueries = 100;
  size_t hits = 0, all = 0;
  for (uint32_t q = 0; q < std::min(kQueries, queries.rows); ++q) {
    SearchRequest request;
    request.vector = VectorValue(std::vector<float>(queries.row(q), queries.row(q) + queries.dim));
    const SearchResult found = Value(collection->Search(request));
    request.exact = true;
    for (const Hit& hit : Value(collection->Search(request)).hits) {
      ++all;
      for (const Hit& other : found.hits) hits += other.key == hit.key;
    }
  }
  return static_cast<double>(hits) / static_cast<double>(std::max<size_t>(all, 1));
}

void Run(const Settings& settings) {
  const bench::Matrix queries = bench::ReadMatrix(settings.queries, 1000);
  std::ifstream base(settings.base, std::ios::binary);
  uint32_t shape[2];
  if (!base.read(reinterpret_cast<char*>(shape), sizeof(shape))) bench::FailToRead(settings.base);
  Options options;
  options.memory_bytes = size_t{settings.memory_mib} << 20;
  options.memtable_rows = settings.memtable_rows;
  options.sync = SyncMode::Interval(1000);
  auto collection = Value(Collection::Create(settings.directory, Schema::SingleVector(shape[1], Metric::kL2), options));

  MemoryWatch memory;
  const double wall = Seconds(CLOCK_MONOTONIC), cpu = Seconds(CLOCK_PROCESS_CPUTIME_ID);
  std::unique_ptr<Searcher> busy;
  if (settings.search) busy = std::make_unique<Searcher>(collection.get(), queries);
  const uint64_t rows = Load(settings, collection.get(), &base, std::min(shape[0], settings.limit), shape[1]);
  CheckOk(collection->Flush().status());
  const double loaded = Seconds(CLOCK_MONOTONIC) - wall;
  while (collection->Stats().segments.size() > settings.segments) {
    const size_t before = collection->Stats().segments.size();
    CheckOk(collection->Merge(/*full=*/false).status());
    if (collection->Stats().segments.size() >= before) {
      CheckOk(collection->Merge(/*full=*/true).status());
      break;
    }
  }
  const double settled = Seconds(CLOCK_MONOTONIC) - wall;
  const double search_cpu = busy != nullptr ? busy->Stop() : 0;
  const double load_cpu = Seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu - search_cpu;
  const double recall = RecallOf(collection.get(), queries);
  Searcher idle(collection.get(), queries);
  std::this_thread::sleep_for(std::chrono::seconds(10));
  idle.Stop();

  const CollectionStats stats = collection->Stats();
  const double raw = static_cast<double>(rows) * shape[1] * sizeof(float);
  const auto written = static_cast<double>(stats.bytes_logged + stats.bytes_flushed + stats.bytes_loaded +
                                           stats.bytes_merged + stats.bytes_bitmaps);
  std::printf(
      "{\"rows\":%llu,\"seconds\":%.1f,\"settled_seconds\":%.1f,\"cpu_seconds\":%.1f,\"rows_per_second\":%.0f,"
      "\"rows_per_cpu_second\":%.0f,\"segments\":%zu,\"write_amplification\":%.2f,\"busy\":{\"searches\":%zu,"
      "\"p50_us\":%.0f,\"p99_us\":%.0f},\"idle\":{\"searches\":%zu,\"p50_us\":%.0f,\"p99_us\":%.0f},\"recall\":%.4f,"
      "\"stall_seconds\":%.1f,\"merges\":%llu,\"flushes\":%llu,\"peak_anonymous_mib\":%.1f}\n",
      static_cast<unsigned long long>(rows), loaded, settled, load_cpu, static_cast<double>(rows) / settled,
      static_cast<double>(rows) / load_cpu, stats.segments.size(), written / raw,
      busy != nullptr ? busy->searches() : 0, busy != nullptr ? busy->Percentile(0.5) : 0,
      busy != nullptr ? busy->Percentile(0.99) : 0, idle.searches(), idle.Percentile(0.5), idle.Percentile(0.99),
      recall, static_cast<double>(stats.stall_microseconds) / 1e6, static_cast<unsigned long long>(stats.merges),
      static_cast<unsigned long long>(stats.flushes), memory.peak_mib());
  CheckOk(collection->Close());
}

int Main(int argc, char** argv) {
  Settings settings;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--bulk") {
      settings.bulk = true;
    } else if (argument == "--no-search") {
      settings.search = false;
    } else if (!ReadFlag(argument, "memory", &settings.memory_mib) && !ReadFlag(argument, "batch", &settings.batch) &&
               !ReadFlag(argument, "limit", &settings.limit) && !ReadFlag(argument, "segments", &settings.segments) &&
               !ReadFlag(argument, "memtable-rows", &settings.memtable_rows)) {
      files.push_back(argument);
    }
  }
  if (files.size() != 3 || files[0].starts_with("--")) {
    std::fprintf(stderr,
                 "usage: ingest BASE.fbin QUERIES.fbin DIRECTORY [--bulk] [--memory=MIB] [--batch=N] [--limit=N] "
                 "[--segments=N] [--memtable-rows=N] [--no-search]\n");
    return 2;
  }
  settings.base = files[0];
  settings.queries = files[1];
  settings.directory = files[2];
  Run(settings);
  return 0;
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) { return varve::Main(argc, argv); }
