#include "tests/crash_states/fault_groups.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "base/memory_file_system.h"
#include "tests/crash_states/lab.h"
#include "varve/collection.h"
#include "varve/crash_disk.h"

namespace varve::testing {
namespace {

constexpr int kFollowers = 4;
// The followers queue up meanwhile. Nobody can see that they do: where they come too late they are groups of their own.
constexpr std::chrono::milliseconds kPatience{2};

DiskFault FaultOf(int round) {
  constexpr std::array<int, 3> kErrors = {EIO, ENOSPC, EDQUOT};
  DiskFault fault;
  fault.calls = {round % 2 == 0 ? DiskCall::kSync : DiskCall::kWrite};
  fault.path_end = ".vwal";
  fault.skip = 1;  // the first is the leader's own
  fault.times = round % 4 < 2 ? 1 : DiskFault::kForever;
  fault.error = kErrors[static_cast<size_t>(round) % kErrors.size()];
  fault.partial = round % 3 == 0;
  return fault;
}

std::string Compare(const std::string& who, const absl::StatusOr<Content>& content,
                    const std::vector<std::string>& acknowledged, bool exactly) {
  if (!content.ok()) return who + ": " + content.status().ToString();
  for (const std::string& key : acknowledged) {
    if (!content->contains({"", key})) return who + ": " + key + " was acknowledged and is not there";
  }
  if (exactly && content->size() != acknowledged.size()) {
    return who + ": there are " + std::to_string(content->size()) + " records of " +
           std::to_string(acknowledged.size()) + " that were acknowledged";
  }
  return "";
}

}  // namespace

std::string TryGroup(int round, const Flaw* flaw) {
  const FlawScope scope(flaw);
  const std::unique_ptr<FileSystem> memory = NewMemoryFileSystem();
  FaultFileSystem disk(memory.get());
  std::atomic<bool> watching{false};
  std::atomic<bool> syncing{false};
  disk.OnCall([&](DiskCall call, const std::string& path) {
    if (!watching || call != DiskCall::kSync || !path.ends_with(".vwal") || syncing.exchange(true)) return;
    std::this_thread::sleep_for(kPatience);
  });
  Options options;
  options.file_system = &disk;
  options.background_merges = false;
  if (const absl::Status recorded = disk.Record(); !recorded.ok()) return recorded.ToString();
  absl::StatusOr<std::unique_ptr<Collection>> collection =
      Collection::Create("/c", Schema::SingleVector(4, Metric::kL2), options);
  if (!collection.ok()) return collection.status().ToString();
  std::vector<std::string> acknowledged{"first"};
  const auto put = [&](const std::string& key) { return (*collection)->Put(LabRecord("", key, 1)); };
  if (const absl::Status first = put("first"); !first.ok()) return first.ToString();

  disk.Fail(FaultOf(round));
  watching = true;
  std::array<absl::Status, kFollowers + 1> told;
  std::vector<std::thread> threads;
  threads.emplace_back([&] { told[0] = put("k0"); });
  while (!syncing) std::this_thread::yield();
  for (size_t i = 1; i <= kFollowers; ++i) {
    threads.emplace_back([&, i] { told[i] = put("k" + std::to_string(i)); });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < told.size(); ++i) {
    if (told[i].ok()) acknowledged.push_back("k" + std::to_string(i));
  }
  if (disk.failures() == 0) return "nothing failed";
  std::string complaint = Compare("readers", ReadContent(collection->get()), acknowledged, /*exactly=*/true);
  const DiskTrace trace = disk.trace();
  disk.StopAfter(0);
  collection->reset();
  if (!complaint.empty()) return complaint;
  absl::StatusOr<DiskImage> worst = CrashDisk(trace, trace.operations.size()).Build("none");
  if (!worst.ok()) return worst.status().ToString();
  ReadOnlyOptions read_only;
  read_only.file_system = worst->disk.get();
  const absl::StatusOr<std::unique_ptr<Collection>> reader = Collection::OpenReadOnly("/c", read_only);
  if (!reader.ok()) return "after a loss of power: " + reader.status().ToString();
  return Compare("after a loss of power", ReadContent(reader->get()), acknowledged, /*exactly=*/false);
}

}  // namespace varve::testing
