#include "varve/stats.h"

namespace varve {

std::string_view StallReasonName(StallReason reason) {
  switch (reason) {
    case StallReason::kNone:
      return "none";
    case StallReason::kMemtables:
      return "memtables";
    case StallReason::kMemory:
      return "memory";
    case StallReason::kSegments:
      return "segments";
  }
  return "none";
}

}  // namespace varve
