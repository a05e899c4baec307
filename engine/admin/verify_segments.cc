#include "engine/admin/verify_segments.h"

#include "base/status.h"
#include "engine/version/manifest_files.h"
#include "segment/deletion_bitmap.h"

namespace varve {
namespace {

// What the manifest's entry says of a segment that is good in itself.
void VerifyEntry(VerifyRun* run, const pb::Manifest& manifest, const pb::SegmentEntry& entry, const LiveSegment& live) {
  const pb::SegmentHeader& header = live.segment->header();
  const auto differ = [&](std::string_view what, uint64_t stated, uint64_t found) {
    if (stated == found) return;
    run->AddDamage(kManifestName, 0, "segments",
                   live.name + ": " + std::string(what) + " is stated as " + std::to_string(stated) + ", found " +
                       std::to_string(found));
  };
  const uint32_t dead = live.dead.Count();
  differ("rows", entry.rows(), live.segment->rows());
  differ("live_rows", entry.live_rows(), live.segment->rows() - dead);
  differ("smallest_sequence", entry.smallest_sequence(), header.smallest_sequence());
  differ("largest_sequence", entry.largest_sequence(), header.largest_sequence());
  differ("index_type", static_cast<uint64_t>(entry.index_type()), static_cast<uint64_t>(header.index_type()));
  differ("compression", static_cast<uint64_t>(entry.compression()), static_cast<uint64_t>(header.compression()));
  for (const pb::FieldIndex& index : header.fields()) {
    bool known = false;
    for (const pb::Field& field : manifest.config().fields()) {
      known = known || (field.id() == index.field_id() && field.dimension() == index.dimension());
    }
    if (!known) {
      run->AddDamage(live.name, 0, "header",
                     "field " + std::to_string(index.field_id()) + " is not one of the collection's schema");
    }
  }
}

absl::Status VerifyNamedSegment(VerifyRun* run, const pb::Manifest& manifest, const pb::SegmentEntry& entry,
                                std::vector<LiveSegment>* live) {
  LiveSegment one;
  one.name = SegmentName(entry.id());
  ASSIGN_OR_RETURN(const SegmentExpectation expected, ExpectSegment(manifest, entry));
  bool good = false;
  RETURN_IF_ERROR(VerifySegmentFile(run, one.name, expected, &good));
  std::optional<RowSet> dead;
  if (entry.has_bitmap()) {
    RETURN_IF_ERROR(VerifyBitmapFile(run, BitmapName(entry.id(), entry.bitmap().file_id()), &manifest, &entry, &dead));
    good = good && dead.has_value();
  }
  if (!good) return absl::OkStatus();
  // All segments are open at once for the checks across them.
  absl::StatusOr<std::shared_ptr<const Segment>> segment =
      Segment::Open(run->fs(), run->PathOf(one.name), expected, VerifyChecksums::kOnTouch, IoMode::kMapped);
  if (!segment.ok()) return run->AddStatus(one.name, segment.status());
  one.segment = *std::move(segment);
  one.dead = dead.has_value() ? *std::move(dead) : RowSet(one.segment->rows());
  if (one.dead.bound() != one.segment->rows()) return absl::OkStatus();  // VerifyBitmapFile has said so
  VerifyEntry(run, manifest, entry, one);
  live->push_back(std::move(one));
  return absl::OkStatus();
}

}  // namespace

absl::Status VerifyBitmapFile(VerifyRun* run, const std::string& name, const pb::Manifest* manifest,
                              const pb::SegmentEntry* entry, std::optional<RowSet>* dead) {
  const uint64_t before = run->damage_count();
  run->CountFile(name);
  absl::StatusOr<LoadedBitmap> bitmap = ReadDeletionBitmap(run->fs(), run->PathOf(name));
  if (!bitmap.ok()) return run->AddStatus(name, bitmap.status());
  if (bitmap->header.dead != bitmap->dead.Count()) {
    run->AddDamage(name, 0, "header", "the count of dead rows is not that of the rows listed");
  }
  if (entry != nullptr) {
    const auto differ = [&](std::string_view what) {
      run->AddDamage(name, 0, "header", std::string(what) + " is not what the manifest says");
    };
    if (bitmap->header.collection.ToHex() != manifest->collection_uuid()) differ("collection");
    if (bitmap->header.segment != entry->id()) differ("segment");
    if (bitmap->header.file_id != entry->bitmap().file_id()) differ("file id");
    if (bitmap->header.rows != entry->rows()) differ("number of rows");
    if (bitmap->header.dead != entry->bitmap().dead()) differ("number of dead rows");
    if (bitmap->header.durable_sequence > manifest->last_sequence()) differ("durable sequence");
    if (bitmap->bytes != entry->bitmap().length()) differ("length");
    if (Crc32cToHex(bitmap->crc) != entry->bitmap().crc()) differ("checksum");
  }
  if (run->damage_count() == before) *dead = std::move(bitmap->dead);
  return absl::OkStatus();
}

absl::Status VerifySegments(VerifyRun* run, const pb::Manifest& manifest) {
  std::vector<LiveSegment> live;
  uint64_t live_rows = 0;
  for (const pb::SegmentEntry& entry : manifest.segments()) {
    RETURN_IF_ERROR(VerifyNamedSegment(run, manifest, entry, &live));
    live_rows += entry.live_rows();
  }
  if (manifest.total_vectors() != live_rows) {
    run->AddDamage(kManifestName, 0, "total_vectors",
                   "stated as " + std::to_string(manifest.total_vectors()) + ", the segments have " +
                       std::to_string(live_rows) + " live rows");
  }
  for (const pb::QuantizerEpoch& epoch : manifest.quantizer_epochs()) {
    bool known = false;
    for (const pb::SegmentEntry& entry : manifest.segments()) known = known || entry.id() == epoch.segment();
    if (!known) {
      run->AddDamage(kManifestName, 0, "quantizer_epochs",
                     "segment " + std::to_string(epoch.segment()) + " is not one of the collection");
    }
  }
  return VerifyKeysLiveOnce(run, live);
}

}  // namespace varve
