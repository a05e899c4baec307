#include "tests/beside/writer.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <thread>
#include <utility>

#include "base/status.h"
#include "tests/beside/numbered_state.h"

namespace varve::testing {
namespace {

// Small parts, so that there are many flushes and merges.
Options SmallParts() {
  Options options;
  options.memtable_rows = 600;
  options.max_segments = 8;
  options.threads = 1;
  return options;
}

absl::Status BulkLoadBatch(Collection* collection, uint64_t batch) {
  ASSIGN_OR_RETURN(const std::unique_ptr<BulkLoad> load, collection->NewBulkLoad());
  const auto group = static_cast<uint32_t>(batch % kGroups);
  for (uint32_t number = 0; number < kGroupKeys; ++number) {
    RecordInput record;
    record.ns = NamespaceOf(group);
    record.key = NameOf({group, number});
    record.vectors.push_back({"", VectorValue(VectorOf(batch, number))});
    record.metadata = MetadataOf(batch);
    RETURN_IF_ERROR(load->Add(std::move(record)));
  }
  return load->Finish();
}

// Backups and full merges, one after the other.
absl::Status Maintain(Collection* collection, const std::string& backups, SharedProgress* progress) {
  for (uint64_t number = 1; !progress->stop.load(); ++number) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (number % 5 == 0) RETURN_IF_ERROR(collection->Merge(/*full=*/true).status());
    if (number % 7 == 0) RETURN_IF_ERROR(collection->Checkpoint().status());
    if (progress->backups.load() != 0) continue;  // the last one is still to be read
    RETURN_IF_ERROR(collection->Backup(backups + "/" + std::to_string(number)).status());
    progress->backups = number;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CreateNumberedCollection(const std::string& directory) {
  Schema schema = Schema::SingleVector(kStateDimension, Metric::kL2);
  // Small graphs, so that they are searched too.
  schema.fields[0].index.type = IndexType::kHnsw;
  schema.sync = SyncMode::Interval(20);
  ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection, Collection::Create(directory, schema));
  return collection->Close();
}

absl::Status RunWriter(const std::string& directory, const std::string& backups, double seconds,
                       SharedProgress* progress) {
  std::filesystem::create_directories(backups);
  ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection, Collection::Open(directory, SmallParts()));
  absl::Status maintained;
  std::thread maintenance([&] { maintained = Maintain(collection.get(), backups, progress); });
  absl::Status written;
  uint64_t batch = progress->acknowledged.load();
  const auto start = std::chrono::steady_clock::now();
  const auto end =
      start + std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds));
  while (written.ok() && std::chrono::steady_clock::now() < end && !progress->failed.load()) {
    ++batch;
    written = IsBulkLoad(batch) ? BulkLoadBatch(collection.get(), batch) : collection->Write(MakeBatch(batch));
    if (written.ok()) progress->acknowledged = batch;
  }
  progress->stop = true;
  maintenance.join();
  const CollectionStats stats = collection->Stats();
  std::printf("batches written: %llu; flushes: %llu; merges: %llu; generation: %llu; seconds: %.1f\n",
              static_cast<unsigned long long>(batch), static_cast<unsigned long long>(stats.flushes),
              static_cast<unsigned long long>(stats.merges), static_cast<unsigned long long>(stats.generation),
              std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  RETURN_IF_ERROR(written);
  RETURN_IF_ERROR(maintained);
  ASSIGN_OR_RETURN(const uint64_t state, ScanState(collection.get()));
  if (state != batch) return DataLoss("the writer itself sees the state after batch " + std::to_string(state));
  return collection->Close();
}

}  // namespace varve::testing
