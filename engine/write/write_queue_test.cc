#include "engine/write/write_queue.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/status.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

PreparedBatch BatchOf(const std::string& key) {
  PreparedBatch batch;
  batch.operations.resize(1);
  batch.operations[0].key = key;
  batch.bytes = key.size();
  return batch;
}

TEST(WriteQueue, GivesEachBatchItsOwnStatus) {
  WriteQueue queue(1 << 20, [](absl::Span<WriteQueue::Request* const> group) {
    for (WriteQueue::Request* request : group) {
      request->status = request->batch->operations[0].key == "bad" ? Aborted("bad") : absl::OkStatus();
    }
  });
  PreparedBatch good = BatchOf("good");
  PreparedBatch bad = BatchOf("bad");
  EXPECT_OK(queue.Commit(&good, {}));
  EXPECT_TRUE(absl::IsAborted(queue.Commit(&bad, {})));
}

TEST(WriteQueue, CommitsOneGroupAtATimeAndEveryBatchOnce) {
  std::atomic<int> inside{0};
  std::atomic<int> overlaps{0};
  std::atomic<int> committed{0};
  WriteQueue queue(1 << 20, [&](absl::Span<WriteQueue::Request* const> group) {
    if (inside.fetch_add(1) != 0) ++overlaps;
    committed += static_cast<int>(group.size());
    inside.fetch_sub(1);
  });
  std::vector<std::thread> threads;
  std::atomic<int> steps{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        PreparedBatch batch = BatchOf(std::to_string(t) + "/" + std::to_string(i));
        ASSERT_OK(queue.Commit(&batch, {}));
        if (i % 50 == 0) {
          queue.RunExclusive([&] {
            if (inside.fetch_add(1) != 0) ++overlaps;
            ++steps;
            inside.fetch_sub(1);
          });
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(committed, 2000);
  EXPECT_EQ(steps, 40);
  EXPECT_EQ(overlaps, 0);
}

TEST(WriteQueue, AWaitingLeaderRunsTheStepsItWaitsFor) {
  std::atomic<bool> room{false};
  WriteQueue* self = nullptr;
  WriteQueue queue(
      1 << 20, [&](absl::Span<WriteQueue::Request* const>) { self->WaitRunningSteps([&] { return room.load(); }); });
  self = &queue;
  std::thread writer([&] {
    PreparedBatch batch = BatchOf("k");
    EXPECT_OK(queue.Commit(&batch, {}));
  });
  // The writer cannot go on before this step has run, and the step runs although the writer holds the queue.
  queue.RunExclusive([&] { room = true; });
  writer.join();
  EXPECT_TRUE(room);
}

TEST(WriteQueue, ANamespaceDeleteGoesAlone) {
  std::vector<size_t> sizes;
  std::atomic<bool> hold{true};
  WriteQueue queue(1 << 20, [&](absl::Span<WriteQueue::Request* const> group) {
    for (const WriteQueue::Request* request : group) {
      if (request->batch->deletes_namespace()) {
        EXPECT_EQ(group.size(), 1u);
      }
    }
    sizes.push_back(group.size());
    while (hold.load()) std::this_thread::yield();
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      PreparedBatch batch = BatchOf("k");
      if (i % 2 == 1) batch.operations[0].kind = WriteBatch::Kind::kDeleteNamespace;
      EXPECT_OK(queue.Commit(&batch, {}));
    });
  }
  hold = false;
  for (std::thread& thread : threads) thread.join();
  size_t total = 0;
  for (size_t size : sizes) total += size;
  EXPECT_EQ(total, 6u);
}

}  // namespace
}  // namespace varve
