// Where background work runs. Embedders may pass their own pool; base/thread_pool.h is ours.
#ifndef VARVE_EXECUTOR_H_
#define VARVE_EXECUTOR_H_

#include <functional>

namespace varve {

// Thread-safe.
class Executor {
 public:
  virtual ~Executor() = default;
  // Runs `task` some time later on another thread. Tasks may block on I/O.
  virtual void Schedule(std::function<void()> task) = 0;
  // How many tasks may run at once; at least 1.
  virtual int Concurrency() const = 0;
};

}  // namespace varve

#endif  // VARVE_EXECUTOR_H_
