// What listeners hear, in which order, and that they may read while they listen.
#include <atomic>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "tests/support/collection_fixture.h"
#include "varve/event_listener.h"
#include "varve/executor.h"
#include "varve/fault_file_system.h"

namespace varve::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Keeps everything. Thread-safe.
class Recorder final : public EventListener {
 public:
  std::vector<std::string> Take() {
    absl::MutexLock lock(&mutex_);
    return std::exchange(names_, {});
  }
  // Run within every callback.
  std::function<void()> inside;
  std::function<void()> on_stall;

  std::vector<FlushInfo> flushes;
  std::vector<MergeInfo> merges;
  std::vector<IndexBuildInfo> builds;
  std::vector<IndexBuildInfo> progress;
  std::vector<StallInfo> stalls;
  std::vector<CorruptionInfo> corruptions;
  std::vector<SyncInfo> syncs;
  std::vector<BackgroundErrorInfo> errors;
  std::vector<SlowSearchInfo> slow;

  void OnFlushBegin(const FlushInfo&) override { Note("flush begins"); }
  void OnFlushEnd(const FlushInfo& info) override { Keep("flush ends", info, &flushes); }
  void OnMergeBegin(const MergeInfo&) override { Note("merge begins"); }
  void OnMergeEnd(const MergeInfo& info) override { Keep("merge ends", info, &merges); }
  void OnIndexBuildBegin(const IndexBuildInfo&) override { Note("build begins"); }
  void OnIndexBuildProgress(const IndexBuildInfo& info) override {
    absl::MutexLock lock(&mutex_);
    progress.push_back(info);
  }
  void OnIndexBuildEnd(const IndexBuildInfo& info) override { Keep("build ends", info, &builds); }
  void OnStallBegin(const StallInfo&) override {
    Note("stall begins");
    if (on_stall) on_stall();
  }
  void OnStallEnd(const StallInfo& info) override { Keep("stall ends", info, &stalls); }
  void OnSync(const SyncInfo& info) override { Keep("sync", info, &syncs); }
  void OnCorruption(const CorruptionInfo& info) override { Keep("corruption", info, &corruptions); }
  void OnBackgroundError(const BackgroundErrorInfo& info) override { Keep("error", info, &errors); }
  void OnSlowSearch(const SlowSearchInfo& info) override { Keep("slow search", info, &slow); }

 private:
  void Note(const std::string& name) {
    {
      absl::MutexLock lock(&mutex_);
      names_.push_back(name);
    }
    if (inside) inside();
  }
  template <typename Info>
  void Keep(const std::string& name, const Info& info, std::vector<Info>* kept) {
    {
      absl::MutexLock lock(&mutex_);
      kept->push_back(info);
    }
    Note(name);
  }

  absl::Mutex mutex_;
  std::vector<std::string> names_ ABSL_GUARDED_BY(mutex_);
};

// Every look at it takes 100 microseconds. Thread-safe.
class TickingClock final : public Clock {
 public:
  int64_t WallMicros() override { return 1'700'000'000'000'000; }
  int64_t MonotonicMicros() override {
    ++looks;
    return micros_ += 100;
  }
  std::atomic<int> looks{0};

 private:
  std::atomic<int64_t> micros_{0};
};

// Keeps tasks until it is told to run them. Thread-safe.
class HeldExecutor final : public Executor {
 public:
  ~HeldExecutor() override {
    Release();
    for (std::thread& thread : threads_) thread.join();
  }
  void Schedule(std::function<void()> task) override {
    absl::MutexLock lock(&mutex_);
    if (released_) {
      threads_.emplace_back(std::move(task));
    } else {
      held_.push_back(std::move(task));
    }
  }
  int Concurrency() const override { return 1; }
  void Release() {
    absl::MutexLock lock(&mutex_);
    released_ = true;
    for (std::function<void()>& task : std::exchange(held_, {})) threads_.emplace_back(std::move(task));
  }

 private:
  absl::Mutex mutex_;
  bool released_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::function<void()>> held_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
};

class EventsTest : public CollectionTest {
 protected:
  EventsTest() { options_.listeners = {recorder_, nullptr}; }
  ~EventsTest() override {
    recorder_->inside = nullptr;
    collection_.reset();
  }
  absl::Status Put(int i) { return collection_->Put(MakeRecord("k" + std::to_string(i), {1, 2, 3, 4})); }

  const std::shared_ptr<Recorder> recorder_ = std::make_shared<Recorder>();
  // For tests that want them; the collection is closed before they go.
  HeldExecutor executor_;
  TickingClock ticking_;
  FaultFileSystem disk_{FileSystem::Default()};
};

TEST_F(EventsTest, SyncsAreToldOncePerWrite) {
  Create();
  ASSERT_OK(Put(0));
  const uint64_t size = collection_->Stats().log_bytes;
  ASSERT_OK(Put(1));
  ASSERT_OK(Put(2));
  EXPECT_THAT(recorder_->Take(), ElementsAre("sync", "sync", "sync"));
  EXPECT_EQ(recorder_->syncs[1].bytes + recorder_->syncs[2].bytes, collection_->Stats().log_bytes - size);
  EXPECT_EQ(recorder_->syncs[0].directory, path());
  EXPECT_EQ(recorder_->syncs[0].log, collection_->Stats().log_number);
  EXPECT_OK(recorder_->syncs[0].status);
}

TEST_F(EventsTest, AFlushIsToldFromBeginToEnd) {
  options_.sync = SyncMode::OnFlush();
  Create();
  for (int i = 0; i < 10; ++i) ASSERT_OK(Put(i));
  ASSERT_OK(collection_->Delete("", "k3"));
  const uint64_t memtable_bytes = collection_->Stats().memtable_bytes;
  EXPECT_THAT(recorder_->Take(), IsEmpty());

  ASSERT_OK_AND_ASSIGN(const MaintenanceResult result, collection_->Flush());

  EXPECT_THAT(recorder_->Take(), ElementsAre("sync", "flush begins", "build begins", "build ends", "flush ends"));
  ASSERT_THAT(recorder_->flushes, SizeIs(1));
  const FlushInfo& flush = recorder_->flushes[0];
  EXPECT_EQ(flush.directory, path());
  EXPECT_EQ(flush.memtable_rows, 10u);
  EXPECT_EQ(flush.memtable_bytes, memtable_bytes);
  EXPECT_EQ(flush.rows, 9u);
  EXPECT_THAT(result.segments_added, ElementsAre(flush.segment));
  EXPECT_EQ(flush.bytes, collection_->Stats().segments[0].bytes);
  EXPECT_OK(flush.status);
  const IndexBuildInfo& build = recorder_->builds[0];
  EXPECT_EQ(build.segment, flush.segment);
  EXPECT_EQ(build.field, "vector");
  EXPECT_EQ(build.index, IndexType::kFlat);
  EXPECT_EQ(build.done, 9u);
  EXPECT_EQ(build.of, 9u);
}

TEST_F(EventsTest, AMergeIsToldFromBeginToEnd) {
  Create();
  for (int segment = 0; segment < 3; ++segment) {
    for (int i = 0; i < 10; ++i) ASSERT_OK(Put(5 * segment + i));
    ASSERT_OK(collection_->Flush());
  }
  uint64_t bytes = 0;
  std::vector<FileId> inputs;
  for (const SegmentInfo& segment : collection_->Stats().segments) {
    bytes += segment.bytes;
    inputs.push_back(segment.id);
  }
  (void)recorder_->Take();

  ASSERT_OK_AND_ASSIGN(const MaintenanceResult result, collection_->Merge(/*full=*/true));

  EXPECT_THAT(recorder_->Take(), ElementsAre("merge begins", "build begins", "build ends", "merge ends"));
  ASSERT_THAT(recorder_->merges, SizeIs(1));
  const MergeInfo& merge = recorder_->merges[0];
  EXPECT_EQ(merge.inputs, inputs);
  EXPECT_EQ(merge.rows_in, 30u);
  EXPECT_EQ(merge.bytes_in, bytes);
  EXPECT_EQ(merge.outputs, result.segments_added);
  EXPECT_EQ(merge.rows_out, 20u);
  EXPECT_EQ(merge.bytes_out, result.bytes_written);
  EXPECT_OK(merge.status);
}

TEST_F(EventsTest, AGraphBuildTellsItsProgress) {
  options_.threads = 1;
  options_.sync = SyncMode::OnFlush();
  Schema schema = Schema::SingleVector(kDimension, Metric::kL2);
  schema.fields[0].index.type = IndexType::kHnsw;
  Create(schema);
  Random random(1);
  for (int i = 0; i < 3000; ++i) {
    ASSERT_OK(collection_->Put(MakeRecord("k" + std::to_string(i), RandomVector(&random, kDimension, 1000))));
  }
  ASSERT_OK(collection_->Flush());
  ASSERT_FALSE(recorder_->progress.empty());
  EXPECT_LE(recorder_->progress.size(), 101u);
  uint64_t last = 0;
  for (const IndexBuildInfo& info : recorder_->progress) {
    EXPECT_GE(info.done, last);
    EXPECT_EQ(info.of, 3000u);
    EXPECT_EQ(info.index, IndexType::kHnsw);
    last = info.done;
  }
  EXPECT_EQ(last, 3000u);
}

TEST_F(EventsTest, AStallIsToldWhileItLasts) {
  options_.executor = &executor_;
  options_.memtable_bytes = 1 << 16;
  options_.max_frozen_memtables = 1;
  options_.sync = SyncMode::OnFlush();
  Create();
  std::string reason;
  recorder_->on_stall = [&] {
    reason = *collection_->GetProperty("varve.stall-reason");
    clock_.Advance(1'500);
    executor_.Release();
  };
  // The second memtable is begun while the first waits for its flush; the third record finds room in neither.
  for (const size_t bytes : {45'000, 26'000, 45'000}) {
    EXPECT_THAT(recorder_->stalls, IsEmpty());
    RecordInput record = MakeRecord("k" + std::to_string(bytes), {1, 2, 3, 4});
    record.payload = std::string(bytes, 'x');
    ASSERT_OK(collection_->Put(record));
  }
  ASSERT_THAT(recorder_->stalls, SizeIs(1));
  EXPECT_EQ(reason, "memtables");
  EXPECT_EQ(recorder_->stalls[0].reason, StallReason::kMemtables);
  EXPECT_EQ(recorder_->stalls[0].microseconds, 1'500);
  EXPECT_EQ(recorder_->stalls[0].directory, path());
  const std::vector<std::string> names = recorder_->Take();
  const auto begin = std::find(names.begin(), names.end(), "stall begins");
  const auto end = std::find(names.begin(), names.end(), "stall ends");
  EXPECT_NE(std::find(begin, end, "flush begins"), end) << "the flush that it waited for";
  EXPECT_EQ(collection_->Stats().stall_microseconds, 1'500u);
  EXPECT_THAT(collection_->MetricsText(),
              HasSubstr("varve_stall_seconds_total{collection=\"collection\",reason=\"memtables\"} 0.0015\n"));
  EXPECT_EQ(*collection_->GetProperty("varve.stall-reason"), "none");
}

TEST_F(EventsTest, ACallbackMayRead) {
  Create();
  std::atomic<int> reads{0};
  std::atomic<bool> closing{false};
  recorder_->inside = [&] {
    EXPECT_FALSE(collection_->MetricsText().empty());
    if (closing) return;  // then nothing else can be read
    EXPECT_OK(Search({1, 2, 3, 4}, 3));
    EXPECT_OK(collection_->Count());
    EXPECT_OK(collection_->GetSnapshot());
    ++reads;
  };
  for (int i = 0; i < 10; ++i) ASSERT_OK(Put(i));
  std::thread writer([&] {
    for (int i = 10; i < 200; ++i) ASSERT_OK(Put(i));
  });
  for (int i = 0; i < 5; ++i) ASSERT_OK(collection_->Merge(/*full=*/true));
  writer.join();
  closing = true;
  ASSERT_OK(collection_->Close());
  EXPECT_GT(reads.load(), 200);
}

TEST_F(EventsTest, ASlowSearchIsToldWithItsPlan) {
  options_.clock = &ticking_;
  options_.slow_search_microseconds = 100;
  Create();
  for (int i = 0; i < 10; ++i) ASSERT_OK(Put(i));
  ASSERT_OK(collection_->Flush());
  ASSERT_OK(Put(10));
  SearchRequest request;
  request.vector = VectorValue(std::vector<float>{1, 2, 3, 4});
  request.k = 3;
  request.params = {{"ef", 50}};

  ASSERT_OK_AND_ASSIGN(const SearchResult result, collection_->Search(request));

  EXPECT_THAT(result.parts, IsEmpty()) << "nobody asked for a profile";
  ASSERT_THAT(recorder_->slow, SizeIs(1));
  const SlowSearchInfo& slow = recorder_->slow[0];
  EXPECT_EQ(slow.directory, path());
  EXPECT_THAT(slow.fields, ElementsAre("vector"));
  EXPECT_EQ(slow.k, 3u);
  EXPECT_EQ(slow.params, request.params);
  EXPECT_FALSE(slow.exact);
  EXPECT_FALSE(slow.filtered);
  EXPECT_EQ(slow.distances, 11u);
  EXPECT_GE(slow.microseconds, 100);
  EXPECT_EQ(slow.plan, "1 FLAT (index), 1 MEMTABLE (scan)");
  EXPECT_THAT(slow.parts, SizeIs(2));
  EXPECT_OK(slow.status);
  EXPECT_THAT(collection_->MetricsText(), HasSubstr("varve_slow_searches_total{collection=\"collection\"} 1\n"));
}

TEST_F(EventsTest, SearchesThatAreFastEnoughAreNotTold) {
  options_.clock = &ticking_;
  options_.slow_search_microseconds = 1'000'000;
  Create();
  ASSERT_OK(Put(0));
  ASSERT_OK(Search({1, 2, 3, 4}, 1));
  EXPECT_THAT(recorder_->slow, IsEmpty());

  options_.slow_search_microseconds = 0;
  Reopen();
  const int before = ticking_.looks;
  ASSERT_OK(Search({1, 2, 3, 4}, 1));
  EXPECT_EQ(ticking_.looks - before, 2) << "off, a search looks at the clock when it begins and when it ends";
  EXPECT_THAT(recorder_->slow, IsEmpty());
}

class CorruptionTest : public EventsTest {
 protected:
  // Flips a bit of the first place where the segment holds `bytes`.
  void Flip(const std::string& file, const std::string& bytes) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    std::stringstream contents;
    contents << stream.rdbuf();
    const size_t place = contents.str().find(bytes);
    ASSERT_NE(place, std::string::npos);
    stream.seekp(static_cast<std::streamoff>(place));
    stream.put(static_cast<char>(bytes[0] ^ 1));
  }
  std::string FirstSegment() {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path() + "/segments")) names.insert(entry.path());
    return *names.begin();
  }
};

TEST_F(CorruptionTest, AFlippedByteIsToldWithItsFile) {
  Create();
  for (int i = 0; i < 10; ++i) ASSERT_OK(Put(i));
  ASSERT_OK(collection_->Flush());
  ASSERT_OK(Put(10));
  ASSERT_OK(collection_->Flush());
  collection_.reset();
  const std::string segment = FirstSegment();
  const float components[] = {1, 2, 3, 4};
  Flip(segment, std::string(reinterpret_cast<const char*>(components), sizeof(components)));
  Reopen();
  EXPECT_THAT(recorder_->corruptions, IsEmpty()) << "nobody has looked at the block yet";

  EXPECT_THAT(Search({1, 2, 3, 4}, 3), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(segment)));

  ASSERT_THAT(recorder_->corruptions, SizeIs(1));
  EXPECT_EQ(recorder_->corruptions[0].directory, path());
  EXPECT_EQ(recorder_->corruptions[0].file, segment);
  EXPECT_THAT(recorder_->corruptions[0].status, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("checksum")));
  EXPECT_EQ(collection_->Stats().corruptions, 1u);

  // A job that meets it tells both that its file is damaged and that it failed.
  (void)recorder_->Take();
  EXPECT_THAT(collection_->Merge(/*full=*/true), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(segment)));
  EXPECT_THAT(recorder_->Take(), AllOf(Contains("corruption"), Contains("error")));
  ASSERT_FALSE(recorder_->merges.empty());
  EXPECT_EQ(recorder_->merges.back().status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(recorder_->merges.back().outputs, IsEmpty());
  EXPECT_EQ(recorder_->errors.back().work, "merge");
  EXPECT_EQ(recorder_->corruptions.back().file, segment);
}

TEST_F(CorruptionTest, OpeningTellsWhatItFound) {
  Create();
  for (int i = 0; i < 10; ++i) ASSERT_OK(Put(i));
  ASSERT_OK(collection_->Flush());
  collection_.reset();
  const std::string segment = FirstSegment();
  std::filesystem::resize_file(segment, std::filesystem::file_size(segment) - 1);
  EXPECT_THAT(Collection::Open(path(), options_), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(segment)));
  ASSERT_THAT(recorder_->corruptions, SizeIs(1));
  EXPECT_EQ(recorder_->corruptions[0].file, segment);

  ReadOnlyOptions read_only;
  read_only.listeners = {recorder_};
  EXPECT_THAT(Collection::OpenReadOnly(path(), read_only), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(segment)));
  EXPECT_THAT(recorder_->corruptions, SizeIs(2));
}

TEST_F(CorruptionTest, AManifestThatWasReplacedIsTold) {
  Create();
  for (int i = 0; i < 10; ++i) ASSERT_OK(Put(i));
  ASSERT_OK(collection_->Flush());
  collection_.reset();
  std::ofstream(path() + "/manifest.json", std::ios::trunc) << "{";
  Reopen();
  ASSERT_THAT(recorder_->corruptions, SizeIs(1));
  EXPECT_EQ(recorder_->corruptions[0].file, path() + "/manifest.json");
  EXPECT_EQ(collection_->Stats().corruptions, 1u);
}

TEST_F(EventsTest, AFailedFlushIsABackgroundError) {
  options_.file_system = &disk_;
  Create();
  for (int i = 0; i < 10; ++i) ASSERT_OK(Put(i));
  disk_.SetRoom(100);
  EXPECT_FALSE(collection_->Flush().ok());
  ASSERT_FALSE(recorder_->errors.empty());
  EXPECT_EQ(recorder_->errors[0].work, "flush");
  EXPECT_EQ(recorder_->errors[0].directory, path());
  EXPECT_EQ(recorder_->errors[0].status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(recorder_->flushes[0].status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(recorder_->flushes[0].segment, 0u);
  disk_.SetRoom(int64_t{1} << 40);
  ASSERT_OK(collection_->Flush());
  EXPECT_THAT(collection_->MetricsText(), HasSubstr("varve_flushes_total{collection=\"collection\"} 1\n"));
}

TEST_F(EventsTest, ALogThatFailsIsToldOnce) {
  options_.file_system = &disk_;
  Create();
  ASSERT_OK(Put(0));
  disk_.Fail({.calls = {DiskCall::kSync}});
  EXPECT_FALSE(Put(1).ok());
  EXPECT_FALSE(Put(2).ok());
  EXPECT_THAT(recorder_->Take(), ElementsAre("sync", "sync", "error"));
  EXPECT_EQ(recorder_->syncs[1].status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(recorder_->syncs[1].bytes, 0u);
  ASSERT_THAT(recorder_->errors, SizeIs(1));
  EXPECT_EQ(recorder_->errors[0].work, "log");
}

}  // namespace
}  // namespace varve::testing
