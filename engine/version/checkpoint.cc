#include "engine/version/checkpoint.h"

#include <limits>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/publish.h"
#include "base/status.h"
#include "engine/version/file_names.h"
#include "engine/version/manifest.h"
#include "engine/version/manifest_checks.h"

namespace varve {
namespace {

// [magic][format_version u32][payload length u64][varve.Checkpoint][CRC-32C of all before it]
constexpr std::string_view kMagic = "VCKP";
constexpr size_t kHeaderBytes = 4 + sizeof(uint32_t) + sizeof(uint64_t);
constexpr size_t kTrailerBytes = sizeof(uint32_t);

// A message in binary is not longer than in JSON, so that what fits a manifest fits here.
constexpr uint64_t kMaxCheckpointBytes = kMaxManifestBytes + kHeaderBytes + kTrailerBytes;
static_assert(kMaxCheckpointBytes <= std::numeric_limits<int>::max(), "protobuf counts in int");

// Whether the message holds fields, at any depth, that this build does not know.
bool HasUnknownFields(const pb::Checkpoint& checkpoint) {
  pb::Checkpoint known = checkpoint;
  known.DiscardUnknownFields();
  return known.ByteSizeLong() != checkpoint.ByteSizeLong();
}

absl::StatusOr<pb::Checkpoint> DecodeCheckpoint(std::string_view bytes, const std::string& path) {
  if (bytes.size() < kHeaderBytes + kTrailerBytes || !bytes.starts_with(kMagic)) {
    return DataLossAt(path, 0, "not a checkpoint: too short, or without its magic");
  }
  // The checksum first: it stands at the end in every version, and a damaged version number is damage.
  const size_t end = bytes.size() - kTrailerBytes;
  const auto stored = LoadUnaligned<Crc32c>(bytes.data() + end);
  const Crc32c computed = ComputeCrc32c(bytes.substr(0, end));
  if (stored != computed) {
    return DataLossAt(path, end,
                      "checkpoint checksum is " + Crc32cToHex(computed) + ", stored is " + Crc32cToHex(stored));
  }
  const auto version = LoadUnaligned<uint32_t>(bytes.data() + kMagic.size());
  if (version == 0) return DataLossAt(path, kMagic.size(), "checkpoint of version 0");
  if (version > kFormatVersion) {
    return Unimplemented(path + ": checkpoint of version " + std::to_string(version) + ": this build reads up to " +
                         std::to_string(kFormatVersion));
  }
  const auto length = LoadUnaligned<uint64_t>(bytes.data() + kMagic.size() + sizeof(version));
  if (length != end - kHeaderBytes) {
    return DataLossAt(
        path, kMagic.size() + sizeof(version),
        "payload length is " + std::to_string(length) + ", the file holds " + std::to_string(end - kHeaderBytes));
  }
  pb::Checkpoint checkpoint;
  if (!checkpoint.ParseFromArray(bytes.data() + kHeaderBytes, static_cast<int>(length))) {
    return DataLossAt(path, kHeaderBytes, "payload is no varve.Checkpoint");
  }
  RETURN_IF_ERROR(CheckManifest(checkpoint.manifest(), path));
  if (HasUnknownFields(checkpoint)) {
    return Unimplemented(path + ": checkpoint holds fields that this build does not know");
  }
  return checkpoint;
}

}  // namespace

absl::Status WriteCheckpoint(FileSystem* fs, const std::string& directory, FileId id,
                             const pb::Checkpoint& checkpoint) {
  const std::string path = JoinPath(directory, CheckpointName(id));
  if (checkpoint.manifest().checkpoint_id() != id) {
    return Internal(path + ": the manifest in it names checkpoint " +
                    std::to_string(checkpoint.manifest().checkpoint_id()));
  }
  if (const absl::Status status = CheckManifest(checkpoint.manifest(), path); !status.ok()) {
    return Internal("a checkpoint that no reader would take was to be written: " + std::string(status.message()));
  }
  const std::string payload = checkpoint.SerializeAsString();
  if (payload.size() > kMaxManifestBytes) {
    return ResourceExhausted(path + ": checkpoint of " + std::to_string(payload.size()) + " bytes: at most " +
                             std::to_string(kMaxManifestBytes));
  }
  ByteWriter writer;
  writer.Bytes(kMagic);
  writer.Fixed(kFormatVersion);
  writer.Fixed(uint64_t{payload.size()});
  writer.Bytes(payload);
  writer.Fixed(ComputeCrc32c(writer.str()));
  return PublishFile(fs, path, writer.str());
}

absl::StatusOr<pb::Checkpoint> ReadCheckpoint(FileSystem* fs, const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(fs, path, kMaxCheckpointBytes));
  return DecodeCheckpoint(bytes, path);
}

}  // namespace varve
