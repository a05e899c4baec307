#include "tests/beside/readers.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "tests/beside/numbered_state.h"

namespace varve::testing {
namespace {

constexpr auto kHoldTime = std::chrono::milliseconds(1500);

// Segments that this process still maps though their files have been removed.
uint64_t RemovedSegments() {
  std::ifstream maps("/proc/self/maps");
  uint64_t removed = 0;
  for (std::string line; std::getline(maps, line);) removed += line.ends_with(".vcnt (deleted)");
  return removed;
}

SearchRequest RandomSearch(Random* random, uint64_t batch, size_t k, bool exact) {
  SearchRequest request;
  const uint64_t near = batch - random->Below(std::min<uint64_t>(batch, 2 * kGroups) + 1);
  request.vector = VectorValue(VectorOf(near, static_cast<uint32_t>(random->Below(kGroupKeys))));
  request.k = k;
  request.exact = exact;
  request.with_records = true;
  return request;
}

class Readers {
 public:
  Readers(std::string directory, std::string backups, SharedProgress* progress)
      : directory_(std::move(directory)), backups_(std::move(backups)), progress_(progress) {}

  bool Run() {
    absl::StatusOr<std::unique_ptr<Collection>> shared = OpenBeside(directory_, {});
    if (!shared.ok()) return Report("open", shared.status());
    std::vector<std::thread> threads;
    threads.emplace_back(
        [this] { Loop("refresh and read", [this](Random* random) { return RefreshAndRead(random); }); });
    threads.emplace_back([&] { Loop("refresh", [&](Random*) { return Refresh(shared->get()); }); });
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back(
          [&] { Loop("read a moving one", [&](Random* random) { return ReadMoving(shared->get(), random); }); });
    }
    threads.emplace_back([this] { Loop("hold", [this](Random* random) { return Hold(random); }); });
    threads.emplace_back([this] { Loop("open anew", [this](Random* random) { return OpenAnew(random); }); });
    threads.emplace_back([this] { Loop("without the log", [this](Random* random) { return ReadPublished(random); }); });
    for (std::thread& thread : threads) thread.join();
    std::printf(
        "states read: %llu whole, %llu in part; refreshes: %llu; openings: %llu; backups: %llu; reads of removed "
        "segments: %llu; not now: %llu\n",
        Number(whole_), Number(partial_), Number(refreshes_), Number(openings_), Number(backups_read_),
        Number(removed_reads_), Number(unavailable_));
    return !progress_->failed.load();
  }

 private:
  static unsigned long long Number(const std::atomic<uint64_t>& value) { return value.load(); }

  bool Report(const char* what, const absl::Status& status) {
    progress_->failed = true;
    std::fprintf(stderr, "reader, %s: %s\n", what, status.ToString().c_str());
    return false;
  }

  void Loop(const char* what, const std::function<absl::Status(Random*)>& step) {
    Random random(Mix64(std::hash<std::thread::id>{}(std::this_thread::get_id())));
    while (!progress_->stop.load() && !progress_->failed.load()) {
      if (const absl::Status status = step(&random); !status.ok()) {
        (void)Report(what, status);
        return;
      }
    }
  }

  // A writer may be too quick for a reader: then it is to try again.
  template <typename Result>
  Result UntilAvailable(const std::function<Result()>& attempt) {
    for (;;) {
      Result result = attempt();
      const bool busy = [&] {
        if constexpr (std::is_same_v<Result, absl::Status>) {
          return absl::IsUnavailable(result);
        } else {
          return absl::IsUnavailable(result.status());
        }
      }();
      if (!busy || progress_->stop.load()) return result;
      ++unavailable_;
    }
  }

  absl::StatusOr<std::unique_ptr<Collection>> OpenBeside(const std::string& directory, const ReadOnlyOptions& options) {
    ++openings_;
    return UntilAvailable<absl::StatusOr<std::unique_ptr<Collection>>>(
        [&] { return Collection::OpenReadOnly(directory, options); });
  }

  absl::Status Refresh(Collection* collection) {
    ++refreshes_;
    const absl::Status status = UntilAvailable<absl::Status>([&] { return collection->Refresh(); });
    return absl::IsUnavailable(status) ? absl::OkStatus() : status;
  }

  // All ways to read one state give the state after `batch`.
  absl::Status CheckState(Collection* collection, uint64_t batch, Random* random, const ReadOptions& options = {}) {
    const auto group = static_cast<uint32_t>(random->Below(kGroups));
    const uint64_t written = LastBatchOf(group, batch);
    for (uint32_t number = 0; number < kGroupKeys; ++number) {
      const absl::StatusOr<Record> record = collection->Get(NamespaceOf(group), NameOf({group, number}), options);
      const bool there = written != 0 && Puts(written, number);
      if (record.ok() != there) {
        return DataLoss("Get of " + NameOf({group, number}) + " after batch " + std::to_string(batch) + ": " +
                        record.status().ToString());
      }
      if (there && record->metadata != MetadataOf(written)) {
        return DataLoss("Get of " + NameOf({group, number}) + " gives " + record->metadata);
      }
    }
    for (const bool exact : {true, false}) {
      ASSIGN_OR_RETURN(const SearchResult result,
                       collection->Search(RandomSearch(random, batch, exact ? 40 : 10, exact), options));
      StateEvidence evidence;
      for (const Hit& hit : result.hits) RETURN_IF_ERROR(evidence.Add(*hit.record));
      RETURN_IF_ERROR(evidence.CheckIsOf(batch));
    }
    ASSIGN_OR_RETURN(const uint64_t count, collection->Count(std::nullopt, options));
    if (count != RecordsAfter(batch)) return DataLoss("Count after batch " + std::to_string(batch) + " is wrong");
    ++whole_;
    return absl::OkStatus();
  }

  static absl::Status CheckNotBefore(uint64_t batch, uint64_t least) {
    if (batch >= least) return absl::OkStatus();
    return DataLoss("the state is that after batch " + std::to_string(batch) + ", " + std::to_string(least) +
                    " was acknowledged or seen before");
  }

  // Between two refreshes everything is of one state, which has all that was acknowledged before.
  absl::Status RefreshAndRead(Random* random) {
    if (own_ == nullptr) {
      ASSIGN_OR_RETURN(own_, OpenBeside(directory_, {}));
    }
    const uint64_t acknowledged = progress_->acknowledged.load();
    RETURN_IF_ERROR(Refresh(own_.get()));
    if (progress_->stop.load()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const uint64_t batch, ScanState(own_.get()));
    RETURN_IF_ERROR(CheckNotBefore(batch, acknowledged));
    return CheckState(own_.get(), batch, random);
  }

  // Of a collection that another thread moves forward: each answer is of one state, and none is of an earlier one than
  // the answer before.
  absl::Status ReadMoving(Collection* collection, Random* random) {
    ASSIGN_OR_RETURN(const uint64_t batch, ScanState(collection));
    ASSIGN_OR_RETURN(const Snapshot snapshot, collection->GetSnapshot());
    uint64_t least = batch;
    for (const bool exact : {false, true, false}) {
      ASSIGN_OR_RETURN(const SearchResult result, collection->Search(RandomSearch(random, batch, 300, exact)));
      StateEvidence evidence;
      for (const Hit& hit : result.hits) RETURN_IF_ERROR(evidence.Add(*hit.record));
      RETURN_IF_ERROR(CheckNotBefore(evidence.last(), least));
      least = std::max(least, evidence.first());
      ++partial_;
    }
    const ReadOptions options{&snapshot};
    ASSIGN_OR_RETURN(const uint64_t held, ScanState(collection, options));
    RETURN_IF_ERROR(CheckNotBefore(held, batch));
    return CheckState(collection, held, random, options);
  }

  // A snapshot gives the same state long after its segments have been merged away.
  absl::Status Hold(Random* random) {
    ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection, OpenBeside(directory_, {}));
    ASSIGN_OR_RETURN(const Snapshot snapshot, collection->GetSnapshot());
    const ReadOptions options{&snapshot};
    // Not read before the wait, so that pages of removed files are touched for the first time after it.
    const auto start = std::chrono::steady_clock::now();
    const uint64_t acknowledged = progress_->acknowledged.load();
    while (std::chrono::steady_clock::now() - start < kHoldTime && !progress_->stop.load()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      RETURN_IF_ERROR(Refresh(collection.get()));
    }
    const uint64_t removed = RemovedSegments();
    ASSIGN_OR_RETURN(const uint64_t batch, ScanState(collection.get(), options));
    if (batch > acknowledged + 1) return DataLoss("a snapshot moved on to batch " + std::to_string(batch));
    RETURN_IF_ERROR(CheckState(collection.get(), batch, random, options));
    removed_reads_ += removed;
    return absl::OkStatus();
  }

  absl::Status OpenAnew(Random* random) {
    const uint64_t acknowledged = progress_->acknowledged.load();
    ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection, OpenBeside(directory_, {}));
    ASSIGN_OR_RETURN(const uint64_t batch, ScanState(collection.get()));
    RETURN_IF_ERROR(CheckNotBefore(batch, acknowledged));
    RETURN_IF_ERROR(CheckState(collection.get(), batch, random));
    return ReadBackup(random);
  }

  // What the manifest alone names is a state too, an older one.
  absl::Status ReadPublished(Random* random) {
    if (published_ == nullptr) {
      ReadOnlyOptions options;
      options.log = ReadOnlyLog::kPublished;
      ASSIGN_OR_RETURN(published_, OpenBeside(directory_, options));
    }
    RETURN_IF_ERROR(Refresh(published_.get()));
    ASSIGN_OR_RETURN(const uint64_t batch, ScanState(published_.get()));
    RETURN_IF_ERROR(CheckNotBefore(batch, published_batch_));
    published_batch_ = batch;
    return CheckState(published_.get(), batch, random);
  }

  absl::Status ReadBackup(Random* random) {
    const uint64_t number = progress_->backups.exchange(0);
    if (number == 0) return absl::OkStatus();
    const std::string directory = backups_ + "/" + std::to_string(number);
    {
      ASSIGN_OR_RETURN(const std::unique_ptr<Collection> backup, OpenBeside(directory, {}));
      ASSIGN_OR_RETURN(const uint64_t batch, ScanState(backup.get()));
      RETURN_IF_ERROR(CheckState(backup.get(), batch, random));
    }
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
    ++backups_read_;
    return absl::OkStatus();
  }

  const std::string directory_;
  const std::string backups_;
  SharedProgress* const progress_;
  std::unique_ptr<Collection> own_;        // of RefreshAndRead
  std::unique_ptr<Collection> published_;  // of ReadPublished
  uint64_t published_batch_ = 0;
  std::atomic<uint64_t> whole_{0};
  std::atomic<uint64_t> partial_{0};
  std::atomic<uint64_t> refreshes_{0};
  std::atomic<uint64_t> openings_{0};
  std::atomic<uint64_t> backups_read_{0};
  std::atomic<uint64_t> removed_reads_{0};
  std::atomic<uint64_t> unavailable_{0};
};

}  // namespace

bool RunReaders(const std::string& directory, const std::string& backups, SharedProgress* progress) {
  return Readers(directory, backups, progress).Run();
}

}  // namespace varve::testing
