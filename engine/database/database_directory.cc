#include "engine/database/database_directory.h"

#include <simdjson.h>

#include <algorithm>

#include "base/publish.h"
#include "base/seeded_bug.h"
#include "base/status.h"
#include "base/uuid.h"
#include "engine/version/file_names.h"
#include "engine/version/manifest.h"
#include "varve/database.h"

namespace varve {
namespace {

constexpr uint64_t kMaxMarkerBytes = 4096;
constexpr std::string_view kTrashPrefix = ".dropped-";

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

absl::Status ValidateCollectionName(std::string_view name) {
  const auto refuse = [&](const std::string& why) {
    return InvalidArgument("a collection cannot be called " + Quoted(name) + ": the name " + why);
  };
  if (name.empty()) return refuse("is empty");
  if (name.size() > kMaxCollectionNameBytes) {
    return refuse("has " + std::to_string(name.size()) + " bytes, expected at most " +
                  std::to_string(kMaxCollectionNameBytes));
  }
  if (name.find('/') != std::string_view::npos) return refuse("has a '/'");
  if (std::any_of(name.begin(), name.end(), IsControl)) return refuse("has a control character");
  if (name.front() == '.') return refuse("begins with '.'");
  if (name.ends_with(kTemporarySuffix)) return refuse("ends with " + std::string(kTemporarySuffix));
  if (name == kDatabaseMarkerName || name == kLockName) return refuse("is a file of the database");
  return absl::OkStatus();
}

absl::Status CheckDatabaseMarker(FileSystem* fs, const std::string& directory) {
  const std::string path = JoinPath(directory, kDatabaseMarkerName);
  ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(fs, path, kMaxMarkerBytes));
  simdjson::dom::parser parser;
  simdjson::dom::object root;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) {
    return DataLossAt(path, 0, "the database's marker is no JSON object");
  }
  uint64_t version = 0;
  if (root["version"].get(version) != simdjson::SUCCESS || version == 0) {
    return DataLossAt(path, 0, "the database's marker has no version");
  }
  if (version > kDatabaseVersion) {
    return Unimplemented(path + ": a database of version " + std::to_string(version) + ": this build reads up to " +
                         std::to_string(kDatabaseVersion));
  }
  std::string_view uuid;
  if (root["uuid"].get(uuid) != simdjson::SUCCESS || !Uuid::FromHex(uuid).ok()) {
    return DataLossAt(path, 0, "the database's marker has no uuid of 32 hex digits");
  }
  return absl::OkStatus();
}

absl::Status CheckMayBeMarked(FileSystem* fs, const std::string& directory) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, fs->List(directory));
  for (const std::string& name : names) {
    if (name == kLockName || name == std::string(kDatabaseMarkerName) + std::string(kTemporarySuffix)) continue;
    if (name.starts_with(kTrashPrefix)) continue;
    if (ValidateCollectionName(name).ok() && CheckIsCollection(fs, JoinPath(directory, name)).ok()) continue;
    return FailedPrecondition(directory + ": is not a database (it holds " + name + ", which is no collection)");
  }
  return absl::OkStatus();
}

absl::Status MarkDatabase(FileSystem* fs, const std::string& directory) {
  ASSIGN_OR_RETURN(const Uuid uuid, Uuid::Random());
  return PublishFile(fs, JoinPath(directory, kDatabaseMarkerName),
                     R"({"version":)" + std::to_string(kDatabaseVersion) + R"(,"uuid":")" + uuid.ToHex() + "\"}\n");
}

absl::StatusOr<std::vector<std::string>> ListDatabase(FileSystem* fs, const std::string& directory) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, fs->List(directory));
  std::vector<std::string> collections;
  for (const std::string& name : names) {
    if (!ValidateCollectionName(name).ok()) continue;
    const absl::Status is_collection = CheckIsCollection(fs, JoinPath(directory, name));
    if (is_collection.ok()) collections.push_back(name);
    // It is none, has gone meanwhile, or is another user's (lost+found).
    const bool is_none = absl::IsNotFound(is_collection) || absl::IsFailedPrecondition(is_collection) ||
                         absl::IsPermissionDenied(is_collection);
    if (!is_none && !VARVE_SEEDED_BUG(kIncompleteList)) RETURN_IF_ERROR(is_collection);
  }
  std::sort(collections.begin(), collections.end());
  return collections;
}

absl::StatusOr<std::string> MoveToTrash(FileSystem* fs, const std::string& directory, const std::string& name) {
  ASSIGN_OR_RETURN(const Uuid uuid, Uuid::Random());
  const std::string trash = JoinPath(directory, std::string(kTrashPrefix) + uuid.ToHex());
  RETURN_IF_ERROR(fs->Rename(JoinPath(directory, name), trash));
  RETURN_IF_ERROR(fs->SyncDirectory(directory));
  return trash;
}

absl::StatusOr<std::vector<std::string>> FindTrash(FileSystem* fs, const std::string& directory) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, fs->List(directory));
  std::vector<std::string> trash;
  for (const std::string& name : names) {
    if (name.starts_with(kTrashPrefix)) trash.push_back(JoinPath(directory, name));
  }
  // Whoever moved it there may have died before that was durable: a collection that came back without some of its files
  // would be damaged.
  if (!trash.empty()) RETURN_IF_ERROR(fs->SyncDirectory(directory));
  return trash;
}

}  // namespace varve
