// Hands events to the listeners of a collection, in the order in which these were given.
#ifndef VARVE_ENGINE_OBSERVE_EVENT_DISPATCHER_H_
#define VARVE_ENGINE_OBSERVE_EVENT_DISPATCHER_H_

#include <memory>
#include <utility>
#include <vector>

#include "varve/event_listener.h"

namespace varve {

// Thread-safe.
class EventDispatcher {
 public:
  explicit EventDispatcher(std::vector<std::shared_ptr<EventListener>> listeners) : listeners_(std::move(listeners)) {
    std::erase(listeners_, nullptr);
  }

  // Nobody listens: there is no need to put an event together.
  bool empty() const { return listeners_.empty(); }

  // Notify(&EventListener::OnFlushBegin, info). Must be called without locks that a read or Stats takes.
  template <typename Info>
  void Notify(void (EventListener::*callback)(const Info&), const Info& info) const {
    for (const std::shared_ptr<EventListener>& listener : listeners_) (listener.get()->*callback)(info);
  }

 private:
  std::vector<std::shared_ptr<EventListener>> listeners_;
};

}  // namespace varve

#endif  // VARVE_ENGINE_OBSERVE_EVENT_DISPATCHER_H_
