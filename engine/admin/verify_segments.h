// verify: segments and deletion bitmaps, and what they say of each other.
#ifndef VARVE_ENGINE_ADMIN_VERIFY_SEGMENTS_H_
#define VARVE_ENGINE_ADMIN_VERIFY_SEGMENTS_H_

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/row_set.h"
#include "engine/admin/verify_run.h"
#include "manifest.pb.h"
#include "segment/segment.h"

namespace varve {

// A segment as a manifest names it, open: its bytes can be read even if a live writer removes the file.
struct NamedSegment {
  std::string name;
  pb::SegmentEntry entry;
  std::shared_ptr<const Segment> segment;  // null: the report says why
  RowSet dead;                             // as its bitmap says; of the segment's rows if `sound`
  bool sound = false;                      // nothing has been found against it or its bitmap
};

// Opens all segments of the manifest but those whose names are in `known`, and reads their bitmaps.
absl::StatusOr<std::vector<NamedSegment>> OpenNamedSegments(VerifyRun* run, const pb::Manifest& manifest,
                                                            const std::set<std::string>& known);

// Reads every byte of each segment and checks its structure; segments with findings are no longer sound.
void VerifySegments(VerifyRun* run, std::vector<NamedSegment>* segments);

// What the manifest states of its segments (counts, sequences, schema) against what is in them.
void VerifyEntries(VerifyRun* run, const pb::Manifest& manifest, const std::vector<NamedSegment>& segments);

// That no key is live in more than one of the sound segments (deaths that stand in the log alone are not looked at: a
// generation is consistent by itself). Costs a pass over the key tables.
absl::Status VerifyKeysLiveOnce(VerifyRun* run, const std::vector<NamedSegment>& segments);

// Opens a segment after reading the parts that opening touches. `expected` is what a manifest says of it, if one does.
absl::StatusOr<std::shared_ptr<const Segment>> OpenSegmentFile(VerifyRun* run, const std::string& name,
                                                               const std::optional<SegmentExpectation>& expected);

// Every byte of one segment and its structure: sections, rows, the index of each field.
void VerifySegment(VerifyRun* run, const std::string& name, const Segment& segment);

// Reads every byte of one deletion bitmap and compares it with the manifest's entry, if given. Sets *dead if nothing
// was found.
absl::Status VerifyBitmapFile(VerifyRun* run, const std::string& name, const pb::Manifest* manifest,
                              const pb::SegmentEntry* entry, std::optional<RowSet>* dead);

// A segment that no manifest names.
absl::Status VerifySegmentFile(VerifyRun* run, const std::string& name);

}  // namespace varve

#endif  // VARVE_ENGINE_ADMIN_VERIFY_SEGMENTS_H_
