// The names that Collection::GetProperty understands.
#ifndef VARVE_PROPERTIES_H_
#define VARVE_PROPERTIES_H_

#include <array>
#include <string_view>

namespace varve {

struct Property {
  std::string_view name;
  std::string_view meaning;
};

// Numbers are decimal. All of them cost about as much as Stats, which reads every overlay of deaths and every row of
// the memtables.
inline constexpr std::array kProperties = {
    Property{"varve.num-segments", "segments of the newest state"},
    Property{"varve.live-rows", "live rows of segments and memtables; expired ones count until they are reclaimed"},
    Property{"varve.dead-rows", "dead rows of segments, waiting for a merge"},
    Property{"varve.memtable-bytes", "bytes of all memtables"},
    Property{"varve.memtable-rows", "live rows of all memtables"},
    Property{"varve.frozen-memtables", "memtables waiting for their flush"},
    Property{"varve.disk-bytes", "bytes of segments, bitmaps and logs"},
    Property{"varve.log-bytes", "bytes of the log that takes the writes"},
    Property{"varve.last-sequence", "sequence of the newest write that readers see"},
    Property{"varve.durable-sequence", "largest sequence known to survive a loss of power"},
    Property{"varve.generation", "generation of the manifest"},
    Property{"varve.num-snapshots", "snapshots that live"},
    Property{"varve.oldest-snapshot-sequence", "sequence of the oldest snapshot; 0: there is none"},
    Property{"varve.held-memory-bytes", "bytes of memtables kept only by snapshots and readers of old states"},
    Property{"varve.held-file-bytes", "bytes of segments kept only by snapshots and readers of old states"},
    Property{"varve.stall-reason", "why writers are slowed or wait now: none, memtables, memory or segments"},
    Property{"varve.last-background-error", "failure of the last flush or background merge; empty: none"},
    Property{"varve.segments", "JSON array: id, rows, bytes, and the index of each field, of every segment"},
    Property{"varve.stats", "JSON object of all of CollectionStats"},
    Property{"varve.metrics", "Prometheus text, as MetricsText gives it"},
    Property{"varve.metrics-json", "JSON object of the same numbers"},
};

}  // namespace varve

#endif  // VARVE_PROPERTIES_H_
