// How the engine's parts say what they do: one line where it happens counts it and tells the listeners. Each function
// must be called without locks that a read or Stats takes (event_listener.h).
#ifndef VARVE_ENGINE_OBSERVE_OBSERVER_H_
#define VARVE_ENGINE_OBSERVE_OBSERVER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/version/collection_state.h"
#include "varve/event_listener.h"

namespace varve {

// A read or a job came to an end: if it failed with DataLoss, that is counted and told. Gives the status back.
absl::Status ObserveDamage(const CollectionState& state, absl::Status status);
// The same for a state that could not even be made.
void ObserveDamage(const EventDispatcher& events, const std::string& directory, const absl::Status& status);
// Damage that was got over, such as a manifest that another file stood in for.
void ObserveRecovery(const CollectionState& state);

// `work` is a literal, as in BackgroundErrorInfo.
void ObserveBackgroundError(const CollectionState& state, std::string_view work, const absl::Status& status);

// Whether a search is restricted, by namespace or filter: what metrics and events call filtered.
bool IsFiltered(const SearchRequest& request);

// A search that took `micros`, at least the limit of the options. `parts` is how they were searched.
void ObserveSlowSearch(const CollectionState& state, const SearchRequest& request, int64_t micros, uint64_t distances,
                       std::vector<PartProfile> parts, const absl::Status& status);

// While one lives, a writer is slowed or waits. Thread-compatible.
class StallScope {
 public:
  StallScope(CollectionState* state, StallReason reason);
  ~StallScope();
  StallScope(const StallScope&) = delete;
  StallScope& operator=(const StallScope&) = delete;

 private:
  CollectionState* const state_;
  StallInfo info_;
  const int64_t start_us_;
};

// The path of the file in `directory` that a message names; empty if it names none.
std::string FileNamedIn(std::string_view message, const std::string& directory);

}  // namespace varve

#endif  // VARVE_ENGINE_OBSERVE_OBSERVER_H_
