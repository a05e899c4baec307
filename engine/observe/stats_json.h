// CollectionStats as JSON: for GetProperty and for the command. Every field has its own name.
#ifndef VARVE_ENGINE_OBSERVE_STATS_JSON_H_
#define VARVE_ENGINE_OBSERVE_STATS_JSON_H_

#include "base/json_writer.h"
#include "varve/stats.h"

namespace varve {

// Each writes one value.
void WriteStats(const CollectionStats& stats, JsonWriter* json);
void WriteSegments(const std::vector<SegmentInfo>& segments, JsonWriter* json);
void WriteRecovery(const RecoveryInfo& recovery, JsonWriter* json);

}  // namespace varve

#endif  // VARVE_ENGINE_OBSERVE_STATS_JSON_H_
