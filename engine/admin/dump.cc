#include "engine/admin/dump.h"

#include <google/protobuf/util/json_util.h>

#include <utility>

#include "base/status.h"
#include "engine/admin/dump_parts.h"
#include "engine/admin/file_type.h"
#include "engine/version/checkpoint.h"
#include "engine/version/manifest.h"

namespace varve {
namespace {

absl::Status DumpManifest(FileSystem* fs, const std::string& path, JsonWriter* json) {
  ASSIGN_OR_RETURN(pb::Manifest manifest, ReadManifestFile(fs, "", path));
  manifest.clear_log_secret();
  return AddMessage("manifest", manifest, json);
}

absl::Status DumpCheckpoint(FileSystem* fs, const std::string& path, JsonWriter* json) {
  ASSIGN_OR_RETURN(pb::Checkpoint checkpoint, ReadCheckpoint(fs, path));
  checkpoint.mutable_manifest()->clear_log_secret();
  return AddMessage("checkpoint", checkpoint, json);
}

}  // namespace

absl::Status AddMessage(std::string_view name, const google::protobuf::Message& message, JsonWriter* json) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (!status.ok()) return DataLoss(std::string(name) + " does not print as JSON: " + status.ToString());
  json->Key(name).Raw(text);
  return absl::OkStatus();
}

absl::StatusOr<std::string> DumpFile(const std::string& path, FileSystem* file_system) {
  FileSystem* fs = file_system != nullptr ? file_system : FileSystem::Default();
  ASSIGN_OR_RETURN(const FileInfo info, fs->Stat(path));
  if (info.is_directory) return FailedPrecondition(path + ": a directory: dump takes one file");
  ASSIGN_OR_RETURN(const StoredFileType type, TellFileType(fs, path));
  JsonWriter json;
  json.BeginObject().Member("file", path).Member("bytes", info.size);
  switch (type) {
    case StoredFileType::kSegment:
      json.Member("kind", "segment");
      RETURN_IF_ERROR(AddSegment(fs, path, &json));
      break;
    case StoredFileType::kBitmap:
      json.Member("kind", "deletion bitmap");
      RETURN_IF_ERROR(AddBitmap(fs, path, &json));
      break;
    case StoredFileType::kLog:
      json.Member("kind", "log");
      RETURN_IF_ERROR(AddLog(fs, path, &json));
      break;
    case StoredFileType::kCheckpoint:
      json.Member("kind", "checkpoint");
      RETURN_IF_ERROR(DumpCheckpoint(fs, path, &json));
      break;
    case StoredFileType::kManifest:
      json.Member("kind", "manifest");
      RETURN_IF_ERROR(DumpManifest(fs, path, &json));
      break;
  }
  return json.EndObject().Take();
}

}  // namespace varve
