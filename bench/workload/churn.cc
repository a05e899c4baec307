#include "bench/workload/churn.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <thread>
#include <utility>

#include "base/random.h"
#include "base/status.h"
#include "bench/workload/activity.h"
#include "bench/workload/findings.h"
#include "bench/workload/key_model.h"
#include "bench/workload/recall.h"
#include "bench/workload/searcher.h"
#include "bench/workload/writer.h"

namespace varve::churn {
namespace {

// Beside two files for each segment: manifests, checkpoints, logs, lock.
constexpr uint64_t kOtherFiles = 16;
// How much of what lies in segments may be dead or expired when merges have settled, in percent.
constexpr uint64_t kMaxDeadPercent = 35;

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

DirectorySize SizeOf(const std::string& directory) {
  DirectorySize size;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, error)) {
    // A file may go while it is looked at.
    if (!entry.is_regular_file(error)) continue;
    const std::uintmax_t bytes = entry.file_size(error);
    if (error) continue;
    size.bytes += bytes;
    ++size.files;
  }
  return size;
}

Schema SchemaOf(const ChurnSettings& settings, uint32_t dimension) {
  Schema schema = Schema::SingleVector(dimension, Metric::kL2, settings.element);
  schema.fields[0].index = settings.index;
  schema.sync = SyncMode::Interval(100);
  return schema;
}

class Run {
 public:
  Run(const ChurnSettings& settings, const bench::Matrix& base, const bench::Matrix& queries)
      : settings_(settings),
        dimension_(base.dim),
        workload_(&settings_, &base, &queries),
        model_(base.rows, settings.engine.clock != nullptr ? settings.engine.clock : Clock::Default()),
        activity_(std::make_shared<Activity>()) {
    settings_.engine.listeners.push_back(activity_);
    report_.rows = base.rows;
  }

  absl::StatusOr<ChurnReport> All() {
    RETURN_IF_ERROR(Load());
    const CollectionStats before = collection_->Stats();
    Churn();
    RETURN_IF_ERROR(Measure(before));
    RETURN_IF_ERROR(Rebuild());
    Judge();
    return report_;
  }

 private:
  absl::Status Load() {
    const auto start = std::chrono::steady_clock::now();
    ASSIGN_OR_RETURN(collection_,
                     Collection::Create(settings_.directory, SchemaOf(settings_, dimension_), settings_.engine));
    ASSIGN_OR_RETURN(const std::unique_ptr<BulkLoad> load, collection_->NewBulkLoad());
    Random random(settings_.seed);
    std::vector<std::pair<std::optional<int64_t>, int64_t>> lives;  // time to live, and when it began at the earliest
    for (uint32_t key = 0; key < workload_.keys(); ++key) {
      std::optional<int64_t> ttl;
      if (random.Uniform() < settings_.ttl_share) {
        const auto range = static_cast<uint64_t>(settings_.ttl_max_seconds - settings_.ttl_min_seconds + 1);
        ttl = settings_.ttl_min_seconds + static_cast<int64_t>(random.Below(range));
      }
      lives.emplace_back(ttl, model_.NowMillis());
      RETURN_IF_ERROR(load->Add(workload_.MakeRecord(key, key, ttl)));
    }
    RETURN_IF_ERROR(load->Finish());
    const int64_t end_ms = model_.NowMillis();
    for (uint32_t key = 0; key < workload_.keys(); ++key) {
      KeyModel::Expiry expiry;
      if (const auto& [ttl, from_ms] = lives[key]; ttl.has_value()) {
        expiry = {from_ms + *ttl * 1000 - 1, end_ms + *ttl * 1000 + 1};
      }
      model_.SetLive(key, key, expiry);
    }
    RETURN_IF_ERROR(collection_->Merge(/*full=*/true).status());
    report_.load_seconds = SecondsSince(start);
    ASSIGN_OR_RETURN(report_.fresh_recall, MeasureRecall(workload_, collection_.get()));
    return absl::OkStatus();
  }

  void Churn() {
    std::atomic<bool> stop{false};
    std::vector<Searcher> searchers;
    for (int t = 0; t < settings_.search_threads; ++t) {
      searchers.emplace_back(&workload_, &model_, &findings_, collection_.get(),
                             settings_.seed + 1000 + static_cast<uint64_t>(t));
    }
    std::vector<std::thread> reading;
    for (Searcher& searcher : searchers) reading.emplace_back([&] { searcher.Run(stop); });
    reading.emplace_back([&] { SampleRecall(stop); });
    const auto start = std::chrono::steady_clock::now();
    Write();
    report_.churn_seconds = SecondsSince(start);
    report_.settled = Settle();
    report_.settle_seconds = SecondsSince(start) - report_.churn_seconds;
    stop = true;
    for (std::thread& thread : reading) thread.join();
    // What the last readers held is removed soon after them.
    std::this_thread::sleep_for(std::chrono::duration<double>(settings_.settle_seconds));
    Summarize(searchers);
  }

  void Write() {
    std::vector<Writer> writers;
    for (int w = 0; w < settings_.write_threads; ++w) {
      writers.emplace_back(&workload_, &model_, &findings_, collection_.get(), w, settings_.write_threads);
    }
    std::vector<std::thread> writing;
    for (Writer& writer : writers) writing.emplace_back([&] { (void)writer.Run(); });
    for (std::thread& thread : writing) thread.join();
    for (const Writer& writer : writers) {
      report_.operations += writer.operations();
      report_.rows_put += writer.rows_put();
    }
  }

  void SampleRecall(const std::atomic<bool>& stop) {
    while (!stop.load()) {
      const absl::StatusOr<double> recall = MeasureRecall(workload_, collection_.get());
      if (!recall.ok()) {
        findings_.Add("recall: " + recall.status().ToString());
        return;
      }
      report_.minimal_recall = std::min(report_.minimal_recall, *recall);
      ++report_.recall_samples;
      report_.most_files = std::max(report_.most_files, SizeOf(settings_.directory).files);
      const auto start = std::chrono::steady_clock::now();
      while (!stop.load() && SecondsSince(start) < settings_.sample_seconds) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
    }
  }

  // Until nothing has run for some seconds; with times to live, until all have passed and the expired are reclaimed.
  bool Settle() {
    const auto start = std::chrono::steady_clock::now();
    while (SecondsSince(start) < settings_.give_up_seconds) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      if (activity_->idle_seconds() < settings_.settle_seconds) continue;
      if (settings_.ttl_share == 0 || !settings_.judge_space) return true;
      if (SecondsSince(start) < static_cast<double>(settings_.ttl_max_seconds)) continue;
      const absl::StatusOr<uint64_t> live = collection_->Count();
      if (live.ok() && !HasManyDeadRows(collection_->Stats(), *live)) return true;
    }
    return false;
  }

  static bool HasManyDeadRows(const CollectionStats& stats, uint64_t live) {
    uint64_t rows = 0;
    for (const SegmentInfo& segment : stats.segments) rows += segment.rows;
    const uint64_t unneeded = rows - std::min(rows, live);
    return unneeded * 100 > rows * kMaxDeadPercent;
  }

  void Summarize(const std::vector<Searcher>& searchers) {
    std::vector<float> latencies;
    for (const Searcher& searcher : searchers) {
      latencies.insert(latencies.end(), searcher.latencies().begin(), searcher.latencies().end());
      report_.hits += searcher.hits();
      report_.judged_hits += searcher.judged();
      report_.short_answers += searcher.short_answers();
    }
    report_.during.searches = latencies.size();
    const auto percentile = [&](double part) -> double {
      if (latencies.empty()) return 0;
      const auto place = static_cast<std::ptrdiff_t>(part * static_cast<double>(latencies.size() - 1));
      std::nth_element(latencies.begin(), latencies.begin() + place, latencies.end());
      return static_cast<double>(latencies[static_cast<size_t>(place)]);
    };
    report_.during.p50_us = percentile(0.5);
    report_.during.p99_us = percentile(0.99);
  }

  absl::Status Measure(const CollectionStats& before) {
    const CollectionStats stats = collection_->Stats();
    report_.segments = stats.segments.size();
    for (const SegmentInfo& segment : stats.segments) report_.segment_rows += segment.rows;
    report_.dead_rows = stats.dead_rows;
    report_.memtable_rows = stats.memtable_rows;
    report_.merges = stats.merges - before.merges;
    report_.flushes = stats.flushes - before.flushes;
    report_.bytes_written = stats.bytes_logged + stats.bytes_flushed + stats.bytes_merged + stats.bytes_bitmaps -
                            (before.bytes_logged + before.bytes_flushed + before.bytes_merged + before.bytes_bitmaps);
    report_.stall_seconds = static_cast<double>(stats.stall_microseconds - before.stall_microseconds) / 1e6;
    report_.held_segments = stats.held_segments;
    report_.directory = SizeOf(settings_.directory);
    report_.most_files = std::max(report_.most_files, report_.directory.files);
    ASSIGN_OR_RETURN(report_.final_recall, MeasureRecall(workload_, collection_.get()));
    ASSIGN_OR_RETURN(report_.live_rows, CheckContents(workload_, model_, collection_.get(), &findings_));
    const uint64_t vector_bytes = collection_->schema().fields[0].vector_bytes();
    report_.raw_bytes = report_.live_rows * vector_bytes;
    report_.put_bytes = report_.rows_put * vector_bytes;
    return absl::OkStatus();
  }

  // What the same rows take, and how well they are found, when they are loaded at once.
  absl::Status Rebuild() {
    const std::string directory = settings_.directory + ".rebuilt";
    ASSIGN_OR_RETURN(const std::unique_ptr<Collection> rebuilt,
                     Collection::Create(directory, SchemaOf(settings_, dimension_), settings_.engine));
    ASSIGN_OR_RETURN(const std::unique_ptr<BulkLoad> load, rebuilt->NewBulkLoad());
    absl::Status added;
    RETURN_IF_ERROR(collection_->Scan({}, [&](const Record& record) {
      RecordInput input;
      input.ns = record.ns;
      input.key = record.key;
      input.vectors.push_back({"", VectorValue(record.vectors.at(0).second)});
      added = load->Add(std::move(input));
      return added.ok();
    }));
    RETURN_IF_ERROR(added);
    RETURN_IF_ERROR(load->Finish());
    RETURN_IF_ERROR(rebuilt->Merge(/*full=*/true).status());
    report_.rebuilt = SizeOf(directory);
    ASSIGN_OR_RETURN(report_.rebuilt_recall, MeasureRecall(workload_, rebuilt.get()));
    RETURN_IF_ERROR(rebuilt->Close());
    return collection_->Close();
  }

  void Judge() {
    report_.findings = findings_.count();
    report_.broken = findings_.first();
    const auto bound = [&](bool holds, const std::string& what) {
      if (!holds) report_.broken.push_back(what);
    };
    bound(report_.settled, "merges have not settled");
    bound(activity_->failures() == 0, "flushes or merges failed, or damage was met");
    bound(report_.minimal_recall >= report_.fresh_recall - kMaxRecallLoss, "recall fell during the churn");
    bound(report_.final_recall >= report_.rebuilt_recall - kMaxRecallLoss, "recall at the end is below a fresh index");
    if (!settings_.judge_space) return;
    bound(report_.space_amplification() < kMaxSpaceAmplification, "space amplification is too high");
    bound(report_.directory.files <= 2 * report_.segments + kOtherFiles, "too many files at the end");
    bound(report_.most_files <= 8 * static_cast<uint64_t>(settings_.engine.max_segments) + kOtherFiles,
          "too many files during the churn");
    const uint64_t unneeded = report_.segment_rows - std::min(report_.segment_rows, report_.live_rows);
    bound(unneeded * 100 <= report_.segment_rows * kMaxDeadPercent, "too many dead and expired rows are left");
  }

  ChurnSettings settings_;
  const uint32_t dimension_;
  const Workload workload_;
  KeyModel model_;
  Findings findings_;
  const std::shared_ptr<Activity> activity_;
  std::unique_ptr<Collection> collection_;
  ChurnReport report_;
};

}  // namespace

absl::StatusOr<ChurnReport> RunChurn(const ChurnSettings& settings, const bench::Matrix& base,
                                     const bench::Matrix& queries) {
  if (base.rows == 0 || base.rows >= kMaxModelRows || queries.rows == 0 || base.dim != queries.dim) {
    return InvalidArgument("base and queries do not fit together, or there are too many or no rows");
  }
  return Run(settings, base, queries).All();
}

}  // namespace varve::churn
