#include "engine/version/manifest.h"

#include <google/protobuf/util/json_util.h>
#include <simdjson.h>

#include <array>
#include <charconv>
#include <utility>

#include "base/crc32c.h"
#include "base/publish.h"
#include "base/status.h"
#include "engine/version/file_names.h"
#include "engine/version/manifest_checks.h"

namespace varve {
namespace {

// The file begins `{"checksum":"xxxxxxxx",`; the checksum is over all bytes with these eight digits as zeros.
constexpr std::string_view kChecksumStart = R"({"checksum":")";
constexpr std::string_view kChecksumZeros = "00000000";
constexpr std::string_view kChecksumEnd = R"(",)";
constexpr size_t kPrefixBytes = kChecksumStart.size() + kChecksumZeros.size() + kChecksumEnd.size();
static_assert(kPrefixBytes == 23);

Crc32c ChecksumOf(std::string_view bytes) {
  Crc32c crc = ComputeCrc32c(kChecksumStart);
  crc = ExtendCrc32c(crc, kChecksumZeros);
  return ExtendCrc32c(crc, bytes.substr(kChecksumStart.size() + kChecksumZeros.size()));
}

absl::Status CheckChecksum(std::string_view bytes, std::string_view file) {
  if (bytes.size() > kMaxManifestBytes) {
    return DataLossAt(file, kMaxManifestBytes, "manifest longer than " + std::to_string(kMaxManifestBytes) + " bytes");
  }
  if (bytes.size() <= kPrefixBytes || !bytes.starts_with(kChecksumStart)) {
    return DataLossAt(file, 0, "a manifest begins with its checksum, this does not");
  }
  const absl::StatusOr<Crc32c> stored = Crc32cFromHex(bytes.substr(kChecksumStart.size(), kChecksumZeros.size()));
  if (!stored.ok()) return DataLossAt(file, kChecksumStart.size(), "the manifest's checksum is not hex digits");
  const Crc32c computed = ChecksumOf(bytes);
  if (*stored != computed) {
    return DataLossAt(file, kChecksumStart.size(),
                      "manifest checksum is " + Crc32cToHex(computed) + ", stored is " + Crc32cToHex(*stored));
  }
  // Implied by the checksum, since it is computed over the right prefix; but one that was made so is no manifest
  // either.
  if (bytes.substr(kPrefixBytes - kChecksumEnd.size(), kChecksumEnd.size()) != kChecksumEnd) {
    return DataLossAt(file, kPrefixBytes - kChecksumEnd.size(), "the manifest's checksum does not end its field");
  }
  return absl::OkStatus();
}

// A 64-bit number as proto3's JSON has it: a number, or a string of digits.
bool ReadNumber(simdjson::dom::element element, uint64_t* number) {
  if (element.get(*number) == simdjson::SUCCESS) return true;
  std::string_view text;
  if (element.get(text) != simdjson::SUCCESS) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

// Reads version and features whatever else the file holds, so that a manifest of a later build is refused as such and
// not as damaged.
absl::Status CheckReadable(std::string_view bytes, std::string_view file) {
  simdjson::dom::parser parser;
  simdjson::dom::object root;
  if (const auto error = parser.parse(bytes.data(), bytes.size()).get(root); error != simdjson::SUCCESS) {
    return DataLossAt(file, 0, std::string("manifest is no JSON object: ") + simdjson::error_message(error));
  }
  uint64_t version = 0;
  simdjson::dom::element element;
  if (root["version"].get(element) != simdjson::SUCCESS || !ReadNumber(element, &version)) {
    return DataLossAt(file, 0, "manifest has no version");
  }
  std::vector<std::string> features;
  simdjson::dom::array array;
  if (root["features_to_read"].get(array) == simdjson::SUCCESS) {
    for (const simdjson::dom::element item : array) {
      std::string_view feature;
      if (item.get(feature) == simdjson::SUCCESS) features.emplace_back(feature);
    }
  }
  return CheckManifestVersion(version, features, file);
}

// Writes and syncs `path`.tmp, ready to be renamed.
absl::Status WriteTemporary(FileSystem* fs, const std::string& path, std::string_view bytes) {
  ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, fs->CreateFile(path));
  RETURN_IF_ERROR(file->Append(bytes).status);
  RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

}  // namespace

absl::StatusOr<std::string> EncodeManifest(const pb::Manifest& manifest) {
  if (const absl::Status status = CheckManifest(manifest, kManifestName); !status.ok()) {
    return Internal("a manifest that no reader would take was to be written: " + std::string(status.message()));
  }
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = false;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(manifest, &json, options);
  if (!status.ok() || !json.starts_with('{')) return Internal("manifest does not print as JSON: " + status.ToString());

  std::string bytes;
  bytes.reserve(kPrefixBytes + json.size());
  bytes.append(kChecksumStart).append(kChecksumZeros).append(kChecksumEnd).append(json, 1);
  if (bytes.size() > kMaxManifestBytes) {
    return ResourceExhausted("manifest of " + std::to_string(bytes.size()) + " bytes: at most " +
                             std::to_string(kMaxManifestBytes));
  }
  bytes.replace(kChecksumStart.size(), kChecksumZeros.size(), Crc32cToHex(ChecksumOf(bytes)));
  return bytes;
}

absl::StatusOr<pb::Manifest> DecodeManifest(std::string_view bytes, std::string_view file) {
  RETURN_IF_ERROR(CheckChecksum(bytes, file));
  RETURN_IF_ERROR(CheckReadable(bytes, file));

  std::string json = "{";
  json.append(bytes.substr(kPrefixBytes));
  pb::Manifest manifest;
  google::protobuf::util::JsonParseOptions options;
  const auto strict = google::protobuf::util::JsonStringToMessage(json, &manifest, options);
  if (!strict.ok()) {
    // The checksum matched, so these are the bytes that were written. If leaving out what this build does not know
    // makes a manifest of it, then a later build wrote it.
    options.ignore_unknown_fields = true;
    pb::Manifest known;
    if (google::protobuf::util::JsonStringToMessage(json, &known, options).ok()) {
      return Unimplemented(std::string(file) + ": manifest holds what this build does not know: " + strict.ToString());
    }
    return DataLossAt(file, kPrefixBytes, "not a manifest: " + strict.ToString());
  }
  RETURN_IF_ERROR(CheckManifest(manifest, file));
  return manifest;
}

absl::StatusOr<pb::Manifest> ReadManifestFile(FileSystem* fs, const std::string& directory, std::string_view name) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(fs, JoinPath(directory, name), kMaxManifestBytes));
  return DecodeManifest(bytes, name);
}

ManifestPublication PublishManifest(FileSystem* fs, const std::string& directory, const pb::Manifest& manifest) {
  absl::StatusOr<std::string> bytes = EncodeManifest(manifest);
  if (!bytes.ok()) return {bytes.status(), /*may_be_visible=*/false};

  // Both files are written and synced before the first rename, so that want of space is found while nothing has
  // changed.
  const std::array<std::string, 2> paths = {JoinPath(directory, kManifestName),
                                            JoinPath(directory, kManifestBackupName)};
  for (const std::string& path : paths) {
    const absl::Status status = WriteTemporary(fs, path + std::string(kTemporarySuffix), *bytes);
    if (status.ok()) continue;
    for (const std::string& written : paths) {
      // As well as may be: what stays is found by its name at the next open.
      fs->RemoveFile(written + std::string(kTemporarySuffix)).IgnoreError();
    }
    return {status, /*may_be_visible=*/false};
  }
  for (const std::string& path : paths) {
    const absl::Status status = fs->Rename(path + std::string(kTemporarySuffix), path);
    if (!status.ok()) return {status, /*may_be_visible=*/true};
  }
  return {fs->SyncDirectory(directory), /*may_be_visible=*/true};
}

}  // namespace varve
