#include "engine/write/write_queue.h"

namespace varve {

absl::Status WriteQueue::Commit(PreparedBatch* batch, const WriteOptions& options) {
  Request request;
  request.batch = batch;
  request.options = options;
  absl::MutexLock lock(&mutex_);
  requests_.push_back(&request);
  while (!request.done && (busy_ || requests_.front() != &request)) request.wake.Wait(&mutex_);
  if (request.done) return request.status;

  busy_ = true;
  const std::vector<Request*> group = TakeGroup();
  mutex_.Unlock();
  commit_(group);
  mutex_.Lock();
  for (Request* member : group) {
    requests_.pop_front();
    member->done = true;
    if (member != &request) member->wake.Signal();
  }
  RunSteps();
  busy_ = false;
  WakeNext();
  return request.status;
}

std::vector<WriteQueue::Request*> WriteQueue::TakeGroup() {
  std::vector<Request*> group;
  size_t bytes = 0;
  for (Request* request : requests_) {
    // A namespace delete has no row of its own whose sequence could order it within a group: it goes alone.
    const bool alone = request->batch->deletes_namespace();
    if (!group.empty() && (alone || bytes + request->batch->bytes > max_group_bytes_)) break;
    group.push_back(request);
    bytes += request->batch->bytes;
    if (alone) break;
  }
  return group;
}

void WriteQueue::RunExclusive(const std::function<void()>& run) {
  Step step;
  step.run = &run;
  absl::MutexLock lock(&mutex_);
  steps_.push_back(&step);
  stalled_.SignalAll();
  while (!step.done && busy_) steps_changed_.Wait(&mutex_);
  if (step.done) return;
  busy_ = true;
  RunSteps();
  busy_ = false;
  WakeNext();
}

void WriteQueue::RunSteps() {
  while (!steps_.empty()) {
    Step* step = steps_.front();
    steps_.pop_front();
    mutex_.Unlock();
    (*step->run)();
    mutex_.Lock();
    step->done = true;
    steps_changed_.SignalAll();
  }
}

void WriteQueue::WakeNext() {
  if (!requests_.empty()) requests_.front()->wake.Signal();
  steps_changed_.SignalAll();
}

void WriteQueue::WaitRunningSteps(const std::function<bool()>& ready) {
  absl::MutexLock lock(&mutex_);
  for (;;) {
    RunSteps();
    mutex_.Unlock();
    const bool is_ready = ready();
    mutex_.Lock();
    if (is_ready) return;
    // The time-out covers a Poke between the question and the wait.
    if (steps_.empty()) stalled_.WaitWithTimeout(&mutex_, absl::Milliseconds(10));
  }
}

void WriteQueue::Poke() {
  absl::MutexLock lock(&mutex_);
  stalled_.SignalAll();
}

}  // namespace varve
