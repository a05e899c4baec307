// verify: segments and deletion bitmaps, and what they say of each other.
#ifndef VARVE_ENGINE_ADMIN_VERIFY_SEGMENTS_H_
#define VARVE_ENGINE_ADMIN_VERIFY_SEGMENTS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/row_set.h"
#include "engine/admin/verify_run.h"
#include "manifest.pb.h"
#include "segment/segment.h"

namespace varve {

// A segment of the manifest that was found good, for the checks across segments.
struct LiveSegment {
  std::string name;
  std::shared_ptr<const Segment> segment;
  RowSet dead;
};

// Reads every byte of one segment file and checks its structure: sections, rows, index of each field. `expected` is
// what a manifest says of it, if one does. Sets *good if nothing was found. Errors: failures to read that are no
// damage.
absl::Status VerifySegmentFile(VerifyRun* run, const std::string& name,
                               const std::optional<SegmentExpectation>& expected, bool* good);

// Reads every byte of one deletion bitmap and compares it with the manifest's entry and the segment's row count, if
// given. Sets *dead if nothing was found.
absl::Status VerifyBitmapFile(VerifyRun* run, const std::string& name, const pb::Manifest* manifest,
                              const pb::SegmentEntry* entry, std::optional<RowSet>* dead);

// All segments and bitmaps of a manifest: each alone, its entry's counts and sequences, then that no key is live in two
// of them.
absl::Status VerifySegments(VerifyRun* run, const pb::Manifest& manifest);

// That no key is live in more than one of the segments (deaths that stand in the log alone are not looked at: a
// generation is consistent by itself). Costs a pass over the key tables.
absl::Status VerifyKeysLiveOnce(VerifyRun* run, const std::vector<LiveSegment>& segments);

}  // namespace varve

#endif  // VARVE_ENGINE_ADMIN_VERIFY_SEGMENTS_H_
