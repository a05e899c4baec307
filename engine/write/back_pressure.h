// When writers are slowed and when they wait. The leader of a group asks before it commits: waiting holds up the
// writers behind it too.
#ifndef VARVE_ENGINE_WRITE_BACK_PRESSURE_H_
#define VARVE_ENGINE_WRITE_BACK_PRESSURE_H_

#include <cstddef>
#include <cstdint>

#include "varve/stats.h"

namespace varve {

// What the writers' speed is judged by.
struct WriteLoad {
  size_t frozen_memtables = 0;
  size_t max_frozen_memtables = 1;
  double memtable_fill = 0;  // 0 to 1, of the memtable that takes the writes
  size_t segments = 0;
  size_t max_segments = 32;
  bool merges_run = false;  // else waiting for them would be for ever
};

struct WriteDelay {
  StallReason reason = StallReason::kNone;
  int64_t microseconds = 0;  // to sleep before the group is committed
  bool wait = false;         // until the load is less
};

// A group is slowed by up to a millisecond while the second half of the last memtable fills that is not waiting for its
// flush; and, from the segments that are wanted on, by up to ten; from twice as many it waits. A pure function.
WriteDelay DelayFor(const WriteLoad& load);

}  // namespace varve

#endif  // VARVE_ENGINE_WRITE_BACK_PRESSURE_H_
