#include "engine/version/manifest_checks.h"

#include "absl/container/flat_hash_set.h"
#include "base/status.h"
#include "varve/types.h"

namespace varve {
namespace {

bool IsLowerHex(std::string_view text, size_t digits) {
  if (text.size() != digits) return false;
  for (const char c : text) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

constexpr size_t kUuidDigits = 32;
constexpr size_t kCrcDigits = 8;

class ManifestChecker {
 public:
  ManifestChecker(const pb::Manifest& manifest, std::string_view file) : manifest_(manifest), file_(file) {}

  absl::Status Check() {
    const std::vector<std::string> features(manifest_.features_to_read().begin(), manifest_.features_to_read().end());
    RETURN_IF_ERROR(CheckManifestVersion(manifest_.version(), features, file_));
    RETURN_IF_ERROR(CheckNames());
    RETURN_IF_ERROR(CheckSequences());
    if (manifest_.checkpoint_id() != 0) RETURN_IF_ERROR(TakeFileId("checkpoint_id", manifest_.checkpoint_id()));
    RETURN_IF_ERROR(CheckBelowNext("durable_log", manifest_.durable_log()));
    RETURN_IF_ERROR(CheckBelowNext("closed_log", manifest_.closed_log().number()));
    for (const pb::SegmentEntry& segment : manifest_.segments()) RETURN_IF_ERROR(CheckSegment(segment));
    for (const pb::QuantizerEpoch& epoch : manifest_.quantizer_epochs()) {
      if (!IsLowerHex(epoch.crc(), kCrcDigits)) return Damaged("a quantiser epoch's crc is not eight hex digits");
    }
    return CheckEnumerator("index_type", manifest_.index_type(), pb::IndexType_IsValid(manifest_.index_type()));
  }

 private:
  absl::Status Damaged(const std::string& what) const { return DataLoss(std::string(file_) + ": manifest: " + what); }

  absl::Status CheckEnumerator(const std::string& what, int value, bool valid) const {
    if (valid) return absl::OkStatus();
    return Unimplemented(std::string(file_) + ": manifest: unknown " + what + " " + std::to_string(value));
  }

  absl::Status CheckNames() const {
    if (!IsLowerHex(manifest_.collection_uuid(), kUuidDigits)) return Damaged("collection_uuid is not 32 hex digits");
    // The secret itself is never shown.
    if (!IsLowerHex(manifest_.log_secret(), kUuidDigits)) return Damaged("log_secret is not 32 hex digits");
    // A backup has no instance until it is opened for writing.
    if (!manifest_.instance().empty() && !IsLowerHex(manifest_.instance(), kUuidDigits)) {
      return Damaged("instance is not 32 hex digits");
    }
    if (manifest_.generation() == 0) return Damaged("generation is 0");
    // Bounds that no writer comes near, and within which counting on and converting units cannot overflow.
    constexpr uint64_t kMaxCounter = uint64_t{1} << 62;
    constexpr int64_t kMaxMillis = int64_t{1} << 52;
    if (manifest_.generation() > kMaxCounter) return Damaged("generation is out of range");
    if (manifest_.next_file_id() > kMaxCounter) return Damaged("next_file_id is out of range");
    if (manifest_.clock_reading() < 0 || manifest_.clock_reading() > kMaxMillis) {
      return Damaged("clock_reading is out of range");
    }
    return absl::OkStatus();
  }

  absl::Status CheckSequences() const {
    const Sequence last = manifest_.last_sequence();
    const auto beyond = [&](const char* what, Sequence sequence) {
      return Damaged(std::string(what) + " " + std::to_string(sequence) + " is above last_sequence " +
                     std::to_string(last));
    };
    if (manifest_.wal_sequence() > last) return beyond("wal_sequence", manifest_.wal_sequence());
    if (manifest_.durable_sequence() > last) return beyond("durable_sequence", manifest_.durable_sequence());
    if (manifest_.closed_log().last_sequence() > last) {
      return beyond("closed_log's last sequence", manifest_.closed_log().last_sequence());
    }
    return absl::OkStatus();
  }

  absl::Status CheckBelowNext(const std::string& what, FileId id) const {
    if (id < manifest_.next_file_id()) return absl::OkStatus();
    return Damaged(what + " " + std::to_string(id) + " is not below next_file_id " +
                   std::to_string(manifest_.next_file_id()));
  }

  // As CheckBelowNext, and a number belongs to one file only.
  absl::Status TakeFileId(const std::string& what, FileId id) {
    if (id == 0) return Damaged(what + " is 0");
    RETURN_IF_ERROR(CheckBelowNext(what, id));
    if (!ids_.insert(id).second) return Damaged(what + " " + std::to_string(id) + ": the number is given twice");
    return absl::OkStatus();
  }

  absl::Status CheckSegment(const pb::SegmentEntry& segment) {
    RETURN_IF_ERROR(TakeFileId("segment", segment.id()));
    const std::string what = "segment " + std::to_string(segment.id()) + ": ";
    RETURN_IF_ERROR(
        CheckEnumerator(what + "index_type", segment.index_type(), pb::IndexType_IsValid(segment.index_type())));
    RETURN_IF_ERROR(CheckEnumerator(what + "compression", segment.compression(),
                                    pb::CompressionType_IsValid(segment.compression())));
    if (segment.rows() > kMaxRowsPerSegment) return Damaged(what + "too many rows");
    if (segment.live_rows() > segment.rows()) return Damaged(what + "more live rows than rows");
    if (!IsLowerHex(segment.footer_crc(), kCrcDigits)) return Damaged(what + "footer_crc is not eight hex digits");
    if (segment.smallest_sequence() > segment.largest_sequence() ||
        segment.largest_sequence() > manifest_.last_sequence() ||
        segment.ingest_sequence() > manifest_.last_sequence()) {
      return Damaged(what + "sequences are not in order, or above last_sequence");
    }
    if (segment.has_bitmap()) {
      const pb::BitmapEntry& bitmap = segment.bitmap();
      RETURN_IF_ERROR(TakeFileId(what + "bitmap", bitmap.file_id()));
      if (!IsLowerHex(bitmap.crc(), kCrcDigits)) return Damaged(what + "bitmap's crc is not eight hex digits");
      if (bitmap.dead() > segment.rows()) return Damaged(what + "bitmap has more dead rows than there are rows");
    }
    if (segment.attachments_size() != 0) {
      return Unimplemented(std::string(file_) + ": manifest: " + what + "attachments are not built");
    }
    return absl::OkStatus();
  }

  const pb::Manifest& manifest_;
  const std::string_view file_;
  absl::flat_hash_set<FileId> ids_;
};

}  // namespace

absl::Status CheckManifestVersion(uint64_t version, const std::vector<std::string>& features_to_read,
                                  std::string_view file) {
  if (version == 0) return DataLoss(std::string(file) + ": manifest: version is 0");
  if (version > kFormatVersion) {
    return Unimplemented(std::string(file) + ": manifest of version " + std::to_string(version) +
                         ": this build reads up to " + std::to_string(kFormatVersion));
  }
  // Version 1 knows no features yet: whatever stands here is of a later build.
  if (!features_to_read.empty()) {
    return Unimplemented(std::string(file) + ": the collection needs the feature " + Quoted(features_to_read.front()) +
                         ", which this build does not have");
  }
  return absl::OkStatus();
}

absl::Status CheckManifest(const pb::Manifest& manifest, std::string_view file) {
  return ManifestChecker(manifest, file).Check();
}

}  // namespace varve
