// A listener that calls what a test gives it, so that things can be made to happen in the middle of a job.
#ifndef VARVE_TESTS_SUPPORT_HOOK_LISTENER_H_
#define VARVE_TESTS_SUPPORT_HOOK_LISTENER_H_

#include <functional>

#include "varve/event_listener.h"

namespace varve::testing {

// To be filled before the collection is opened. As thread-safe as what it is given.
class HookListener final : public EventListener {
 public:
  std::function<void(const FlushInfo&)> flush_begin;
  std::function<void(const FlushInfo&)> flush_end;
  std::function<void(const MergeInfo&)> merge_begin;
  std::function<void(const MergeInfo&)> merge_end;
  std::function<void(const IndexBuildInfo&)> build_end;

  void OnFlushBegin(const FlushInfo& info) override { Call(flush_begin, info); }
  void OnFlushEnd(const FlushInfo& info) override { Call(flush_end, info); }
  void OnMergeBegin(const MergeInfo& info) override { Call(merge_begin, info); }
  void OnMergeEnd(const MergeInfo& info) override { Call(merge_end, info); }
  void OnIndexBuildEnd(const IndexBuildInfo& info) override { Call(build_end, info); }

 private:
  template <typename Info>
  static void Call(const std::function<void(const Info&)>& hook, const Info& info) {
    if (hook) hook(info);
  }
};

}  // namespace varve::testing

#endif  // VARVE_TESTS_SUPPORT_HOOK_LISTENER_H_
