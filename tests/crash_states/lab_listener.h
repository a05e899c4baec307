// Hears what a collection tells in the background.
#ifndef VARVE_TESTS_CRASH_STATES_LAB_LISTENER_H_
#define VARVE_TESTS_CRASH_STATES_LAB_LISTENER_H_

#include <atomic>

#include "tests/crash_states/lab.h"
#include "varve/event_listener.h"

namespace varve::testing {

class Lab::Listener final : public EventListener {
 public:
  void OnBackgroundError(const BackgroundErrorInfo& /*info*/) override { told = true; }
  std::atomic<bool> told{false};
};

}  // namespace varve::testing

#endif  // VARVE_TESTS_CRASH_STATES_LAB_LISTENER_H_
