// Opens what a manifest's entry names: the segment, and its deletion bitmap.
#ifndef VARVE_ENGINE_VERSION_PART_OPENER_H_
#define VARVE_ENGINE_VERSION_PART_OPENER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "engine/version/collection_state.h"
#include "engine/version/read_view.h"
#include "manifest.pb.h"

namespace varve {

// `open` is the segment if it is open already, else null. Errors: NotFound, DataLoss, Unimplemented.
absl::StatusOr<SegmentPart> OpenPart(const CollectionState& state, const pb::SegmentEntry& entry,
                                     std::shared_ptr<const SegmentHandle> open);

// The segment alone, opened anew: each block is checked when it is touched, whatever was checked before and whatever
// the options say. For those who copy what they read. Errors: as OpenPart.
absl::StatusOr<std::shared_ptr<const SegmentHandle>> OpenForCopying(const CollectionState& state,
                                                                    const pb::SegmentEntry& entry);

// For a salvage: the segment without its searchers, each block checked when it is touched; and the rows that the
// entry's bitmap, which it must have, lists as dead. Errors: as OpenPart.
absl::StatusOr<std::shared_ptr<const Segment>> OpenBareSegment(const CollectionState& state,
                                                               const pb::SegmentEntry& entry);
absl::StatusOr<std::shared_ptr<const RowSet>> OpenDeadRows(const CollectionState& state, const pb::SegmentEntry& entry);

}  // namespace varve

#endif  // VARVE_ENGINE_VERSION_PART_OPENER_H_
