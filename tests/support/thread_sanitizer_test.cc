// That a run under ThreadSanitizer would find a race of ours, and that it is quiet where the locks are right - which it
// knows only if it is told of Abseil's (thread_sanitizer_abseil.cc).
#include <cstdlib>
#include <functional>
#include <thread>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace varve::testing {
namespace {

constexpr int kRounds = 1000;

// The sanitizer knows what was ordered and what merely happened to come first, so that one access of each is enough.
void InTwoThreads(const std::function<void()>& one, const std::function<void()>& two) {
  std::thread other(one);
  two();
  other.join();
}

void WriteWithoutLock() {
  int value = 0;
  const auto write = [&] { ++value; };
  InTwoThreads(write, write);
}

void WriteUnderDifferentLocks() {
  int value = 0;
  absl::Mutex mutexes[2];
  const auto write = [&](int which) {
    absl::MutexLock lock(&mutexes[which]);
    ++value;
  };
  InTwoThreads([&] { write(0); }, [&] { write(1); });
}

void WriteUnderAReadersLock() {
  int value = 0;
  absl::Mutex mutex;
  const auto write = [&] {
    absl::ReaderMutexLock lock(&mutex);
    ++value;
  };
  InTwoThreads(write, write);
}

void LockInTwoOrders() {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // else some builds of Abseil abort first
  absl::Mutex mutexes[2];
  for (const int first : {0, 1}) {
    absl::MutexLock outer(&mutexes[first]);
    absl::MutexLock inner(&mutexes[1 - first]);
  }
}

void WriteUnderOneLock() {
  int value = 0;
  absl::Mutex mutex;
  const auto write = [&] {
    for (int i = 0; i < kRounds; ++i) {
      if (!mutex.TryLock()) mutex.Lock();
      ++value;
      mutex.Unlock();
    }
  };
  InTwoThreads(write, write);
}

// Each waits until it is its turn, so that every kind of wait happens.
void TakeTurns() {
  int turn = 0;
  absl::Mutex mutex;
  absl::CondVar changed;
  const auto play = [&](int me) {
    for (int i = 0; i < kRounds; ++i) {
      absl::MutexLock lock(&mutex);
      while (turn % 2 != me) {
        if (i % 3 == 0) changed.Wait(&mutex);
        if (i % 3 == 1) changed.WaitWithTimeout(&mutex, absl::Seconds(1));
        if (i % 3 == 2) changed.WaitWithDeadline(&mutex, absl::Now() + absl::Seconds(1));
      }
      ++turn;
      changed.SignalAll();
    }
  };
  InTwoThreads([&] { play(0); }, [&] { play(1); });
}

void ShareALock() {
  int value = 0;
  absl::Mutex mutex;
  const auto use = [&] {
    for (int i = 0; i < kRounds; ++i) {
      {
        absl::ReaderMutexLock lock(&mutex);
        if (value < 0) std::abort();
      }
      absl::MutexLock lock(&mutex);
      ++value;
    }
  };
  InTwoThreads(use, use);
}

void OrderByANotification() {
  for (int i = 0; i < kRounds / 10; ++i) {
    int value = 0;
    absl::Notification notified;
    const auto tell = [&] {
      value = 1;
      notified.Notify();
    };
    InTwoThreads(tell, [&] {
      notified.WaitForNotification();
      ++value;
    });
  }
}

// Whoever lets go last frees it.
void ShareAStatus() {
  for (int i = 0; i < kRounds; ++i) {
    absl::Status one(absl::StatusCode::kDataLoss, "a message that both read");
    absl::Status two = one;
    const auto read = [](absl::Status* status) {
      if (status->message().empty()) std::abort();
      *status = absl::OkStatus();
    };
    InTwoThreads([&] { read(&one); }, [&] { read(&two); });
  }
}

// Each runs in a process of its own, which ends with the sanitizer's verdict.
class ThreadSanitizer : public ::testing::Test {
 protected:
  void SetUp() override { ::testing::FLAGS_gtest_death_test_style = "threadsafe"; }

  static void Run(void (*what)()) {
    what();
    std::exit(0);
  }
  static void ExpectReport(void (*what)(), const char* report) {
    constexpr int kReported = 66;
    EXPECT_EXIT(Run(what), ::testing::ExitedWithCode(kReported), report);
  }
  static void ExpectQuiet(void (*what)()) { EXPECT_EXIT(Run(what), ::testing::ExitedWithCode(0), ""); }
};

TEST_F(ThreadSanitizer, ReportsWritesWithoutALock) { ExpectReport(WriteWithoutLock, "ThreadSanitizer: data race"); }

TEST_F(ThreadSanitizer, ReportsWritesUnderDifferentLocks) {
  ExpectReport(WriteUnderDifferentLocks, "ThreadSanitizer: data race");
}

TEST_F(ThreadSanitizer, ReportsWritesUnderAReadersLock) {
  ExpectReport(WriteUnderAReadersLock, "ThreadSanitizer: data race");
}

TEST_F(ThreadSanitizer, ReportsLocksTakenInTwoOrders) {
  ExpectReport(LockInTwoOrders, "ThreadSanitizer: lock-order-inversion");
}

TEST_F(ThreadSanitizer, IsQuietAboutWritesUnderOneLock) { ExpectQuiet(WriteUnderOneLock); }

TEST_F(ThreadSanitizer, IsQuietAboutWaits) { ExpectQuiet(TakeTurns); }

TEST_F(ThreadSanitizer, IsQuietAboutReadersThatShareALock) { ExpectQuiet(ShareALock); }

TEST_F(ThreadSanitizer, IsQuietAboutWhatANotificationOrders) { ExpectQuiet(OrderByANotification); }

TEST_F(ThreadSanitizer, IsQuietAboutASharedStatus) { ExpectQuiet(ShareAStatus); }

}  // namespace
}  // namespace varve::testing
