// What lies in the directory of a database: a marker, a lock, the collections by name, and what is left of dropped
// ones.
//
//   DATABASE            {"version":1,"uuid":"32 hex digits"}
//   LOCK                held by the one Database object
//   NAME/               a collection
//   .dropped-HEX/       one that was dropped, and is being removed
//
// Free functions; thread-safe, but changes are made by the holder of LOCK alone.
#ifndef VARVE_ENGINE_DATABASE_DATABASE_DIRECTORY_H_
#define VARVE_ENGINE_DATABASE_DATABASE_DIRECTORY_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/file_system.h"

namespace varve {

inline constexpr std::string_view kDatabaseMarkerName = "DATABASE";
inline constexpr uint64_t kDatabaseVersion = 1;

// OK if the marker is there and can be read. Errors: NotFound; Unimplemented for a newer version; DataLoss.
absl::Status CheckDatabaseMarker(FileSystem* fs, const std::string& directory);
// Whether a directory without a marker may get one. Errors: FailedPrecondition if it holds anything but collections.
absl::Status CheckMayBeMarked(FileSystem* fs, const std::string& directory);
// Makes the directory a database.
absl::Status MarkDatabase(FileSystem* fs, const std::string& directory);

// The names of the collections, sorted; a damaged one's too.
absl::StatusOr<std::vector<std::string>> ListDatabase(FileSystem* fs, const std::string& directory);

// Takes a collection out of the database at one stroke, and returns the path under which its files wait to be removed.
// Whoever calls it holds the collection's lock. Errors: those of the file system. After a failure the collection may be
// gone from the list, but its files are all there, and go at the next opening of the database.
absl::StatusOr<std::string> MoveToTrash(FileSystem* fs, const std::string& directory, const std::string& name);
// What dropped collections have left. Their absence from the list is durable when this returns.
absl::StatusOr<std::vector<std::string>> FindTrash(FileSystem* fs, const std::string& directory);

}  // namespace varve

#endif  // VARVE_ENGINE_DATABASE_DATABASE_DIRECTORY_H_
