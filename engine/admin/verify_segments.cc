#include "engine/admin/verify_segments.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "engine/version/manifest_files.h"
#include "segment/deletion_bitmap.h"

namespace varve {
namespace {

// What the manifest's entry says of a segment that is good in itself.
void VerifyEntry(VerifyRun* run, const pb::Manifest& manifest, const NamedSegment& named) {
  const pb::SegmentEntry& entry = named.entry;
  const pb::SegmentHeader& header = named.segment->header();
  const auto differ = [&](std::string_view what, uint64_t stated, uint64_t found) {
    if (stated == found) return;
    run->AddDamage(kManifestName, 0, "segments",
                   named.name + ": " + std::string(what) + " is stated as " + std::to_string(stated) + ", found " +
                       std::to_string(found));
  };
  const uint32_t dead = named.dead.Count();
  differ("live_rows", entry.live_rows(), named.segment->rows() - dead);
  // Of rows that were ingested the manifest alone says the sequence.
  const Sequence ingest = entry.ingest_sequence();
  differ("smallest_sequence", entry.smallest_sequence(), ingest != 0 ? ingest : header.smallest_sequence());
  differ("largest_sequence", entry.largest_sequence(), ingest != 0 ? ingest : header.largest_sequence());
  differ("index_type", static_cast<uint64_t>(entry.index_type()), static_cast<uint64_t>(header.index_type()));
  differ("compression", static_cast<uint64_t>(entry.compression()), static_cast<uint64_t>(header.compression()));
  for (const pb::FieldIndex& index : header.fields()) {
    bool known = false;
    for (const pb::Field& field : manifest.config().fields()) {
      known = known || (field.id() == index.field_id() && field.dimension() == index.dimension());
    }
    if (!known) {
      run->AddDamage(named.name, 0, "header",
                     "field " + std::to_string(index.field_id()) + " is not one of the collection's schema");
    }
  }
}

absl::Status OpenNamedSegment(VerifyRun* run, const pb::Manifest& manifest, NamedSegment* named) {
  run->CountFile(named->name);
  ASSIGN_OR_RETURN(const SegmentExpectation expected, ExpectSegment(manifest, named->entry));
  absl::StatusOr<std::shared_ptr<const Segment>> segment = OpenSegmentFile(run, named->name, expected);
  if (!segment.ok()) return run->AddStatus(named->name, segment.status());
  named->segment = *std::move(segment);
  named->dead = RowSet(named->segment->rows());
  named->sound = named->segment->rows() == named->entry.rows();
  if (!named->sound) {
    run->AddDamage(named->name, 0, "footer",
                   "has " + std::to_string(named->segment->rows()) + " rows, the manifest says " +
                       std::to_string(named->entry.rows()));
  }
  return absl::OkStatus();
}

absl::Status ReadNamedBitmap(VerifyRun* run, const pb::Manifest& manifest, const std::string& name,
                             NamedSegment* named) {
  std::optional<RowSet> dead;
  RETURN_IF_ERROR(VerifyBitmapFile(run, name, &manifest, &named->entry, &dead));
  if (dead.has_value() && named->segment != nullptr && dead->bound() == named->segment->rows()) {
    named->dead = *std::move(dead);
  } else {
    named->sound = false;
  }
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

absl::StatusOr<std::vector<NamedSegment>> OpenNamedSegments(VerifyRun* run, const pb::Manifest& manifest,
                                                            const std::set<std::string>& known) {
  std::vector<NamedSegment> segments;
  for (const pb::SegmentEntry& entry : manifest.segments()) {
    NamedSegment named;
    named.name = SegmentName(entry.id());
    named.entry = entry;
    if (!known.contains(named.name)) RETURN_IF_ERROR(OpenNamedSegment(run, manifest, &named));
    if (entry.has_bitmap()) {
      const std::string bitmap = BitmapName(entry.id(), entry.bitmap().file_id());
      if (!known.contains(bitmap)) RETURN_IF_ERROR(ReadNamedBitmap(run, manifest, bitmap, &named));
    }
    segments.push_back(std::move(named));
  }
  return segments;
}

void VerifySegments(VerifyRun* run, std::vector<NamedSegment>* segments) {
  for (NamedSegment& named : *segments) {
    if (named.segment == nullptr) continue;
    const uint64_t before = run->damage_count();
    VerifySegment(run, named.name, *named.segment);
    if (run->damage_count() != before) named.sound = false;
  }
}

void VerifyEntries(VerifyRun* run, const pb::Manifest& manifest, const std::vector<NamedSegment>& segments) {
  uint64_t live_rows = 0;
  for (const NamedSegment& named : segments) {
    live_rows += named.entry.live_rows();
    if (named.sound) VerifyEntry(run, manifest, named);
  }
  if (manifest.total_vectors() != live_rows) {
    run->AddDamage(kManifestName, 0, "total_vectors",
                   "stated as " + std::to_string(manifest.total_vectors()) + ", the segments have " +
                       std::to_string(live_rows) + " live rows");
  }
  for (const pb::QuantizerEpoch& epoch : manifest.quantizer_epochs()) {
    const bool known = std::any_of(manifest.segments().begin(), manifest.segments().end(),
                                   [&](const pb::SegmentEntry& entry) { return entry.id() == epoch.segment(); });
    if (!known) {
      run->AddDamage(kManifestName, 0, "quantizer_epochs",
                     "segment " + std::to_string(epoch.segment()) + " is not one of the collection");
    }
  }
}

}  // namespace varve
