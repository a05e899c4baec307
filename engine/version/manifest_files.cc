#include "engine/version/manifest_files.h"

#include <algorithm>

#include "base/publish.h"
#include "base/status.h"
#include "segment/deletion_bitmap.h"

namespace varve {
namespace {

// Enough to see what is wrong; a directory that lost everything need not fill the screen.
constexpr size_t kMaxListed = 8;

bool IsFileMissingOrDamaged(const absl::Status& status) { return absl::IsNotFound(status) || absl::IsDataLoss(status); }

absl::Status CheckSegmentFile(FileSystem* fs, const std::string& directory, const pb::Manifest& manifest,
                              const pb::SegmentEntry& entry) {
  ASSIGN_OR_RETURN(const SegmentExpectation expected, ExpectSegment(manifest, entry));
  return Segment::Open(fs, JoinPath(directory, SegmentName(entry.id())), expected, VerifyChecksums::kOnTouch,
                       IoMode::kMapped)
      .status();
}

absl::Status CheckBitmapFile(FileSystem* fs, const std::string& directory, const pb::SegmentEntry& entry) {
  const std::string path = JoinPath(directory, BitmapName(entry.id(), entry.bitmap().file_id()));
  ASSIGN_OR_RETURN(const LoadedBitmap bitmap, ReadDeletionBitmap(fs, path));
  if (bitmap.bytes != entry.bitmap().length() || Crc32cToHex(bitmap.crc) != entry.bitmap().crc()) {
    return DataLossAt(path, 0, "length or checksum is not what the manifest says");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SegmentExpectation> ExpectSegment(const pb::Manifest& manifest, const pb::SegmentEntry& entry) {
  SegmentExpectation expected;
  ASSIGN_OR_RETURN(expected.collection, Uuid::FromHex(manifest.collection_uuid()));
  ASSIGN_OR_RETURN(expected.footer_crc, Crc32cFromHex(entry.footer_crc()));
  expected.id = entry.id();
  expected.bytes = entry.bytes();
  expected.ingest_sequence = entry.ingest_sequence();
  return expected;
}

absl::Status CheckNamedFiles(FileSystem* fs, const std::string& directory, const pb::Manifest& manifest) {
  std::string list;
  size_t bad = 0;
  const auto note = [&](const absl::Status& status) {
    if (++bad <= kMaxListed) list += (list.empty() ? "" : "; ") + std::string(status.message());
  };
  for (const pb::SegmentEntry& entry : manifest.segments()) {
    const absl::Status segment = CheckSegmentFile(fs, directory, manifest, entry);
    if (!segment.ok() && !IsFileMissingOrDamaged(segment)) return segment;
    if (!segment.ok()) note(segment);
    if (!entry.has_bitmap()) continue;
    const absl::Status bitmap = CheckBitmapFile(fs, directory, entry);
    if (!bitmap.ok() && !IsFileMissingOrDamaged(bitmap)) return bitmap;
    if (!bitmap.ok()) note(bitmap);
  }
  if (bad == 0) return absl::OkStatus();
  if (bad > kMaxListed) list += "; and " + std::to_string(bad - kMaxListed) + " more";
  return DataLoss(list);
}

absl::StatusOr<ReplayRequest> MakeReplayRequest(const std::string& directory,
                                                const std::vector<DirectoryEntry>& entries,
                                                const pb::Manifest& manifest) {
  ReplayRequest request;
  for (const DirectoryEntry& entry : entries) {
    if (entry.kind == FileKind::kLog) request.logs.push_back({entry.id, JoinPath(directory, entry.name)});
  }
  ASSIGN_OR_RETURN(request.collection, Uuid::FromHex(manifest.collection_uuid()));
  ASSIGN_OR_RETURN(request.secret, Uuid::FromHex(manifest.log_secret()));
  request.wal_sequence = manifest.wal_sequence();
  request.durable_sequence = manifest.durable_sequence();
  request.durable_log = manifest.durable_log();
  request.durable_offset = manifest.durable_offset();
  if (manifest.has_closed_log() && manifest.closed_log().number() != 0) {
    request.closed = LogEnd{.number = manifest.closed_log().number(),
                            .length = manifest.closed_log().length(),
                            .last_sequence = manifest.closed_log().last_sequence()};
  }
  return request;
}

}  // namespace varve
