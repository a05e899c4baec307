#include "base/thread_pool.h"

#include <atomic>
#include <numeric>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

TEST(ThreadPool, RunsEveryTaskBeforeItIsGone) {
  std::atomic<int> sum{0};
  {
    ThreadPool pool(3);
    EXPECT_EQ(pool.Concurrency(), 3);
    for (int i = 1; i <= 100; ++i) pool.Schedule([&sum, i] { sum += i; });
  }
  EXPECT_EQ(sum, 5050);
}

TEST(ThreadPool, RunsTasksAtOnceOnItsThreads) {
  // Each waits for the other: one thread alone would never come to an end.
  absl::Notification arrived[2];
  std::atomic<bool> elsewhere{true};
  const std::thread::id here = std::this_thread::get_id();
  {
    ThreadPool pool(2);
    for (size_t i = 0; i < 2; ++i) {
      pool.Schedule([&, i] {
        if (std::this_thread::get_id() == here) elsewhere = false;
        arrived[i].Notify();
        arrived[1 - i].WaitForNotification();
      });
    }
  }
  EXPECT_TRUE(elsewhere);
}

TEST(ThreadPool, OneThreadKeepsTheOrder) {
  std::vector<int> order;
  {
    ThreadPool pool(1);
    for (int i = 0; i < 50; ++i) pool.Schedule([&order, i] { order.push_back(i); });
  }
  std::vector<int> expected(50);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(order, expected);
}

TEST(ThreadPool, ATaskMayScheduleAnotherEvenAtTheEnd) {
  std::atomic<int> ran{0};
  {
    ThreadPool pool(2);
    pool.Schedule([&] {
      pool.Schedule([&] {
        ++ran;
        pool.Schedule([&] { ++ran; });
      });
      ++ran;
    });
  }
  EXPECT_EQ(ran, 3);
}

TEST(ThreadPool, HasAtLeastOneThread) {
  ThreadPool pool(0);
  EXPECT_EQ(pool.Concurrency(), 1);
  absl::Notification ran;
  pool.Schedule([&] { ran.Notify(); });
  ran.WaitForNotification();
}

TEST(ParallelFor, VisitsEveryIndexOnceInPiecesOfAtMostTheGrain) {
  for (const int workers : {1, 2, 5}) {
    for (const size_t count : {0u, 1u, 7u, 8u, 9u, 1000u}) {
      for (const size_t grain : {1u, 8u, 1'000'000u}) {
        std::vector<std::atomic<int>> visits(count);
        std::atomic<bool> pieces_fit{true};
        ParallelFor(workers, count, grain, [&](int worker, size_t first, size_t last) {
          if (worker < 0 || worker >= workers || first >= last || last - first > grain) pieces_fit = false;
          for (size_t i = first; i < last; ++i) ++visits[i];
        });
        EXPECT_TRUE(pieces_fit);
        for (const std::atomic<int>& visit : visits) ASSERT_EQ(visit, 1);
      }
    }
  }
}

TEST(ParallelFor, OneWorkerGoesInOrderOnTheCallingThread) {
  std::vector<size_t> firsts;
  const std::thread::id here = std::this_thread::get_id();
  ParallelFor(1, 10, 3, [&](int worker, size_t first, size_t) {
    EXPECT_EQ(worker, 0);
    EXPECT_EQ(std::this_thread::get_id(), here);
    firsts.push_back(first);
  });
  EXPECT_EQ(firsts, (std::vector<size_t>{0, 3, 6, 9}));
}

TEST(ParallelFor, NoWorkerNumberIsUsedTwiceAtOnce) {
  std::vector<std::atomic<int>> active(4);
  std::atomic<bool> alone{true};
  ParallelFor(4, 2000, 1, [&](int worker, size_t, size_t) {
    if (active[static_cast<size_t>(worker)].fetch_add(1) != 0) alone = false;
    active[static_cast<size_t>(worker)].fetch_sub(1);
  });
  EXPECT_TRUE(alone);
}

TEST(ParallelFor, WorkersRunAtOnce) {
  // Each waits for the other: one thread alone would never come to an end.
  absl::Notification arrived[2];
  ParallelFor(2, 2, 1, [&](int, size_t first, size_t) {
    arrived[first].Notify();
    arrived[1 - first].WaitForNotification();
  });
}

TEST(ParallelFor, TakesAGrainAndANumberOfWorkersThatMakeNoSense) {
  std::atomic<size_t> sum{0};
  ParallelFor(-1, 10, 0, [&](int, size_t first, size_t last) { sum += last - first; });
  EXPECT_EQ(sum, 10u);
}

}  // namespace
}  // namespace varve
