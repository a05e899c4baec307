// How many rows of a segment have expired but are not dead: what a merge could drop besides. Found by a pass over the
// segment's expiry times, and remembered for a while.
#ifndef VARVE_ENGINE_BACKGROUND_EXPIRY_COUNTER_H_
#define VARVE_ENGINE_BACKGROUND_EXPIRY_COUNTER_H_

#include <cstdint>
#include <map>

#include "engine/version/read_view.h"

namespace varve {

// Thread-compatible.
class ExpiryCounter {
 public:
  // Rows of `part` that are expired at `now_ms` and not dead by its bitmap. A count is used again for half a minute. A
  // segment that cannot be read counts none: whoever reads it next says why.
  uint64_t Expired(const SegmentPart& part, int64_t now_ms);
  // Whether any segment of the view has rows that expire some day.
  static bool HasExpiring(const ReadView& view);
  // Forgets segments that are not in the view.
  void Forget(const ReadView& view);

 private:
  struct Count {
    int64_t at_ms = 0;
    uint64_t expired = 0;
  };
  std::map<FileId, Count> counts_;
};

}  // namespace varve

#endif  // VARVE_ENGINE_BACKGROUND_EXPIRY_COUNTER_H_
