// Tells ThreadSanitizer of Abseil's locks and counts where Abseil comes ready-made, without the sanitizer. The
// functions that the library orders threads by are defined here again, in front of those of the shared library, and
// most call the library's between the two calls that the sanitizer wants to hear. Without this every lock would be
// invisible, and whatever one guards a race. (An Abseil that is built with us is instrumented and tells by itself; then
// this is not linked.) thread_sanitizer_test.cc shows that nothing is missed or made up thereby.
//
// What happens inside the library's functions is not looked at, the conditions of LockWhen included. A signal makes no
// order by itself: only the mutex does. Await and its kin are not told of; nothing here uses them.
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include <atomic>
#include <string>

#include "absl/base/config.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "base/check.h"

#define VARVE_NAME_OF(name) #name
#define VARVE_EXPANDED_NAME_OF(name) VARVE_NAME_OF(name)

namespace {

// One of the library's functions, found by its mangled name: `prefix` comes before the version's namespace, `tail`
// after.
template <typename Result, typename... Arguments>
class Real {
 public:
  constexpr explicit Real(const char* tail, const char* prefix = "_ZN4absl") : prefix_(prefix), tail_(tail) {}
  Result operator()(Arguments... arguments) { return Find()(arguments...); }
  // Looked up outside of what the sanitizer is told.
  auto Find() -> Result (*)(Arguments...) {
    using Function = Result (*)(Arguments...);
    void* found = found_.load(std::memory_order_relaxed);
    if (found == nullptr) {
      const std::string version = VARVE_EXPANDED_NAME_OF(ABSL_OPTION_INLINE_NAMESPACE_NAME);
      const std::string name = prefix_ + std::to_string(version.size()) + version + tail_;
      found = ::dlsym(RTLD_NEXT, name.c_str());
      VARVE_CHECK(found != nullptr);
      found_.store(found, std::memory_order_relaxed);
    }
    return reinterpret_cast<Function>(found);
  }

 private:
  const char* const prefix_;
  const char* const tail_;
  std::atomic<void*> found_{nullptr};
};

using absl::Condition;
using absl::CondVar;
using absl::Mutex;

constinit Real<void, Mutex*> real_destroy("5MutexD1Ev");
constinit Real<void, Mutex*> real_lock("5Mutex4LockEv");
constinit Real<void, Mutex*> real_unlock("5Mutex6UnlockEv");
constinit Real<bool, Mutex*> real_try_lock("5Mutex7TryLockEv");
constinit Real<void, Mutex*> real_reader_lock("5Mutex10ReaderLockEv");
constinit Real<void, Mutex*> real_reader_unlock("5Mutex12ReaderUnlockEv");
constinit Real<bool, Mutex*> real_reader_try_lock("5Mutex13ReaderTryLockEv");
constinit Real<void, Mutex*, const Condition&> real_lock_when("5Mutex8LockWhenERKNS0_9ConditionE");
constinit Real<bool, Mutex*, const Condition&, absl::Duration> real_lock_when_with_timeout(
    "5Mutex19LockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE");
constinit Real<void, absl::Notification*> real_notify("12Notification6NotifyEv");
constinit Real<void, const absl::Notification*> real_wait_for_notification("12Notification19WaitForNotificationEv",
                                                                           "_ZNK4absl");
constinit Real<void, CondVar*, Mutex*> real_wait("7CondVar4WaitEPNS0_5MutexE");
constinit Real<bool, CondVar*, Mutex*, absl::Duration> real_wait_with_timeout(
    "7CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE");
constinit Real<bool, CondVar*, Mutex*, absl::Time> real_wait_with_deadline(
    "7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE");

constexpr unsigned kRead = __tsan_mutex_read_lock;
constexpr unsigned kTry = __tsan_mutex_try_lock;

// The library's functions call each other; the sanitizer is told of the outermost alone.
class Outermost {
 public:
  Outermost() : is_(depth_++ == 0) {}
  Outermost(const Outermost&) = delete;
  Outermost& operator=(const Outermost&) = delete;
  ~Outermost() { --depth_; }
  explicit operator bool() const { return is_; }

 private:
  static thread_local int depth_;
  const bool is_;
};
thread_local int Outermost::depth_ = 0;

// The mutex changes hands while one of these lives: the sanitizer looks away until its end.
class Acquiring {
 public:
  Acquiring(Mutex* mutex, unsigned flags) : mutex_(mutex), flags_(flags) {
    if (outermost_) __tsan_mutex_pre_lock(mutex_, flags_);
  }
  Acquiring(const Acquiring&) = delete;
  Acquiring& operator=(const Acquiring&) = delete;
  ~Acquiring() {
    if (outermost_) __tsan_mutex_post_lock(mutex_, flags_, 0);
  }
  bool Tried(bool succeeded) {
    if (!succeeded) flags_ |= __tsan_mutex_try_lock_failed;
    return succeeded;
  }

 private:
  const Outermost outermost_;
  Mutex* const mutex_;
  unsigned flags_;
};

class Releasing {
 public:
  Releasing(Mutex* mutex, unsigned flags) : mutex_(mutex), flags_(flags) {
    if (outermost_) __tsan_mutex_pre_unlock(mutex_, flags_);
  }
  Releasing(const Releasing&) = delete;
  Releasing& operator=(const Releasing&) = delete;
  ~Releasing() {
    if (outermost_) __tsan_mutex_post_unlock(mutex_, flags_);
  }

 private:
  const Outermost outermost_;
  Mutex* const mutex_;
  const unsigned flags_;
};

template <typename Function, typename... Arguments>
auto AcquireBy(Function& function, Mutex* mutex, unsigned flags, Arguments&&... arguments) {
  (void)function.Find();
  const Acquiring acquiring(mutex, flags);
  return function(mutex, arguments...);
}

// A wait lets go of the mutex and takes it again.
template <typename Function, typename... Arguments>
auto WaitBy(Function& function, CondVar* variable, Mutex* mutex, Arguments&&... arguments) {
  (void)function.Find();
  { const Releasing releasing(mutex, 0); }
  const Acquiring acquiring(mutex, 0);
  return function(variable, mutex, arguments...);
}

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN

Mutex::~Mutex() {
  (void)real_destroy.Find();
  __tsan_mutex_destroy(this, 0);
  real_destroy(this);
}

void Mutex::Lock() { AcquireBy(real_lock, this, 0); }
void Mutex::ReaderLock() { AcquireBy(real_reader_lock, this, kRead); }
void Mutex::LockWhen(const Condition& condition) { AcquireBy(real_lock_when, this, 0, condition); }
bool Mutex::LockWhenWithTimeout(const Condition& condition, Duration timeout) {
  return AcquireBy(real_lock_when_with_timeout, this, 0, condition, timeout);
}

bool Mutex::TryLock() {
  (void)real_try_lock.Find();
  Acquiring acquiring(this, kTry);
  return acquiring.Tried(real_try_lock(this));
}
bool Mutex::ReaderTryLock() {
  (void)real_reader_try_lock.Find();
  Acquiring acquiring(this, kTry | kRead);
  return acquiring.Tried(real_reader_try_lock(this));
}

void Mutex::Unlock() {
  (void)real_unlock.Find();
  const Releasing releasing(this, 0);
  real_unlock(this);
}
void Mutex::ReaderUnlock() {
  (void)real_reader_unlock.Find();
  const Releasing releasing(this, kRead);
  real_reader_unlock(this);
}

void CondVar::Wait(Mutex* mutex) { WaitBy(real_wait, this, mutex); }
bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  return WaitBy(real_wait_with_timeout, this, mutex, timeout);
}
bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  return WaitBy(real_wait_with_deadline, this, mutex, deadline);
}

// Who waits may learn of it from an atomic alone, inside the library.
void Notification::Notify() {
  __tsan_release(this);
  real_notify(this);
}
void Notification::WaitForNotification() const {
  real_wait_for_notification(this);
  __tsan_acquire(const_cast<Notification*>(this));
}

// The count of a status that threads share orders its last reader before the one who frees it.
void Status::UnrefNonInlined(uintptr_t rep) {
  status_internal::StatusRep* shared = RepToPointer(rep);
  if (shared->ref.fetch_sub(1, std::memory_order_acq_rel) == 1) delete shared;
}

ABSL_NAMESPACE_END
}  // namespace absl
