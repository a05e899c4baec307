#include "cli/open_collection.h"

namespace varve::cli {

absl::StatusOr<std::unique_ptr<Collection>> OpenForWriting(const std::string& directory, const CommonOptions& common,
                                                           std::optional<SyncMode> sync) {
  Options options = ToOptions(common);
  options.sync = sync;
  return Collection::Open(directory, options);
}

absl::StatusOr<std::unique_ptr<Collection>> OpenForReading(const std::string& directory, const CommonOptions& common) {
  return Collection::OpenReadOnly(directory, ToReadOnlyOptions(common));
}

absl::Status CloseAfter(Collection* collection, absl::Status status) {
  status.Update(collection->Close());
  return status;
}

}  // namespace varve::cli
