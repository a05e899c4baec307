// How commands come to a collection, and leave it.
#ifndef VARVE_CLI_OPEN_COLLECTION_H_
#define VARVE_CLI_OPEN_COLLECTION_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/common_options.h"
#include "varve/collection.h"

namespace varve::cli {

// `sync`, if given, overrides the schema's mode.
absl::StatusOr<std::unique_ptr<Collection>> OpenForWriting(const std::string& directory, const CommonOptions& common,
                                                           std::optional<SyncMode> sync = std::nullopt);

absl::StatusOr<std::unique_ptr<Collection>> OpenForReading(const std::string& directory, const CommonOptions& common);

// Closes the collection. Gives `status` if that is a failure, else what closing said.
absl::Status CloseAfter(Collection* collection, absl::Status status);

}  // namespace varve::cli

#endif  // VARVE_CLI_OPEN_COLLECTION_H_
