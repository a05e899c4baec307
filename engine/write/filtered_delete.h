// Deletes what a filter matches: Collection::DeleteWhere.
#ifndef VARVE_ENGINE_WRITE_FILTERED_DELETE_H_
#define VARVE_ENGINE_WRITE_FILTERED_DELETE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "engine/version/collection_state.h"
#include "engine/write/write_path.h"
#include "varve/collection.h"
#include "varve/filter.h"

namespace varve {

// How many records were deleted. No view is held while a batch is written. Errors: those of Write and Scan, saying how
// many records were deleted before.
absl::StatusOr<uint64_t> DeleteMatchingRows(CollectionState* state, WritePath* writes, const Filter& filter,
                                            const DeleteWhereOptions& options);

}  // namespace varve

#endif  // VARVE_ENGINE_WRITE_FILTERED_DELETE_H_
