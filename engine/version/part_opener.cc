#include "engine/version/part_opener.h"

#include <string>
#include <utility>

#include "base/publish.h"
#include "base/status.h"
#include "engine/version/file_names.h"
#include "segment/deletion_bitmap.h"

namespace varve {

absl::StatusOr<std::shared_ptr<const RowSet>> OpenDeadRows(const CollectionState& state,
                                                           const pb::SegmentEntry& entry) {
  const pb::BitmapEntry& named = entry.bitmap();
  const std::string path = JoinPath(state.directory, BitmapName(entry.id(), named.file_id()));
  ASSIGN_OR_RETURN(LoadedBitmap loaded, ReadDeletionBitmap(state.fs, path));
  const DeletionBitmapHeader& header = loaded.header;
  if (header.collection != state.uuid || header.segment != entry.id() || header.file_id != named.file_id() ||
      header.rows != entry.rows() || loaded.bytes != named.length() || Crc32cToHex(loaded.crc) != named.crc()) {
    return DataLoss(path + ": is not the deletion bitmap that the manifest names");
  }
  return std::make_shared<const RowSet>(std::move(loaded.dead));
}

namespace {

absl::StatusOr<std::shared_ptr<const Segment>> OpenFile(const CollectionState& state, const pb::SegmentEntry& entry,
                                                        VerifyChecksums verify) {
  SegmentExpectation expected;
  expected.collection = state.uuid;
  expected.id = entry.id();
  expected.bytes = entry.bytes();
  expected.ingest_sequence = entry.ingest_sequence();
  ASSIGN_OR_RETURN(expected.footer_crc, Crc32cFromHex(entry.footer_crc()));
  const std::string path = JoinPath(state.directory, SegmentName(entry.id()));
  ASSIGN_OR_RETURN(std::shared_ptr<const Segment> segment,
                   Segment::Open(state.fs, path, expected, verify, state.options.io));
  if (segment->rows() != entry.rows()) {
    return DataLoss(path + ": has " + std::to_string(segment->rows()) + " rows, the manifest says " +
                    std::to_string(entry.rows()));
  }
  return segment;
}

absl::StatusOr<std::shared_ptr<const SegmentHandle>> OpenSegment(const CollectionState& state,
                                                                 const pb::SegmentEntry& entry,
                                                                 VerifyChecksums verify) {
  ASSIGN_OR_RETURN(std::shared_ptr<const Segment> segment, OpenFile(state, entry, verify));
  return SegmentHandle::Make(std::move(segment), state.schema);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Segment>> OpenBareSegment(const CollectionState& state,
                                                               const pb::SegmentEntry& entry) {
  return OpenFile(state, entry, VerifyChecksums::kOnTouch);
}

absl::StatusOr<SegmentPart> OpenPart(const CollectionState& state, const pb::SegmentEntry& entry,
                                     std::shared_ptr<const SegmentHandle> open) {
  SegmentPart part;
  part.entry = entry;
  part.handle = std::move(open);
  if (part.handle == nullptr) {
    ASSIGN_OR_RETURN(part.handle, OpenSegment(state, entry, state.options.verify_checksums));
  }
  if (entry.has_bitmap()) {
    ASSIGN_OR_RETURN(part.dead, OpenDeadRows(state, entry));
  }
  part.deaths = std::make_shared<RowDeaths>(part.handle->rows(), state.budget);
  return part;
}

absl::StatusOr<std::shared_ptr<const SegmentHandle>> OpenForCopying(const CollectionState& state,
                                                                    const pb::SegmentEntry& entry) {
  return OpenSegment(state, entry, VerifyChecksums::kOnTouch);
}

}  // namespace varve
